"""A bot that is published and somebody who talks to it."""

import pytest

from tests.open_api_world import OpenApiWorld


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> OpenApiWorld:
    made = OpenApiWorld(monkeypatch)
    made.publish()
    return made
