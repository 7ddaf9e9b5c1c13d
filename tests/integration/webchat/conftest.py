"""The real template on the local cloud, with a bot on the web, and browsers that talk to it."""

import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from infra.local.cloud import LocalCloud
from shared.channels.web.tokens import Claims
from shared.runtime import wiring, world
from tests.integration.conftest import forget_wiring
from tests.web_world import SHOP

JsonObject = dict[str, Any]

SECONDS = 60.0


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """This process's environment is that of the function behind the socket. One for the package: PynamoDB keeps its
    connection for as long as the table's name is the same."""
    state = tmp_path_factory.mktemp("state")
    with (
        LocalCloud(state=state, http_port=0, aws_port=0, watch=False) as started,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in started.environment["FlowStepFunction"].items():
            patch.setenv(name, value)
        forget_wiring()
        yield started
    forget_wiring()


@pytest.fixture
def bot_id(cloud: LocalCloud) -> str:
    return a_web_bot()


def a_web_bot(document: JsonObject = SHOP, **settings: Any) -> str:
    """A new, published bot whose web chat is on."""
    bot_id = f"web-{uuid.uuid4().hex[:8]}"
    authoring = wiring.authoring()
    authoring.import_file(bot_id, json.dumps(document).encode())
    authoring.publish(bot_id)
    authoring.connect_web(bot_id, enabled=True, **settings)
    return bot_id


def a_token(bot_id: str, user_key: str, now_s: int | None = None) -> str:
    claims = Claims.fresh(bot_id, user_key, world.now_ms() // 1_000 if now_s is None else now_s)
    return wiring.web_tokens().issue(claims)


class Browser:
    """A tab of an end user, as docs/web-chat.md says that a client should be."""

    def __init__(
        self,
        cloud: LocalCloud,
        bot_id: str,
        user_key: str = "kim",
        name: str = "",
        hears: Callable[[JsonObject], int] = lambda frame: 1,
    ) -> None:
        """`hears` says how often a frame arrives."""
        self.hears = hears
        self.url = cloud.outputs["SocketUrl"]
        self.token = a_token(bot_id, user_key)
        self.name = name or uuid.uuid4().hex[:4]
        self.rev = 0
        self.seen: list[JsonObject] = []
        self.frames: list[JsonObject] = []
        self.unacknowledged: dict[str, JsonObject] = {}
        self.socket: ClientConnection | None = None
        self._numbers = itertools.count(1)

    def __enter__(self) -> "Browser":
        """Connected and caught up: frames that are not waited for may overtake each other."""
        self.connect()
        self.hear_until(lambda frame: frame["type"] == "context")
        return self

    def __exit__(self, *args: object) -> None:
        if self.socket is not None:
            self.socket.close()

    def connect(self) -> None:
        """Open a socket, catch up, and send again what nobody acknowledged."""
        self.socket = opened(self.url, self.token)
        self.send({"type": "sync", "rev": self.rev})
        for frame in list(self.unacknowledged.values()):
            self.send(frame)

    def cut(self) -> None:
        """The network is gone: no closing frame."""
        assert self.socket is not None
        with suppress(OSError):
            self.socket.socket.shutdown(2)
        self.socket = None

    def send(self, frame: JsonObject) -> None:
        if self.socket is not None:
            with suppress(ConnectionClosed):
                self.socket.send(json.dumps(frame))

    def say(self, text: str) -> str:
        client_id = f"{self.name}-{next(self._numbers)}"
        frame = {"type": "message", "clientId": client_id, "data": {"type": "text", "text": text}}
        self.unacknowledged[client_id] = frame
        self.send(frame)
        return client_id

    def hear(self, timeout: float = SECONDS) -> JsonObject | None:
        """The next frame, taken in; None when there was none in time, or the socket is gone."""
        if self.socket is None:
            return None
        try:
            frame: JsonObject = json.loads(self.socket.recv(timeout=timeout))
        except TimeoutError:
            return None
        except ConnectionClosed:
            self.socket = None
            return None
        self.frames.append(frame)
        for _ in range(self.hears(frame)):
            self._take(frame)
        return frame

    def hear_until(self, condition: Callable[[JsonObject], bool]) -> JsonObject:
        while True:
            frame = self.hear()
            assert frame is not None, f"nothing more came; the last was {self.frames[-1:]}"
            if condition(frame):
                return frame

    def ask(self, frame: JsonObject, answer: str) -> JsonObject:
        self.send(frame)
        return self.hear_until(lambda found: found["type"] == answer)

    @property
    def texts(self) -> list[str]:
        return [("> " if message["isUser"] else "") + message["data"]["text"] for message in self.seen]

    def _take(self, frame: JsonObject) -> None:
        kind = frame["type"]
        if kind in ("messages", "ack"):
            self.unacknowledged.pop(frame.get("clientId", ""), None)
        if kind == "error" and frame["retryable"] and frame.get("clientId") in self.unacknowledged:
            self.send(self.unacknowledged[frame["clientId"]])
        if kind == "messages":
            if frame["rev"] <= self.rev:
                return
            if frame["since"] > self.rev:
                self.send({"type": "sync", "rev": self.rev})
                return
            self._show(frame)
        if kind == "context" and frame["rev"] > self.rev:
            self._show(frame)
            if frame.get("more"):
                self.send({"type": "sync", "rev": self.rev})
        if kind == "pong" and frame["rev"] > self.rev:
            self.send({"type": "sync", "rev": self.rev})

    def _show(self, frame: JsonObject) -> None:
        self.seen += [message for message in frame["messages"] if message["rev"] > self.rev]
        self.rev = frame["rev"]


def opened(url: str, token: str, origin: str | None = None) -> ClientConnection:
    return connect(
        url,
        subprotocols=[Subprotocol("malgil.v1"), Subprotocol(token)],
        compression=None,
        origin=None if origin is None else Origin(origin),
        open_timeout=SECONDS,
        max_size=2**20,
        legacy=True,
    )
