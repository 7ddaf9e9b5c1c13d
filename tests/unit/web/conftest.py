import pytest

from tests.web_session_world import WebWorld


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> WebWorld:
    return WebWorld(monkeypatch)
