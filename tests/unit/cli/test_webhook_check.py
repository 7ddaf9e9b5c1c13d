"""What a receiver believes: the signature of these bytes, by a secret that it knows, just now."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cli.webhook_check import Memory, Noted, Trust, check, read_delivery
from shared.errors import InvalidInput
from shared.webhooks import signature
from shared.webhooks.delivery import MAX_BODY_BYTES, batches, body, make
from tests.webhook_world import BOT, NEXT_SECRET, SECRET, WEBHOOK, a_conversation_event, an_event

NOW_S = 1_795_219_200


def a_delivery(*events: dict[str, Any], secrets: tuple[str, ...] = (SECRET,)) -> tuple[dict[str, str], bytes]:
    """Headers and body as the sender makes them."""
    (batch,) = batches(events or (an_event(),))
    delivery = make(BOT, WEBHOOK, batch)
    sent = body(delivery, "http://127.0.0.1:8790/")
    headers = signature.headers(
        secrets=secrets,
        delivery_id=delivery.key.delivery_id,
        timestamp_s=NOW_S,
        body=sent,
        closer_user_agent=False,
    )
    return headers, sent


def trust(headers: dict[str, str], sent: bytes, *secrets: str, now_s: int = NOW_S) -> Trust:
    return check(secrets or (SECRET,), headers, sent, now_s)


def test_what_the_sender_signed_is_verified() -> None:
    assert trust(*a_delivery()) == "verified"


def test_during_a_rotation_either_secret_verifies() -> None:
    headers, sent = a_delivery(secrets=(NEXT_SECRET, SECRET))
    assert trust(headers, sent, SECRET) == "verified"
    assert trust(headers, sent, NEXT_SECRET) == "verified"


def test_of_several_secrets_one_suffices() -> None:
    assert trust(*a_delivery(), NEXT_SECRET, SECRET) == "verified"


def test_one_other_byte_is_a_wrong_signature() -> None:
    headers, sent = a_delivery()
    assert trust(headers, sent.replace(BOT.encode(), b"shap", 1)) == "wrong_signature"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_id_and_time_are_signed_too(name: str) -> None:
    headers, sent = a_delivery()
    assert trust({**headers, name: "1795219201"}, sent) == "wrong_signature"


def test_the_signature_of_somebody_else_is_wrong() -> None:
    assert trust(*a_delivery(), NEXT_SECRET) == "wrong_signature"


@pytest.mark.parametrize(
    ("later_s", "expected"),
    [(300, "verified"), (301, "too_old"), (-300, "verified"), (-301, "too_new")],
)
def test_a_signature_is_good_for_five_minutes_either_way(later_s: int, expected: Trust) -> None:
    assert trust(*a_delivery(), now_s=NOW_S + later_s) == expected


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, "", "각"])
def test_without_its_three_headers_nothing_can_be_verified(name: str, value: str | None) -> None:
    headers, sent = a_delivery()
    changed = {key: given for key, given in {**headers, name: value}.items() if given is not None}
    assert trust(changed, sent) == "no_header"


@pytest.mark.parametrize("value", ["-1", "1.5", "soon", "9" * 5_000, "²"])
def test_a_time_that_is_none_is_no_header(value: str) -> None:
    headers, sent = a_delivery()
    assert trust({**headers, "webhook-timestamp": value}, sent) == "no_header"


def test_without_a_secret_nothing_is_checked() -> None:
    headers, sent = a_delivery()
    assert check((), headers, sent, NOW_S) == "unchecked"


def test_the_senders_body_is_read_with_all_its_events() -> None:
    _, sent = a_delivery(an_event(1, text="배송 언제 와요?"), an_event(2))
    delivery = read_delivery(sent)
    assert delivery.webhook_id == WEBHOOK
    assert [event.sequence for event in delivery.events] == [1, 2]
    assert delivery.events[0].raw == an_event(1, text="배송 언제 와요?")


def test_events_of_closer_have_no_sequence() -> None:
    event = {key: value for key, value in an_event().items() if key != "sequence"}
    assert read_delivery(a_delivery_of(event)).events[0].sequence is None


def a_delivery_of(*messages: Any) -> bytes:
    return json.dumps({"id": "d", "webhookId": "w", "messages": messages}).encode()


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        (b"", "line 1"),
        (b"[]", "body: an object"),
        (b'{"webhookId": "w", "messages": []}', "id: a string"),
        (b'{"id": "d", "webhookId": "w", "messages": {}}', "messages: an array"),
        (a_delivery_of(1), r"messages\[0\]: an object"),
        (a_delivery_of(an_event(), {**an_event(), "data": None}), r"messages\[1\]\.data: an object"),
        (a_delivery_of({**an_event(), "timestamp": True}), r"messages\[0\]\.timestamp: an integer"),
        (a_delivery_of({**an_event(), "timestamp": 10**15}), r"messages\[0\]\.timestamp: milliseconds"),
        (a_delivery_of({**an_event(), "sequence": "1"}), r"messages\[0\]\.sequence: an integer"),
        (b" " * (MAX_BODY_BYTES + 1), "at most"),
        (b"[" * 100_000, "nested deeper"),
    ],
)
def test_what_is_no_delivery_is_refused_with_its_place(sent: bytes, place: str) -> None:
    with pytest.raises(InvalidInput, match=place):
        read_delivery(sent)


def noted(memory: Memory, *numbers: int, end_user_id: str = "e") -> list[Noted]:
    sent = a_delivery_of(*[an_event(number, end_user_id=end_user_id) for number in numbers])
    return [memory.note(event) for event in read_delivery(sent).events]


def test_an_event_that_comes_again_is_known_by_its_id() -> None:
    memory = Memory()
    assert noted(memory, 1, 2, 1) == [Noted(), Noted(), Noted(is_repeat=True)]


def test_numbers_that_were_left_out_are_missing_until_they_come() -> None:
    memory = Memory()
    assert noted(memory, 4, 5, 8) == [Noted(), Noted(), Noted(missing=(6, 7))]
    assert memory.missing() == {"e": [(6, 7)]}
    assert noted(memory, 7) == [Noted(is_late=True)]
    assert memory.missing() == {"e": [(6, 6)]}
    noted(memory, 6)
    assert memory.missing() == {}


def test_every_end_user_is_counted_alone_and_so_is_the_bot() -> None:
    memory = Memory()
    noted(memory, 1, 2)
    sent = a_delivery_of(an_event(7, end_user_id="other"), {**a_conversation_event({}), "data": {}, "sequence": 9})
    assert [memory.note(event) for event in read_delivery(sent).events] == [Noted(), Noted()]


@given(st.permutations(range(1, 12)))
def test_whatever_the_order_nothing_is_missing_once_all_have_come(numbers: list[int]) -> None:
    memory = Memory()
    noted(memory, *numbers)
    assert memory.missing() == {}
