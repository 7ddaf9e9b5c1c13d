"""The web channel's settings over the API for owners, on the embedded AWS: every answer is one that
docs/api/management.yaml describes, and what is set is what pages get."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.management_api import app
from functions.web_session import app as web_session
from shared.runtime import wiring
from tests.api_world import a_call, json_of
from tests.integration.conftest import Stack, forget_wiring
from tests.integration.phones import Caller, a_caller
from tests.integration.test_promises_skill import ECHO
from tests.openapi_document import OpenApiDocument

DOCUMENT = OpenApiDocument(Path(__file__).parents[3] / "docs" / "api" / "management.yaml")
HOURS = {"timeZone": "Asia/Seoul", "week": {"mon": ["10:00-12:00", "13:00-18:00"], "sat": ["22:00-02:00"]}}
FORM = {"required": True, "fields": ["name", "phone"], "consent": "동의합니다"}


@pytest.fixture
def caller(stack: Stack) -> Iterator[Caller]:
    forget_wiring()
    yield a_caller(wiring.authoring(), ECHO)
    forget_wiring()


class Owner:
    """Asks with a key of both scopes, or of those that are given."""

    def __init__(self, bot_id: str, *scopes: str) -> None:
        self.path = f"/api/bots/{bot_id}/web"
        self.key = wiring.api_keys().make(name="owner", scopes=scopes or ("bots:read", "bots:write"))[1]

    def call(self, method: str, path: str = "", body: Any = None) -> Any:
        answer = app.handler(a_call(method, self.path + path, key=self.key, body=body), None)
        DOCUMENT.check_answer(method, self.path + path, answer)
        if answer["statusCode"] < 400:
            DOCUMENT.check_request(method, self.path + path, body)
        return answer

    def good(self, method: str, path: str = "", body: Any = None) -> Any:
        answer = self.call(method, path, body)
        assert answer["statusCode"] < 300, answer
        return json_of(answer) if answer["body"] else None


@pytest.fixture
def owner(caller: Caller) -> Owner:
    return Owner(caller.bot_id)


def shown_to_pages(bot_id: str) -> Any:
    wiring.published_bots.cache_clear()
    wiring.web_sessions.cache_clear()
    return json_of(web_session.handler(a_call("GET", f"/webchat/v1/bots/{bot_id}"), None))


def test_a_bot_that_was_never_connected_is_off(owner: Owner) -> None:
    assert owner.good("GET") == {
        "enabled": False,
        "allowedOrigins": [],
        "requireIdentity": False,
        "identityKeys": [],
        "theme": {},
        "uploads": True,
        "contactForm": None,
        "hours": None,
    }


def test_what_is_set_is_what_pages_get_and_the_rest_stays(caller: Caller, owner: Owner) -> None:
    owner.good("PATCH", "", {"enabled": True, "theme": {"primaryColor": "#112233", "greetingReplies": ["배송 조회"]}})
    changed = owner.good("PATCH", "", {"contactForm": FORM, "hours": HOURS, "uploads": False})
    assert owner.good("GET") == changed
    assert (changed["enabled"], changed["contactForm"], changed["hours"]) == (True, FORM, HOURS)
    shown = shown_to_pages(caller.bot_id)
    assert (shown["enabled"], shown["uploads"], shown["contactForm"]) == (True, False, FORM)
    assert shown["theme"] == {"primaryColor": "#112233", "greetingReplies": ["배송 조회"]}
    assert set(shown["hours"]) == {"open", "text", "opensAt"}
    changed = owner.good("PATCH", "", {"theme": {"primaryColor": None, "locale": "en"}, "contactForm": None})
    assert changed["theme"] == {"greetingReplies": ["배송 조회"], "locale": "en"}
    assert (changed["contactForm"], changed["hours"]) == (None, HOURS)


def test_receivers_are_told_of_a_change_and_not_of_none(caller: Caller, owner: Owner) -> None:
    def told() -> int:
        newest = wiring.turns().newest(caller.bot_id, "_sys")
        assert newest is not None
        return newest.revision

    before = told()
    owner.good("PATCH", "", {"enabled": True})
    owner.good("PATCH", "", {"enabled": True})
    owner.good("PATCH", "", {})
    assert told() == before + 1


def test_an_identity_keys_secret_is_shown_once_and_never_given_back(owner: Owner) -> None:
    made = [owner.good("POST", "/identity-keys") for _ in range(3)]
    answer = owner.call("GET")
    assert json_of(answer)["identityKeys"] == [{"id": made[2]["id"]}, {"id": made[1]["id"]}]
    assert not any(key["secret"] in answer["body"] for key in made)
    changed = owner.call("PATCH", "", {"requireIdentity": True})
    assert not any(key["secret"] in changed["body"] for key in made)
    assert owner.good("DELETE", f"/identity-keys/{made[1]['id']}") is None
    assert owner.good("GET")["identityKeys"] == [{"id": made[2]["id"]}]
    assert owner.call("DELETE", f"/identity-keys/{made[1]['id']}")["statusCode"] == 404


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"identityKeys": []}, "body.identityKeys"),
        ({"colour": "red"}, "body.colour"),
        ({"enabled": None}, "web.enabled"),
        ({"enabled": "yes"}, "web.enabled"),
        ({"allowedOrigins": ["shop.example/path"]}, "web.allowedOrigins[0]"),
        ({"theme": {"onload": "alert(1)"}}, "web.theme.onload"),
        ({"theme": []}, "web.theme"),
        ({"theme": {"title": "x" * 5_000}}, "web.theme"),
        ({"contactForm": {"fields": ["age"]}}, "web.contactForm.fields"),
        ({"hours": {"timeZone": "Mars/Olympus", "week": {"mon": ["10:00-18:00"]}}}, "web.hours.timeZone"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place_and_nothing_changes(owner: Owner, change: Any, place: str) -> None:
    before = owner.good("GET")
    answer = owner.call("PATCH", "", change)
    assert (answer["statusCode"], json_of(answer)["error"]["message"].split(": ")[0]) == (400, place)
    assert owner.good("GET") == before


def test_reading_is_not_enough_to_change(caller: Caller, owner: Owner) -> None:
    reader, other = Owner(caller.bot_id, "bots:read"), Owner(caller.bot_id, "webhooks:write", "keys:write")
    assert reader.call("GET")["statusCode"] == 200
    for who in (reader, other):
        assert who.call("PATCH", "", {"enabled": True})["statusCode"] == 403
        assert who.call("POST", "/identity-keys")["statusCode"] == 403
        assert who.call("DELETE", "/identity-keys/id_1")["statusCode"] == 403
    assert other.call("GET")["statusCode"] == 403
    assert owner.good("GET")["enabled"] is False


def test_a_bot_that_is_not_there_has_no_web_chat(caller: Caller) -> None:
    nobody = Owner(f"nobody-{uuid.uuid4().hex[:6]}")
    assert nobody.call("GET")["statusCode"] == 404
    assert nobody.call("PATCH", "", {"enabled": True})["statusCode"] == 404
    assert nobody.call("POST", "/identity-keys")["statusCode"] == 404
