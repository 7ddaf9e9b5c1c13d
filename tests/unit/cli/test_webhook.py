"""`malgil webhook listen` where it cannot register itself."""

import pytest

from infra.cli import cloud
from infra.cli.cloud import Cloud
from tests.integration.cli.conftest import free_port
from tests.unit.cli.conftest import Malgil


def test_a_deployed_stack_cannot_post_to_this_machine(malgil: Malgil, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = Cloud(name="stack malgil", is_local=False, http_url="https://example.com", environment={})
    monkeypatch.setattr(cloud, "find", lambda choice: deployed)
    result = malgil("--stack", "malgil", "webhook", "listen", "shop", "--port", free_port())
    assert result.exit_code == 1
    assert "`malgil webhook make`" in result.stderr


def test_without_a_cloud_only_a_receiver_of_no_bot_can_be_had(malgil: Malgil) -> None:
    result = malgil("webhook", "listen", "shop", "--port", free_port())
    assert result.exit_code == 1
    assert "make run" in result.stderr
