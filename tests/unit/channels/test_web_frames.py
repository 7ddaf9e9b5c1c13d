"""Frames of the web chat: what is taken, what is refused with its place, and what is left out to fit."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.channels.web import frames
from shared.channels.web.frames import MAX_FRAME, fitting, frame_bytes, parse_frame
from shared.errors import InvalidInput

FAMILY = "👨‍👩‍👧‍👦"


def parsed(**given: Any) -> Any:
    return parse_frame(json.dumps(given, ensure_ascii=False))[0]


def test_each_frame_becomes_its_type() -> None:
    assert parsed(type="start") == frames.Start()
    assert parsed(type="start", params={"a": None}, restart=True, rev=3, clientId="c") == frames.Start(
        params={"a": None}, restart=True, rev=3, client_id="c"
    )
    assert parsed(type="message", clientId="c", data={"text": "안녕"}) == frames.Say(
        client_id="c", data={"type": "text", "text": "안녕"}
    )
    assert parsed(type="navigate", flowId=3, nodeId=4, force=True) == frames.Navigate(flow_id=3, node_id=4, force=True)
    assert parsed(type="params", params={"a": 1}) == frames.SetParams(params={"a": 1})
    assert parsed(type="sync", rev=0) == frames.Sync(rev=0)
    assert parsed(type="read", rev=7) == frames.Read(rev=7)
    assert (parsed(type="typing"), parsed(type="ping")) == (frames.Typing(), frames.Ping())


def test_a_place_is_taken_and_what_is_unknown_in_it_left_out() -> None:
    place = {"title": "집", "latitude": 37.5, "longitude": 127, "zoom": 3}
    found = parsed(type="message", clientId="c", data={"type": "location", "location": place})
    assert found.data == {"type": "location", "location": {"title": "집", "latitude": 37.5, "longitude": 127}}


def test_a_picture_keeps_the_name_of_its_file() -> None:
    picture = {"contentType": "image", "uri": "https://a/b.png", "altText": "b.png", "width": 3}
    found = parsed(type="message", clientId="c", data={"type": "media", "media": picture})
    assert found.data["media"] == {"contentType": "image", "uri": "https://a/b.png", "altText": "b.png"}


def test_a_text_has_a_thousand_characters_as_people_count_them() -> None:
    assert isinstance(parsed(type="message", clientId="c", data={"text": FAMILY * 1_000}), frames.Say)
    refused = parsed(type="message", clientId="c", data={"text": FAMILY * 1_001})
    assert (refused.code, str(refused)) == ("too_large", "data.text: at most 1000 characters are accepted")


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"type": "message", "data": {"text": "안녕"}}, "clientId"),
        ({"type": "message", "clientId": "", "data": {"text": "안녕"}}, "clientId"),
        ({"type": "message", "clientId": "x" * 91, "data": {"text": "안녕"}}, "clientId"),
        ({"type": "message", "clientId": 3, "data": {"text": "안녕"}}, "clientId"),
        ({"type": "message", "clientId": "c"}, "data"),
        ({"type": "message", "clientId": "c", "data": {"text": " "}}, "data.text"),
        ({"type": "message", "clientId": "c", "data": {"type": "cards"}}, "data.type"),
        ({"type": "message", "clientId": "c", "data": {"text": "a", "payload": "x" * 1_001}}, "data.payload"),
        ({"type": "message", "clientId": "c", "data": {"type": "media", "media": {}}}, "data.media.uri"),
        (
            {"type": "message", "clientId": "c", "data": {"type": "media", "media": {"contentType": "video"}}},
            "data.media.contentType",
        ),
        (
            {"type": "message", "clientId": "c", "data": {"type": "media", "media": {"uri": "u", "altText": 3}}},
            "data.media.altText",
        ),
        (
            {"type": "message", "clientId": "c", "data": {"type": "location", "location": {"latitude": 91}}},
            "data.location.latitude",
        ),
        ({"type": "navigate"}, "flowId"),
        ({"type": "navigate", "flowId": True}, "flowId"),
        ({"type": "navigate", "flowId": 1, "force": "yes"}, "force"),
        ({"type": "params"}, "params"),
        ({"type": "params", "params": {"a b": 1}}, "params.a b"),
        ({"type": "sync"}, "rev"),
        ({"type": "sync", "rev": -1}, "rev"),
        ({"type": "sync", "rev": 1.5}, "rev"),
        ({"type": ["message"]}, "type"),
        ({}, "type"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(given: dict[str, Any], place: str) -> None:
    refused = parsed(**given)
    assert isinstance(refused, InvalidInput)
    assert str(refused).startswith(f"{place}:")


def test_a_refusal_knows_which_message_it_is_about() -> None:
    assert parse_frame('{"type": "message", "clientId": "c-1"}')[1] == "c-1"


def test_a_frame_has_32_kb() -> None:
    frame = json.dumps({"type": "ping"}).ljust(MAX_FRAME)
    assert parse_frame(frame)[0] == frames.Ping()
    refused = parse_frame(frame + " ")[0]
    assert isinstance(refused, frames.TooLarge)


@given(st.one_of(st.text(), st.binary(), st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps)))
def test_whatever_comes_is_parsed_or_refused(raw: str | bytes) -> None:
    found, _ = parse_frame(raw)
    assert isinstance(found, InvalidInput | frames.ClientFrame)


def test_the_largest_parts_are_left_out_first_and_no_more_than_needed() -> None:
    messages = [{"id": str(size), "data": {"text": "가" * size}, "meta": None} for size in (10, 9_000, 20, 3_000)]
    frame = {"type": "messages", "messages": messages, "keyboard": {"type": "buttons"}}
    fitted = fitting(frame)
    assert len(frame_bytes(fitted)) <= MAX_FRAME
    assert [message.get("tooLarge", False) for message in fitted["messages"]] == [False, True, False, False]
    assert fitted["messages"][1] == {"id": "9000", "tooLarge": True}
    assert fitting({**frame, "messages": []}) == {**frame, "messages": []}


def test_a_keyboard_or_parameters_that_are_too_large_are_left_out() -> None:
    large = "x" * MAX_FRAME
    frame = {"type": "context", "messages": [], "keyboard": {"type": "buttons", "buttons": [large]}}
    assert fitting(frame)["keyboard"] == {"type": "buttons", "tooLarge": True}
    frame = {"type": "context", "messages": [], "context": {"botId": "b", "params": {"a": large}}}
    assert fitting(frame)["context"] == {"botId": "b", "tooLarge": True}
