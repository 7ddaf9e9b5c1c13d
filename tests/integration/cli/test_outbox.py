"""`malgil outbox`: the mail of the local cloud."""

import json
import re

from infra.local.cloud import LocalCloud
from infra.local.embedded import client
from tests.integration.cli.conftest import run_malgil


def send(endpoint, subject, html="<p>안녕</p>"):
    client("sesv2", endpoint).send_email(
        FromEmailAddress="bot@malgil.example",
        Destination={"ToAddresses": ["=?utf-8?b?6rmA7ZWY64qY?= <haneul@shop.example>"]},
        ReplyToAddresses=["desk@shop.example"],
        Content={"Simple": {"Subject": {"Data": subject}, "Body": {"Html": {"Data": html}}}},
    )


def test_mails_are_listed_and_shown_and_survive_a_restart(tmp_path):
    with LocalCloud(state=tmp_path, http_port=0, aws_port=0, watch=False) as cloud:
        assert run_malgil("--state", tmp_path, "outbox").stdout == "보낸 메일이 없습니다 / no mail has been sent\n"
        for subject in ("예약 확인", "취소 \x1b[31m확인"):
            send(cloud.aws_endpoint, subject, f"<p>{subject[:2]}</p>")
        first, second = run_malgil("--state", tmp_path, "outbox").stdout.splitlines()
        assert re.fullmatch(r"  1  \S+ \S+ UTC  김하늘 <haneul@shop.example>  예약 확인", first)
        assert second.startswith("  2  ")
        assert "\x1b" not in second
        assert run_malgil("--state", tmp_path, "outbox", "1").stdout == "<p>예약</p>\n"
        missing = run_malgil("--state", tmp_path, "outbox", "3")
        assert (missing.returncode, missing.stderr) == (1, "malgil: 3번 메일이 없습니다 / there is no mail 3\n")
        mails = json.loads(run_malgil("--state", tmp_path, "outbox", "--json").stdout)
        assert [(mail["number"], mail["replyTo"]) for mail in mails] == [
            (1, ["desk@shop.example"]),
            (2, ["desk@shop.example"]),
        ]
        secrets = client("secretsmanager", cloud.aws_endpoint)
        secrets.create_secret(Name="malgil/local/shop/openai", SecretString='{"apiKey": "one"}')
        secrets.put_secret_value(SecretId="malgil/local/shop/openai", SecretString='{"apiKey": "two"}')
        secrets.create_secret(Name="malgil/local/shop/gone", SecretString="{}")
        secrets.delete_secret(SecretId="malgil/local/shop/gone", ForceDeleteWithoutRecovery=True)
    with LocalCloud(state=tmp_path, http_port=0, aws_port=0, watch=False) as cloud:
        assert json.loads(run_malgil("--state", tmp_path, "outbox", "--json").stdout) == mails
        send(cloud.aws_endpoint, "또")
        assert json.loads(run_malgil("--state", tmp_path, "outbox", "--json", "3").stdout)["subject"] == "또"
        secrets = client("secretsmanager", cloud.aws_endpoint)
        found = secrets.get_secret_value(SecretId="malgil/local/shop/openai")
        assert found["SecretString"] == '{"apiKey": "two"}'
        assert [secret["Name"] for secret in secrets.list_secrets()["SecretList"]] == ["malgil/local/shop/openai"]


def test_without_a_local_cloud_it_says_so(tmp_path):
    done = run_malgil("--state", tmp_path, "--local", "outbox")
    assert (done.returncode, "no local cloud is running" in done.stderr) == (1, True)
