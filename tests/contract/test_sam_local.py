"""The parts of `make sam-local` that need no container engine."""

import io
import json
import platform
import resource
import socket
import sys
import tarfile
import threading
import tomllib
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from infra import runtime_python
from infra.sam_local import __main__ as sam_local
from infra.sam_local import engine, image, runtime
from infra.sam_local.relay import relay
from infra.sam_local.stack import ExampleBot
from shared.channels.kakao.settings import KakaoSettings

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.name for path in (ROOT / "functions").iterdir() if (path / "app.py").is_file())
linux_only = pytest.mark.skipif(platform.system() != "Linux", reason="a base image is made on Linux only")


def event(name):
    return json.loads((ROOT / "tests" / "events" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FOLDERS)
def test_every_function_has_an_event_to_be_called_with(name):
    assert isinstance(event(name), dict)


def test_a_machine_without_an_engine_is_told_that_the_check_was_skipped(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sam_local.main() == 0
    assert capsys.readouterr().out.startswith("SKIPPED: no container engine")


@pytest.mark.parametrize(
    ("answer", "is_greeting"),
    [
        ('{"statusCode": 200, "body": "{\\"text\\": \\"안녕하세요, 말길식당입니다\\"}"}', True),
        ('{"messages": [{"data": {"text": "\\ub9d0\\uae38\\uc2dd\\ub2f9"}}]}', True),
        ('{"statusCode": 200, "body": "{\\"text\\": \\"죄송합니다\\"}"}', False),
        ('{"errorType": "Runtime.ExitError"}', False),
        ("Traceback (most recent call last): 말길식당", False),
    ],
)
def test_only_the_bot_speaking_counts_as_an_answer(answer, is_greeting):
    assert sam_local._holds(answer, sam_local.GREETING) is is_greeting


def test_events_are_addressed_to_the_published_bot():
    bot = ExampleBot("shop", KakaoSettings(path_secret="p" * 22, header_secrets=("h" * 22,)))
    skill = bot.address(event("kakao_skill"))
    assert skill["rawPath"] == "/kakao/shop/" + "p" * 22
    assert skill["pathParameters"] == {"botId": "shop", "secret": "p" * 22}
    assert skill["headers"]["x-malgil-secret"] == "h" * 22
    assert bot.address(event("flow_step"))["botId"] == "shop"
    assert bot.address(event("mail_link"))["rawPath"] == "/mail"


class RuntimeApi(BaseHTTPRequestHandler):
    """The side of the Runtime API that Lambda is on."""

    protocol_version = "HTTP/1.1"
    answers: ClassVar[dict[str, object]] = {}

    def do_GET(self):
        self._send(
            json.dumps({"이름": "말길"}).encode(),
            {
                "Lambda-Runtime-Aws-Request-Id": "request-1",
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:x",
                "Lambda-Runtime-Deadline-Ms": "0",
            },
        )

    def do_POST(self):
        self.answers[self.path] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._send(b"", {})

    def _send(self, body, headers):
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def runtime_api():
    with HTTPServer(("127.0.0.1", 0), RuntimeApi) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_the_runtime_hands_the_event_to_the_handler_and_its_answer_back(runtime_api, monkeypatch):
    for name, value in (("FUNCTION_NAME", "skill"), ("FUNCTION_VERSION", "$LATEST"), ("FUNCTION_MEMORY_SIZE", "1024")):
        monkeypatch.setenv(f"AWS_LAMBDA_{name}", value)

    def handler(received, context):
        return [received, context.function_name, context.memory_limit_in_mb, context.get_remaining_time_in_millis()]

    connection = HTTPConnection("127.0.0.1", runtime_api)
    runtime.serve_one(connection, handler)
    connection.close()
    path = "/2018-06-01/runtime/invocation/request-1/response"
    assert RuntimeApi.answers[path] == [{"이름": "말길"}, "skill", 1024, 0]


def test_the_relay_carries_both_directions_and_the_end():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        relay("127.0.0.1", server.getsockname()[1]) as port,
        socket.create_connection(("127.0.0.1", port)) as client,
    ):
        inside, _ = server.accept()
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        with inside, inside.makefile("rb") as received:
            assert received.read() == b"question"
            inside.sendall(b"answer")
        with client.makefile("rb") as received:
            assert received.read() == b"answer"


def test_podman_is_asked_for_no_more_than_this_machine_may_give():
    (files, processes) = tomllib.loads(engine._podman_configuration())["containers"]["default_ulimits"]
    for entry, kind in ((files, resource.RLIMIT_NOFILE), (processes, resource.RLIMIT_NPROC)):
        hard = resource.getrlimit(kind)[1]
        assert hard == resource.RLIM_INFINITY or int(entry.rpartition(":")[2]) <= hard


@linux_only
def test_a_home_made_image_holds_a_python_its_libraries_and_the_runtime():
    python = runtime_python.find() or Path(sys.executable)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        image._add_files(archive, python)
    content.seek(0)
    with tarfile.open(fileobj=content) as archive:
        names = set(archive.getnames())
        bootstrap = archive.extractfile("var/runtime/bootstrap").read().decode()  # type: ignore[union-attr]
    assert str(python.resolve()).lstrip("/") in names
    assert bootstrap.splitlines()[0] == f"#!{python.resolve()}"
    assert {f"bin/{tool}" for tool in image.TOOLS} <= names
    assert any(name.endswith("/libc.so.6") for name in names)
    assert not [name for name in names if "site-packages" in name or "__pycache__" in name]
