"""`make run` brings the example bots in, again and again, and never over an author's own work."""

import json
from pathlib import Path

import pytest

from infra.local import seed
from infra.local.cloud import LocalCloud
from shared.runtime import wiring
from tests.integration.conftest import forget_wiring


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    return LocalCloud(state=tmp_path / "state", http_port=0, aws_port=0, watch=False)


def test_examples_come_in_once_and_edits_stay(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with cloud, monkeypatch.context() as patch:
        for name, value in cloud.environment[seed.SKILL_FUNCTION].items():
            patch.setenv(name, value)
        forget_wiring()
        seed.seed(cloud)
        first = capsys.readouterr().out
        assert f"{cloud.http_url}/kakao/shop/" in first
        authoring = wiring.authoring()
        edited = json.dumps({**authoring.export("reservation"), "flows": authoring.export("reservation")["flows"][:1]})
        authoring.import_file("reservation", edited.encode())
        authoring.delete("shop")
        seed.seed(cloud)
        again = capsys.readouterr().out
        record = authoring.get("reservation")
        assert record.latest is not None
        assert record.latest.number == 2
        assert again.count("고치신 봇이라 그대로 둡니다") == 2
    forget_wiring()
