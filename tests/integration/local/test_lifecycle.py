"""Starting, stopping, restarting, and everything that can be in the way of it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from infra.local.embedded import REPOSITORY, EmbeddedAws
from shared.errors import Conflict, InvalidInput, Unavailable
from tests.integration.local.conftest import FIXTURES, call, eventually, local_cloud

JSON = "application/json"


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed child of a killed parent stays a zombie until init looks at it.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.fixture
def own_app(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURES / "app", tmp_path / "app"))


def test_the_description_says_where_everything_is(cloud: LocalCloud) -> None:
    description = json.loads((cloud.state / "local.json").read_text(encoding="utf-8"))
    assert description["http_url"] == cloud.http_url
    assert description["aws_endpoint"] == cloud.aws_endpoint
    assert description["lambda_endpoint"] == cloud.lambda_endpoint
    assert description["example_url"] == cloud.example_url
    assert description["pid"] == os.getpid()
    assert description["outputs"]["Url"] == cloud.http_url
    assert description["environment"]["EchoFunction"]["TABLE"] == "malgil-local-Things"


def test_the_templates_resources_are_there(cloud: LocalCloud) -> None:
    table = cloud.client("dynamodb").describe_table(TableName="malgil-local-Things")["Table"]
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    ttl = cloud.client("dynamodb").describe_time_to_live(TableName="malgil-local-Things")["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "ttl"
    bucket = cloud.environment["EchoFunction"]["BUCKET"]
    assert cloud.client("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    cloud.client("sns").publish(TopicArn=cloud.outputs["Topic"], Message="news")
    received = cloud.client("sqs").receive_message(QueueUrl=cloud.outputs["Queue"], WaitTimeSeconds=5)
    assert [message["Body"] for message in received["Messages"]] == ["news"]


def test_the_data_survives_a_restart(own_app: Path, tmp_path: Path) -> None:
    with local_cloud(own_app, tmp_path / "state", watch=False) as cloud:
        cloud.client("dynamodb").put_item(TableName="malgil-local-Things", Item={"pk": {"S": "kept"}})
        bucket = cloud.environment["EchoFunction"]["BUCKET"]
        cloud.client("s3").put_object(Bucket=bucket, Key="k", Body=b"kept")
    assert not (tmp_path / "state" / "local.json").exists()
    with local_cloud(own_app, tmp_path / "state", watch=False) as cloud:
        kept = cloud.client("dynamodb").get_item(TableName="malgil-local-Things", Key={"pk": {"S": "kept"}})
        assert "Item" in kept
        assert cloud.client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"


def test_a_table_that_got_an_index_keeps_its_items(own_app: Path, tmp_path: Path) -> None:
    with local_cloud(own_app, tmp_path / "state", watch=False) as cloud:
        item = {"pk": {"S": "1"}, "other": {"S": "o"}}
        cloud.client("dynamodb").put_item(TableName="malgil-local-Things", Item=item)
    template = own_app / "template.yaml"
    old = "        - {AttributeName: pk, AttributeType: S}\n"
    index = (
        "      GlobalSecondaryIndexes:\n"
        "        - IndexName: other\n"
        "          KeySchema: [{AttributeName: other, KeyType: HASH}]\n"
        "          Projection: {ProjectionType: ALL}\n"
    )
    text = template.read_text().replace(old, old + "        - {AttributeName: other, AttributeType: S}\n")
    template.write_text(text.replace("      StreamSpecification", index + "      StreamSpecification"))
    with local_cloud(own_app, tmp_path / "state", watch=False) as cloud:
        found = cloud.client("dynamodb").query(
            TableName="malgil-local-Things",
            IndexName="other",
            KeyConditionExpression="other = :o",
            ExpressionAttributeValues={":o": {"S": "o"}},
        )
        assert found["Count"] == 1


def test_a_table_with_other_keys_than_before_is_refused(own_app: Path, tmp_path: Path) -> None:
    with local_cloud(own_app, tmp_path / "state", watch=False):
        pass
    template = own_app / "template.yaml"
    template.write_text(template.read_text().replace("AttributeName: pk,", "AttributeName: id,"))
    with pytest.raises(InvalidInput, match=r"Things \(AWS::DynamoDB::Table\): has other keys"):
        local_cloud(own_app, tmp_path / "state", watch=False).start()


def test_a_second_start_on_one_state_says_what_is_running(cloud: LocalCloud, app: Path) -> None:
    with pytest.raises(Conflict, match=f"is running on .*process {os.getpid()}, {cloud.http_url}"):
        local_cloud(app, cloud.state).start()
    assert call(cloud, "GET", "/files/still-there").status == 200


@pytest.mark.parametrize("flag", ["--http-port", "--aws-port", "--lambda-port", "--example-port"])
def test_a_busy_port_is_named_with_its_flag(app: Path, tmp_path: Path, flag: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"http_port": 0, "aws_port": 0, flag.removeprefix("--").replace("-", "_"): port}
        with pytest.raises(Unavailable, match=f"port {port} is in use.*{flag}"):
            LocalCloud(template=app / "template.yaml", state=tmp_path, **ports).start()


def test_a_damaged_state_file_is_named(app: Path, tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(Unavailable, match=r"state\.db cannot be read.*remove it"):
        local_cloud(app, tmp_path).start()


def test_changed_code_is_used_by_the_next_invocations(own_app: Path, tmp_path: Path) -> None:
    handler = own_app / "echo" / "app.py"
    with local_cloud(own_app, tmp_path / "state") as cloud:
        assert call(cloud, "GET", "/files/a").json == {"found": "a"}
        handler.write_text("def handler(event, context):\n    return 'changed'\n", encoding="utf-8")
        eventually(lambda: call(cloud, "GET", "/files/a").body == b"changed")


def test_a_route_and_a_function_added_to_the_template_work_at_once(own_app: Path, tmp_path: Path) -> None:
    template = own_app / "template.yaml"
    with local_cloud(own_app, tmp_path / "state") as cloud:
        assert call(cloud, "GET", "/added/1").status == 404
        added = (
            "  AddedFunction:\n"
            "    Type: AWS::Serverless::Function\n"
            "    Properties:\n"
            "      CodeUri: echo/\n"
            "      Environment: {Variables: {ADDED: new}}\n"
            "      Events:\n"
            "        Added:\n"
            "          Type: HttpApi\n"
            '          Properties: {ApiId: !Ref HttpApi, Method: GET, Path: "/added/{thing}"}\n'
            "\n"
            "Outputs:\n"
        )
        template.write_text(template.read_text().replace("Outputs:\n", added), encoding="utf-8")
        eventually(lambda: call(cloud, "GET", "/added/1").status == 201)
        event = call(cloud, "GET", "/added/1").json
        assert event["environment"]["ADDED"] == "new"
        assert event["event"]["routeKey"] == "GET /added/{thing}"
        assert "AddedFunction" in json.loads((cloud.state / "local.json").read_text())["environment"]


def test_a_template_broken_while_running_changes_nothing(own_app: Path, tmp_path: Path) -> None:
    console = (tmp_path / "console").open("w+", encoding="utf-8")
    template = own_app / "template.yaml"
    with console, local_cloud(own_app, tmp_path / "state", console=console) as cloud:
        template.write_text("Resources: [", encoding="utf-8")
        eventually(lambda: "stays in force" in (tmp_path / "console").read_text())
        assert call(cloud, "GET", "/files/a").status == 200


def start_command(app: Path, state: Path, *more: str) -> subprocess.Popen[str]:
    options = ["--http-port=0", "--aws-port=0", "--example-port=0", "--no-seed", f"--state={state}", *more]
    template = app / "template.yaml"
    return subprocess.Popen(
        [sys.executable, "-m", "infra.local", f"--template={template}", *options],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def started(process: subprocess.Popen[str], state: Path) -> Any:
    def description() -> Any:
        assert process.poll() is None, process.communicate()[0]
        path = state / "local.json"
        return json.loads(path.read_text()) if path.exists() else None

    return eventually(description)


def children_of(pid: int) -> set[int]:
    """Children are listed by the thread that started them."""
    found = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        found |= {int(child) for child in (task / "children").read_text().split()}
    return found


lists_children = pytest.mark.skipif(
    not Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists(), reason="child processes are listed by Linux"
)


@pytest.mark.parametrize(
    ("options", "ports"), [((), {8790}), (("--webhook-port=8791", "--webhook-port=8792"), {8791, 8792})]
)
def test_webhooks_may_be_posted_to_the_ports_that_are_named_and_no_other(
    app: Path, tmp_path: Path, options: tuple[str, ...], ports: set[int]
) -> None:
    with start_command(app, tmp_path, *options) as process:
        description = started(process, tmp_path)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    example = int(description["example_url"].rpartition(":")[2])
    assert {tuple(target) for target in description["local_targets"]} == {
        (host, port) for host in ("127.0.0.1", "localhost") for port in (*ports, example)
    }


@lists_children
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything(app: Path, tmp_path: Path, number: signal.Signals) -> None:
    with start_command(app, tmp_path) as process:
        started(process, tmp_path)
        children = children_of(process.pid)
        assert children
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert not any(is_alive(child) for child in children)
    assert not (tmp_path / "local.json").exists()


@lists_children
def test_a_killed_parent_leaves_nobody_behind(app: Path, tmp_path: Path) -> None:
    with start_command(app, tmp_path) as process:
        started(process, tmp_path)
        children = eventually(lambda: found if len(found := children_of(process.pid)) > 1 else None)
        process.kill()
        process.communicate(timeout=30)
    eventually(lambda: not any(is_alive(child) for child in children))
    with local_cloud(app, tmp_path, watch=False) as again:
        assert again.running


def test_the_command_says_in_one_line_why_it_cannot_start(tmp_path: Path) -> None:
    with start_command(tmp_path, tmp_path / "state") as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output == f"{tmp_path / 'template.yaml'}: there is no such template\n"


def test_dynamodb_of_the_users_environment_is_used(app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedAws() as elsewhere:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", elsewhere.endpoint)
        with local_cloud(app, tmp_path, watch=False) as cloud:
            assert cloud.environment["EchoFunction"]["AWS_ENDPOINT_URL_DYNAMODB"] == elsewhere.endpoint
            assert cloud.environment["EchoFunction"]["AWS_ENDPOINT_URL"] == cloud.aws_endpoint
            assert cloud.client("dynamodb").list_tables()["TableNames"] == ["malgil-local-Things"]
            assert cloud.client("dynamodb").meta.endpoint_url == elsewhere.endpoint


def test_the_products_own_template_is_run(tmp_path: Path) -> None:
    with LocalCloud(state=tmp_path, http_port=0, aws_port=0, watch=False) as cloud:
        assert set(cloud.environment) >= {"KakaoSkillFunction", "FlowStepFunction"}
        assert cloud.outputs["HttpApiUrl"] == cloud.http_url
        table = cloud.environment["KakaoSkillFunction"]["MALGIL_TURNS_TABLE"]
        assert cloud.client("dynamodb").describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"
