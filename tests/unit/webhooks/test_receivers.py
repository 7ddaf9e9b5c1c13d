"""What receivers see: CLOSER's body, Standard Webhooks' headers, and text that everybody can store."""

import json
from pathlib import Path
from typing import Any

import pytest
import time_machine
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from shared.errors import InvalidInput
from shared.webhooks.endpoint import MAX_NAME, MAX_URL, checked, switched, with_new_secret, with_url
from shared.webhooks.signature import new_secret, secret_key
from shared.webhooks.wire import to_bytes
from tests.contract.closer_receiver.company import URL
from tests.contract.closer_receiver.table import MemoryTable
from tests.factories import NOW_MS
from tests.webhook_world import NEXT_SECRET, SECRET, WEBHOOK, WebhookWorld, an_endpoint, an_event

GOLDEN = Path(__file__).parent / "golden"
DAY_MS = 86_400_000


def delivered(world: WebhookWorld, *events: dict[str, Any]):
    world.tell(*(events or [an_event()]))
    world.work()
    return world.receiver.got[-1]


class TestBody:
    def test_it_is_byte_for_byte_what_receivers_of_closer_know(self):
        posted = delivered(WebhookWorld(), an_event(1), an_event(2, text='줄\n바꿈 "따옴표" \u2028 😀'))
        assert posted.body == (GOLDEN / "delivery.json").read_bytes().rstrip(b"\n")

    def test_its_keys_are_in_closers_order(self):
        data = json.loads(delivered(WebhookWorld()).body)
        assert list(data) == ["id", "webhookId", "webhookUrl", "messages"]
        assert list(data["messages"][0])[:6] == ["id", "event", "sourceType", "sourceId", "timestamp", "data"]


class TestHeaders:
    def test_they_are_these_and_no_others(self):
        headers = delivered(WebhookWorld()).headers
        assert set(headers) == {
            "user-agent",
            "content-type",
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
        }
        assert headers["content-type"] == "application/json"
        assert headers["user-agent"] == "Malgil-Webhook/1 (compatible; CLOSER/webhook)"

    def test_a_receiver_that_demands_closers_user_agent_gets_it(self):
        headers = delivered(WebhookWorld(an_endpoint(closer_user_agent=True))).headers
        assert headers["user-agent"] == "CLOSER/webhook"

    def test_the_id_is_the_deliverys(self):
        posted = delivered(WebhookWorld())
        assert posted.headers["webhook-id"] == posted.data["id"]
        assert posted.data["webhookId"] == WEBHOOK


def verified(posted, secret: str = SECRET) -> Any:
    """By the reference library, at the time of the call."""
    with time_machine.travel(posted.at_ms / 1000, tick=False):
        return Webhook(secret).verify(posted.body, posted.headers)


class TestSignature:
    def test_the_reference_library_accepts_it(self):
        posted = delivered(WebhookWorld(), an_event(text="한글 😀 \u2028"))
        assert verified(posted) == posted.data

    def test_every_try_is_signed_anew(self):
        world = WebhookWorld()
        world.receiver.answers = [500, 500, 500]
        delivered(world)
        assert len(world.receiver.got) == 4
        for posted in world.receiver.got:
            verified(posted)

    def test_one_byte_more_is_refused(self):
        posted = delivered(WebhookWorld())
        posted.body += b" "
        with pytest.raises(WebhookVerificationError):
            verified(posted)

    def test_a_delivery_of_ten_minutes_ago_is_refused(self):
        posted = delivered(WebhookWorld())
        posted.at_ms += 600_000
        with pytest.raises(WebhookVerificationError):
            verified(posted)

    def test_for_a_day_after_a_rotation_both_secrets_verify_and_then_only_the_new_one(self):
        world = WebhookWorld(with_new_secret(an_endpoint(), NEXT_SECRET, NOW_MS))
        posted = delivered(world)
        assert len(posted.headers["webhook-signature"].split(" ")) == 2
        verified(posted, SECRET)
        verified(posted, NEXT_SECRET)
        world.clock.ms = NOW_MS + DAY_MS - 1
        verified(delivered(world, an_event(2)), SECRET)
        world.clock.ms = NOW_MS + DAY_MS
        posted = delivered(world, an_event(3))
        verified(posted, NEXT_SECRET)
        with pytest.raises(WebhookVerificationError):
            verified(posted, SECRET)

    def test_a_second_rotation_ends_the_oldest_secret_at_once(self):
        twice = with_new_secret(with_new_secret(an_endpoint(), NEXT_SECRET, NOW_MS), new_secret(bytes(32)), NOW_MS)
        posted = delivered(WebhookWorld(twice))
        verified(posted, NEXT_SECRET)
        with pytest.raises(WebhookVerificationError):
            verified(posted, SECRET)

    @pytest.mark.parametrize(
        "secret",
        ["", "whsec_", "whsec_*", SECRET.removeprefix("whsec_"), "whsec_" + "AAAA" * 7, "whsec_" + "AAAA" * 22],
    )
    def test_what_is_no_secret_of_the_specification_is_refused(self, secret):
        with pytest.raises(InvalidInput):
            secret_key(secret)


def kept(world: WebhookWorld) -> set[str]:
    """Ids of the events that CLOSER's own receiver has after everything that was posted to it."""
    table = MemoryTable()
    receiver = table.receiver()
    for posted in world.receiver.got:
        assert receiver.answer("POST", URL, posted.body).status == 200
    assert receiver.lost == []
    return table.ids()


class TestClosersOwnReceiver:
    def test_it_stores_every_event_once_however_often_it_comes(self):
        world = WebhookWorld()
        world.receiver.answers = [500, 200]
        world.tell(*[an_event(number) for number in range(1, 151)])
        world.work()
        assert len(world.receiver.got) == 3
        assert kept(world) == {event["id"] for event in map(an_event, range(1, 151))}

    @pytest.mark.parametrize("size", [10, 1_000, 20_000])
    def test_bodies_stay_below_its_limit(self, size):
        world = WebhookWorld()
        world.tell(*[an_event(number, text="가" * size) for number in range(1, 101)])
        world.work()
        assert len(kept(world)) == 100


ODD = [
    "\ud83d",
    "a\ud800b",
    "NUL\x00in",
    "\x00",
    "\ufffe\uffff",
    "\u2028\u2029",
    "\u202eabc",
    "\u3164",
    "ㅋ" * 1000,
    "각".encode().decode(),
    "\u1100\u1161\u11a8",
    "👨‍👩‍👧‍👦",
    "{{constructor}}",
    "${7*7}",
    "__proto__",
    "=1+1",
    "<img onerror>",
    "javascript:alert(1)",
    "\r\nX-Injected: 1",
    "\x1b[31m",
    "\U0010ffff",
    "\\u0000",
    "\\ud83d",
    '"\\',
]


class TestOddText:
    @pytest.mark.parametrize("text", ODD)
    def test_it_arrives_as_utf8_json_without_nul_and_lone_surrogates(self, text):
        world = WebhookWorld()
        posted = delivered(world, an_event(text=text))
        arrived = json.loads(posted.body.decode("utf-8"))["messages"][0]["data"]["message"]["data"]["text"]
        wanted = text.replace("\x00", "")
        assert arrived == "".join("\ufffd" if 0xD800 <= ord(letter) <= 0xDFFF else letter for letter in wanted)
        assert len(kept(world)) == 1
        verified(posted)

    def test_keys_are_cleaned_too_and_no_number_is_none(self):
        assert to_bytes({"a\x00\ud800": [float("nan"), float("inf"), 1.5]}) == '{"a\ufffd":[null,null,1.5]}'.encode()


class TestEndpoint:
    def test_a_name_has_40_and_a_url_255_characters(self):
        longest = an_endpoint(name="가" * MAX_NAME, url="https://a.example/".ljust(MAX_URL, "x"))
        assert checked(longest) == longest
        for wrong in (
            {"name": ""},
            {"name": "  "},
            {"name": "가" * 41},
            {"url": ""},
            {"url": "x" * 256},
            {"url": "\x00"},
        ):
            with pytest.raises(InvalidInput):
                checked(an_endpoint(**wrong))

    def test_another_url_is_a_new_revision_and_the_same_is_not(self):
        assert with_url(an_endpoint(), "https://b.example/").url_revision == 2
        assert with_url(an_endpoint(), an_endpoint().url).url_revision == 1

    def test_its_owner_switches_it_off_and_on(self):
        off = switched(an_endpoint(), enabled=False, now_ms=NOW_MS)
        assert off.disabling is not None
        assert (off.enabled, off.disabling.reason, off.disabled_at_ms) == (False, "by_owner", NOW_MS)
        assert switched(off, enabled=True, now_ms=NOW_MS) == an_endpoint()
