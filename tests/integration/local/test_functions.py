"""Handlers run as they would in Lambda: environment, context, errors, limits, and the Invoke API."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from tests.integration.local.conftest import call

JSON = "application/json"


def fault(cloud: LocalCloud, name: str) -> Any:
    return call(cloud, "POST", "/faults", json.dumps({"fault": name}).encode(), content_type=JSON)


def invoke(cloud: LocalCloud, function: str, event: Any, **options: Any) -> Any:
    return cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event), **options)


@pytest.fixture(scope="module")
def seen(cloud: LocalCloud) -> Any:
    """What the echo function sees of its surroundings."""
    return call(cloud, "POST", "/things/special", b"{}", content_type=JSON).json


def test_the_environment_comes_from_the_template(cloud: LocalCloud, seen: Any) -> None:
    environment = seen["environment"]
    assert environment["STAGE"] == "local"
    assert environment["GREETING"] == "hello"
    assert environment["JOINED"] == "a-y"
    assert environment["API_URL"] == f"{cloud.http_url}/base/${{literal}}"
    assert environment["TABLE"] == "malgil-local-Things"


def test_every_aws_service_is_the_embedded_one(cloud: LocalCloud, seen: Any) -> None:
    environment = seen["environment"]
    assert environment["AWS_ENDPOINT_URL"] == cloud.aws_endpoint
    assert "AWS_ENDPOINT_URL_DYNAMODB" not in environment
    assert environment["AWS_ENDPOINT_URL_LAMBDA"] == cloud.lambda_endpoint
    assert environment["AWS_ACCESS_KEY_ID"] == "local"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "malgil-local-EchoFunction"
    assert environment["TZ"] == "UTC"


def test_the_users_environment_stays_outside(seen: Any) -> None:
    assert "PYTEST_CURRENT_TEST" in os.environ
    assert "PYTEST_CURRENT_TEST" not in seen["environment"]
    assert "PYTHONPATH" not in seen["environment"]


def test_the_handler_runs_in_its_own_folder(app: Path, seen: Any) -> None:
    assert seen["folder"] == str(app / "echo")
    assert seen["environment"]["LAMBDA_TASK_ROOT"] == str(app / "echo")


def test_the_context_tells_about_the_invocation(seen: Any) -> None:
    context = seen["context"]
    assert context["function_name"] == "malgil-local-EchoFunction"
    assert context["arn"] == "arn:aws:lambda:ap-northeast-2:123456789012:function:malgil-local-EchoFunction"
    assert context["memory"] == "128"
    assert 0 < context["remaining"] <= 3000
    assert len(context["request_id"]) == 36


@pytest.mark.parametrize("name", ["raise", "exit", "system exit", "memory", "large", "malformed", "not json"])
def test_a_function_that_fails_is_an_internal_error(cloud: LocalCloud, name: str) -> None:
    answer = fault(cloud, name)
    assert (answer.status, answer.json) == (500, {"message": "Internal Server Error"})


def test_a_function_that_hangs_is_ended_at_its_time_out(cloud: LocalCloud) -> None:
    answer = fault(cloud, "hang")
    assert (answer.status, answer.json) == (503, {"message": "Service Unavailable"})
    assert "Task timed out after 1.00 seconds" in log_of(cloud, "FaultsFunction")


def test_the_next_invocation_after_a_crash_has_a_new_process(cloud: LocalCloud) -> None:
    first = fault(cloud, "none").json["pid"]
    assert fault(cloud, "none").json["pid"] == first
    fault(cloud, "exit")
    assert fault(cloud, "none").json["pid"] != first


def test_prints_go_to_the_log_and_cannot_forge_an_answer(cloud: LocalCloud) -> None:
    assert "pid" in fault(cloud, "none").json
    assert '{"id": "forged", "result": 1}' in log_of(cloud, "FaultsFunction")


def test_an_error_leaves_its_traceback_in_the_log(cloud: LocalCloud) -> None:
    fault(cloud, "raise")
    assert "ValueError: as told" in log_of(cloud, "FaultsFunction")


def test_a_function_that_cannot_be_imported_says_so(cloud: LocalCloud) -> None:
    assert call(cloud, "GET", "/broken").status == 500
    answer = invoke(cloud, "malgil-local-BrokenFunction", {})
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorType"] == "ModuleNotFoundError"


def test_invocations_at_the_same_time_run_in_processes_of_their_own(cloud: LocalCloud) -> None:
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda name: fault(cloud, name).status, ["hang", "none", "none"]))
    assert answers == [503, 200, 200]


def test_a_function_is_invoked_directly(cloud: LocalCloud) -> None:
    answer = invoke(cloud, "malgil-local-FaultsFunction", {"fault": "none"})
    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer
    assert "pid" in json.loads(answer["Payload"].read())


@pytest.mark.parametrize(
    "name", ["FaultsFunction", "arn:aws:lambda:ap-northeast-2:123456789012:function:malgil-local-FaultsFunction"]
)
def test_a_function_has_its_logical_id_and_its_arn_for_names(cloud: LocalCloud, name: str) -> None:
    assert invoke(cloud, name, {"fault": "none"})["StatusCode"] == 200


def test_a_direct_invocation_reports_the_functions_error(cloud: LocalCloud) -> None:
    answer = invoke(cloud, "FaultsFunction", {"fault": "raise"})
    error = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "as told")
    assert any("app.py" in frame for frame in error["stackTrace"])


def test_an_event_invocation_is_accepted_at_once(cloud: LocalCloud) -> None:
    assert invoke(cloud, "FaultsFunction", {"fault": "none"}, InvocationType="Event")["StatusCode"] == 202


def test_a_dry_run_invokes_nothing(cloud: LocalCloud) -> None:
    assert invoke(cloud, "FaultsFunction", {"fault": "exit"}, InvocationType="DryRun")["StatusCode"] == 204


def test_an_unknown_function_is_not_found(cloud: LocalCloud) -> None:
    functions = cloud.client("lambda")
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.invoke(FunctionName="nobody")


def test_a_payload_that_is_no_json_is_refused(cloud: LocalCloud) -> None:
    functions = cloud.client("lambda")
    with pytest.raises(functions.exceptions.InvalidRequestContentException):
        functions.invoke(FunctionName="FaultsFunction", Payload=b"{")


def log_of(cloud: LocalCloud, function: str) -> str:
    return (cloud.state / "logs" / f"{function}.log").read_text(encoding="utf-8")


def test_only_listed_loopback_servers_can_be_reached_by_the_guarded_client(cloud: LocalCloud) -> None:
    def fetched(url: str) -> Any:
        return json.loads(invoke(cloud, "FetchFunction", {"url": url})["Payload"].read())

    assert fetched(f"{cloud.example_url}/products") == {"status": 200}
    assert "private" in fetched("http://127.0.0.1:8080/")["errorMessage"]
