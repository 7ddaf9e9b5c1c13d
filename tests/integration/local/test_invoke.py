"""Functions invoke functions over Lambda's own API: answers, errors, limits, and no deadlock."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.cloud import LocalCloud
from infra.local.embedded import client
from infra.local.functions import MAX_EVENT_BYTES, MAX_QUEUED_EVENT_BYTES, MAX_WORKERS
from tests.integration.local.conftest import eventually
from tests.integration.local.test_queues import Works, named, started

THROTTLED = {"status": 429, "error": "TooManyRequestsException"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("invoke")


@pytest.fixture(scope="module")
def cloud(folder: Path) -> Iterator[LocalCloud]:
    with started(folder, watch=False) as cloud:
        yield cloud


def invoke(cloud: LocalCloud, function: str, event: Any, **options: Any) -> Any:
    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event), **options)
    return json.loads(answer["Payload"].read() or b"null")


def calling(function: str, event: Any) -> dict[str, Any]:
    """The event with which the caller invokes another function."""
    return {"invoke": [function, event]}


def test_a_function_gets_the_answer_of_another(cloud: LocalCloud) -> None:
    answer = invoke(cloud, "CallerFunction", calling("malgil-local-CalledFunction", {"say": {"말": 1}}))
    assert answer == {"status": 200, "error": None, "payload": {"말": 1}}


def test_a_function_is_told_of_anothers_error(cloud: LocalCloud) -> None:
    answer = invoke(cloud, "CallerFunction", calling("CalledFunction", {"nonsense": 1}))
    assert (answer["status"], answer["error"]) == (200, "Unhandled")
    assert answer["payload"]["errorType"] == "KeyError"


def test_a_function_that_is_not_there_is_named(cloud: LocalCloud) -> None:
    answer = invoke(cloud, "CallerFunction", calling("NobodyFunction", {}))
    assert answer == {"status": 404, "error": "ResourceNotFoundException"}


def test_functions_call_one_another_at_the_same_time(cloud: LocalCloud) -> None:
    """More callers than environments: those beyond wait, while the environments wait for the called function."""
    numbers = range(3 * MAX_WORKERS)
    with ThreadPoolExecutor(len(numbers)) as threads:
        answers = list(
            threads.map(lambda n: invoke(cloud, "CallerFunction", calling("CalledFunction", {"say": n})), numbers)
        )
    assert [answer["payload"] for answer in answers] == list(numbers)


def test_functions_that_wait_for_their_own_environments_come_to_an_end(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.local.gateway.PATIENCE_SECONDS", 0.2)
    event: Any = {"say": "deep"}
    for _ in range(MAX_WORKERS):
        event = calling("CallerFunction", event)
    answer = invoke(cloud, "CallerFunction", event)
    for _ in range(MAX_WORKERS - 1):
        answer = answer["payload"]
    assert answer == THROTTLED


def test_reserved_concurrency_throttles_at_once(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function holds its one environment while it invokes itself; it would wait until its own time-out."""
    monkeypatch.setattr("infra.local.gateway.PATIENCE_SECONDS", 60)
    assert invoke(cloud, "ScarceFunction", calling("ScarceFunction", {"say": 1})) == THROTTLED
    assert invoke(cloud, "ScarceFunction", {"say": 2}) == 2


def test_the_sdk_knows_the_error_of_a_throttled_invocation(cloud: LocalCloud) -> None:
    impatient = client("lambda", cloud.lambda_endpoint, config=Config(retries={"total_max_attempts": 1}))
    with ThreadPoolExecutor(4) as threads:
        tried = [
            threads.submit(impatient.invoke, FunctionName="ScarceFunction", Payload='{"say": 1}') for _ in range(40)
        ]
        errors = [error for error in (task.exception() for task in tried) if error is not None]
    assert errors
    assert all(isinstance(error, impatient.exceptions.TooManyRequestsException) for error in errors)


def test_a_payload_of_six_megabytes_passes_and_a_byte_more_does_not(cloud: LocalCloud) -> None:
    shell = len(json.dumps({"size": 1, "text": ""}))
    assert invoke(cloud, "CalledFunction", {"size": 1, "text": "x" * (MAX_EVENT_BYTES - shell)}) > 6_000_000
    with pytest.raises(ClientError, match="RequestTooLargeException"):
        invoke(cloud, "CalledFunction", {"size": 1, "text": "x" * (MAX_EVENT_BYTES - shell + 1)})


def test_an_event_of_a_megabyte_is_accepted_and_a_byte_more_is_not(cloud: LocalCloud) -> None:
    shell = len(json.dumps({"say": ""}))
    text = "x" * (MAX_QUEUED_EVENT_BYTES - shell)
    assert invoke(cloud, "CalledFunction", {"say": text}, InvocationType="Event") is None
    with pytest.raises(ClientError, match="RequestTooLargeException"):
        invoke(cloud, "CalledFunction", {"say": text + "x"}, InvocationType="Event")


def test_events_are_worked_on_however_many_there_are(cloud: LocalCloud, folder: Path) -> None:
    works, names = Works(cloud, folder / "notes"), [named()["name"] for _ in range(3 * MAX_WORKERS)]
    for name in names:
        record = {"messageId": "m", "body": json.dumps({"name": name}), "attributes": {"ApproximateReceiveCount": "1"}}
        invoke(cloud, "WorkerFunction", {"Records": [record]}, InvocationType="Event")
    eventually(lambda: works.done(*names))
