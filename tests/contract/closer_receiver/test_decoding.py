"""What CLOSER's receiver takes, loses and answers: the rules that our deliveries are held against."""

import json
import uuid
from typing import Any

import pytest

from tests.contract.closer_receiver.receiver import MAX_BODY_BYTES, PATH, Answer, decode
from tests.contract.closer_receiver.table import MemoryTable

URL = f"http://dashboard.example{PATH}"
OK = Answer(200, "OK")
BAD = Answer(400, "400 bad request\nOK")
ID = "c22453d4-1a5b-599d-8645-6b32813e4b23"
AT_MS = 1_795_219_200_123


def event(**overrides: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "event": "bot.message.sent",
        "sourceType": "bot",
        "sourceId": "shop",
        "timestamp": AT_MS,
        "data": {"message": {"id": "m"}},
        **overrides,
    }


def body(*events: Any, **overrides: Any) -> bytes:
    return json.dumps({"id": "d", "webhookId": "w", "webhookUrl": URL, "messages": list(events), **overrides}).encode()


def another(**overrides: Any) -> dict[str, Any]:
    return event(id=str(uuid.UUID(int=1, version=4)), **overrides)


def test_a_delivery_is_stored_and_answered_with_ok(table) -> None:
    assert table.receiver().answer("POST", URL, body(event())) == OK
    assert table.ids() == {ID}
    assert table.data_of(ID) == {"message": {"id": "m"}}


def test_a_time_with_a_fraction_is_refused_and_the_rest_is_kept_all_the_same(table) -> None:
    receiver = table.receiver()
    raw = body(event(timestamp=float(AT_MS)), another())
    assert b"1795219200123.0" in raw
    assert receiver.answer("POST", URL, raw) == BAD
    assert len(table.ids()) == 2
    assert [row.timestamp for row in receiver.taken[0].rows] == [
        "1970-01-01T00:00:00+00:00",
        "2026-11-21T00:00:00+00:00",
    ]


@pytest.mark.parametrize("wrong", [1.5, 2**63, "1795219200123", True, {}])
def test_a_time_is_an_integer_of_64_bits(wrong) -> None:
    assert decode(body(event(timestamp=wrong))).faults == ["messages[0].timestamp"]


@pytest.mark.parametrize("name", ["id", "event", "sourceId", "sourceType"])
def test_ids_and_names_are_texts(name) -> None:
    assert decode(body(event(**{name: 7}))).faults == [f"messages[0].{name}"]


def test_what_is_null_or_missing_is_empty_and_no_fault() -> None:
    decoded = decode(body(event(event=None), {}))
    assert decoded.faults == []
    assert [row.event for row in decoded.rows] == ["", ""]


def test_names_are_read_in_any_case() -> None:
    """A key that differs from a known one only in its case would be taken for it."""
    assert decode(body({**event(), "TIMESTAMP": "now"})).faults == ["messages[0].timestamp"]


def test_unknown_fields_are_passed_over(table) -> None:
    assert table.receiver().answer("POST", URL, body(event(sequence=3, omitted=["data"]), trial=1)) == OK
    assert table.ids() == {ID}


def test_an_event_that_comes_again_changes_nothing_and_is_no_fault(table) -> None:
    receiver = table.receiver()
    assert receiver.answer("POST", URL, body(event(), event(data={"message": {"id": "other"}}))) == OK
    assert receiver.answer("POST", URL, body(event())) == OK
    assert (table.ids(), receiver.lost) == ({ID}, [])
    assert table.data_of(ID) == {"message": {"id": "m"}}


@pytest.mark.parametrize(
    "wrong",
    [{"id": "message-1"}, {"event": "e" * 256}, {"sourceId": "가" * 256}, {"data": {"a": "\x00"}}, {"id": None}],
)
def test_what_the_table_does_not_hold_is_lost_though_the_answer_is_ok(table, wrong) -> None:
    receiver = table.receiver()
    assert receiver.answer("POST", URL, body(event(**wrong), another())) == OK
    assert len(receiver.lost) == 1
    assert table.ids() == {another()["id"]}


def test_numbers_of_data_are_floats_in_between(table) -> None:
    data = {"whole": AT_MS, "half": 1.5, "large": 2**60 + 1, "tiny": 1e-7, "flag": True, "none": None}
    table.receiver().answer("POST", URL, body(event(data=data)))
    assert table.data_of(ID) == {**data, "large": 2**60}


def test_half_a_surrogate_pair_becomes_a_replacement_character(table) -> None:
    table.receiver().answer("POST", URL, body(event(data={"text": "a\ud83d"})))
    assert table.data_of(ID) == {"text": "a\ufffd"}


@pytest.mark.parametrize("raw", [b"", b"{", b"[1", b"NaN", b'{"messages": [NaN]}', b'{"a": "\n"}'])
def test_what_is_no_json_is_answered_with_400_and_nothing_is_kept(raw) -> None:
    table = MemoryTable()
    assert table.receiver().answer("POST", URL, raw) == BAD
    assert table.ids() == set()


@pytest.mark.parametrize("raw", [b"[]", b"7", b'{"messages": {}}', b'{"messages": [7]}'])
def test_json_of_another_shape_is_answered_with_400(raw) -> None:
    assert MemoryTable().receiver().answer("POST", URL, raw) == BAD


def test_only_the_first_value_of_a_body_is_read() -> None:
    table = MemoryTable()
    assert table.receiver().answer("POST", URL, body(event()) + b" }}") == OK
    assert table.ids() == {ID}


def test_only_posts_to_its_path_are_deliveries() -> None:
    receiver = MemoryTable().receiver()
    assert receiver.answer("GET", "http://dashboard.example/health") == OK
    for method, path in (("GET", PATH), ("PUT", PATH), ("POST", "/"), ("POST", f"{PATH}/")):
        assert receiver.answer(method, f"http://dashboard.example{path}", body(event())).status == 404


def test_a_body_has_at_most_a_megabyte() -> None:
    receiver = MemoryTable().receiver()
    assert receiver.answer("POST", URL, b" " * MAX_BODY_BYTES).status == 400
    assert receiver.answer("POST", URL, b" " * (MAX_BODY_BYTES + 1)).status == 413


@pytest.mark.parametrize("url", [f"https://dashboard.example{PATH}", f"http://dashboard.example:3000{PATH}"])
def test_nothing_but_plain_http_listens(url) -> None:
    with pytest.raises(ConnectionRefusedError):
        MemoryTable().receiver().answer("POST", url, body(event()))
