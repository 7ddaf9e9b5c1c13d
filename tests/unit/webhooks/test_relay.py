"""From records of the stream to messages of the topic."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.conversation.record import Occurrence, record_turn
from shared.conversation.turn import NO_STATE, Turn
from shared.engine.session import Session
from shared.engine.walk import Fact
from shared.errors import Unavailable
from shared.json_input import clean_text, plain_json
from shared.services.authoring import SYSTEM_LOG
from shared.services.relay import PATIENCE_SECONDS
from shared.storage.turn_stream import UnreadableTurn, read_turn, read_web_turn
from shared.webhooks.grouping import MAX_EVENT_BYTES, MAX_MESSAGE_BYTES, calls, messages
from tests.factories import NOW_MS
from tests.webhook_world import BOT, WebhookWorld, a_conversation_event, a_record, a_turn, an_event


@pytest.fixture
def world() -> WebhookWorld:
    return WebhookWorld()


def records_of(count: int, events_each: int = 1, **event) -> list:
    return [
        a_record(
            a_turn(
                [an_event(1 + turn * events_each + number, **event) for number in range(events_each)], revision=1 + turn
            )
        )
        for turn in range(count)
    ]


def sequences(world) -> list[int]:
    return [event["sequence"] for message in world.topic.published for event in message["events"]]


def test_a_turns_events_arrive_as_they_were_stored(world):
    event = an_event(text="배송 조회 😀")
    assert world.relay([a_record(a_turn([event]))]) is None
    assert world.topic.published == [{"botId": BOT, "events": [event]}]


def test_a_turn_without_events_is_no_message(world):
    assert world.relay([a_record(a_turn([]))]) is None
    assert world.topic.calls == []


def test_the_log_of_the_bot_itself_is_relayed_in_the_same_way(world):
    event = {**an_event(), "event": "bot.updated", "data": {"bot": {"id": BOT}}}
    assert world.relay([a_record(a_turn([event], log=SYSTEM_LOG))]) is None
    assert world.topic.published == [{"botId": BOT, "events": [event]}]


def test_a_message_holds_events_of_one_bot_in_the_order_of_its_logs(world):
    first, second = a_turn([an_event(1), an_event(2)]), a_turn([an_event(3)], revision=2)
    other = a_turn([an_event(9)], bot_id="other")
    assert world.relay([a_record(first, 1), a_record(other, 2), a_record(second, 3)]) is None
    assert [
        (message["botId"], [event["sequence"] for event in message["events"]]) for message in world.topic.published
    ] == [
        (BOT, [1, 2, 3]),
        ("other", [9]),
    ]


def test_a_message_holds_a_hundred_events_at_most(world):
    assert world.relay(records_of(25, 10)) is None
    assert [len(message["events"]) for message in world.topic.published] == [100, 100, 50]
    assert sequences(world) == list(range(1, 251))


def test_messages_and_calls_stay_within_what_sns_takes(world):
    turns = [(index, read_turn(record)) for index, record in enumerate(records_of(30, 3, text="가" * 9_000))]
    made = messages(turns)
    assert all(len(message.body().encode()) <= MAX_MESSAGE_BYTES for message in made)
    assert all(message.size >= len(message.body().encode()) for message in made)
    for call in calls(made):
        assert len(call) <= 10
        assert sum(len(message.body().encode()) for message in call) <= 256 * 1024


def test_ten_small_messages_share_a_call(world):
    records = [a_record(a_turn([an_event(number)], bot_id=f"bot-{number}"), number) for number in range(25)]
    assert world.relay(records) is None
    assert [len(call) for call in world.topic.calls] == [10, 10, 5]


def test_only_the_entries_that_failed_are_published_again(world):
    world.topic.answers = [{1: "failed"}]
    records = [a_record(a_turn([an_event(number)], bot_id=f"bot-{number}"), number) for number in range(3)]
    assert world.relay(records) is None
    assert [[message.bot_id for message in call] for call in world.topic.calls] == [
        ["bot-0", "bot-1", "bot-2"],
        ["bot-1"],
    ]


def test_what_keeps_failing_comes_again_from_the_lowest_record(world):
    world.topic.answers = [{1: "failed"}, {0: "failed"}, {0: "failed"}]
    records = [a_record(a_turn([an_event(number)], bot_id=f"bot-{number}"), number) for number in range(3)]
    assert world.relay(records) == records[1]["dynamodb"]["SequenceNumber"]
    assert len(world.faults) == 1


def test_nothing_overtakes_what_failed(world):
    world.topic.answers = [Unavailable("down")]
    records = [a_record(a_turn([an_event(number)], bot_id=f"bot-{number}"), number) for number in range(15)]
    assert world.relay(records) == records[0]["dynamodb"]["SequenceNumber"]
    assert len(world.topic.calls) == 1


def test_after_an_outage_everything_is_published_in_order(world):
    records = records_of(3)
    world.topic.answers = [Unavailable("down")] * 5
    for _ in range(5):
        assert world.relay(records) == records[0]["dynamodb"]["SequenceNumber"]
    assert world.relay(records) is None
    assert sequences(world) == [1, 2, 3]


def test_a_batch_that_comes_twice_is_published_twice_with_the_same_ids(world):
    records = records_of(2)
    world.relay(records)
    world.relay(records)
    first, second = world.topic.published
    assert first == second


def broken(how: str) -> dict:
    record = a_record(a_turn([an_event()], revision=3))
    image = record["dynamodb"]["NewImage"]
    if how == "format":
        image["f"] = {"N": "99"}
    elif how == "bytes":
        image["z"] = {"B": "AAAA"}
    elif how == "base64":
        image["z"] = {"B": "*"}
    elif how == "commit":
        image["c"] = {"B": "AA=="}
    elif how == "no image":
        del record["dynamodb"]["NewImage"]
    elif how == "another row":
        image["sk"] = {"S": "S#abc"}
    elif how == "another partition":
        image["pk"] = {"S": "nothing"}
    return record


KINDS = ["format", "bytes", "base64", "commit", "no image", "another row", "another partition"]


@pytest.mark.parametrize("how", KINDS)
def test_a_record_that_cannot_be_read_says_so(how):
    with pytest.raises(UnreadableTurn):
        read_turn(broken(how))


def test_events_of_another_shape_cannot_be_read():
    with pytest.raises(UnreadableTurn):
        read_turn(a_record(a_turn([{"id": "x"}])))


@pytest.mark.parametrize("how", KINDS)
def test_a_record_that_cannot_be_read_is_set_aside_alone_and_stops_nobody(world, how):
    records = records_of(10)
    records[2] = {**broken(how), "eventID": "3"}
    assert world.relay(records) is None
    assert sequences(world) == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert [row for row, _ in world.aside] == [records[2]["dynamodb"]["Keys"]]
    assert len(world.faults) == 1
    assert "번째" not in json.dumps(world.aside, ensure_ascii=False), "no words of end users leave the table"


def test_a_record_that_cannot_even_be_set_aside_comes_again_and_what_is_before_it_does_not(world):
    def refuse(row, reason):
        raise Unavailable("no queue")

    object.__setattr__(world.relay, "set_aside", refuse)
    records = records_of(4)
    records[2] = broken("format")
    assert world.relay(records) == records[2]["dynamodb"]["SequenceNumber"]
    assert sequences(world) == [1, 2]


def test_of_a_message_that_the_topic_refuses_only_the_turn_at_fault_is_set_aside(world):
    world.topic.answers = [{0: "refused"}, {1: "refused"}]
    assert world.relay(records_of(3)) is None
    assert [row["sk"]["S"] for row, _ in world.aside] == ["T#0000000002"]
    assert sequences(world) == [1, 3]


def test_a_refused_message_of_many_turns_is_published_in_calls_that_sns_takes(world):
    world.topic.answers = [{0: "refused"}]
    assert world.relay(records_of(25)) is None
    assert [len(call) for call in world.topic.calls] == [1, 10, 10, 5]
    assert sequences(world) == list(range(1, 26))
    assert world.aside == []


def test_a_refused_turn_that_cannot_be_set_aside_comes_again(world):
    def refuse(row, reason):
        raise Unavailable("no queue")

    object.__setattr__(world.relay, "set_aside", refuse)
    world.topic.answers = [{0: "refused"}, {1: "refused"}]
    records = records_of(3)
    assert world.relay(records) == records[0]["dynamodb"]["SequenceNumber"]


def test_an_outage_is_waited_for_so_that_the_tries_of_the_stream_last_for_hours(world):
    world.topic.answers = [Unavailable("down")]
    world.relay(records_of(1))
    world.topic.answers = [{0: "failed"}] * 3
    world.relay(records_of(1))
    assert world.slept.count(PATIENCE_SECONDS) == 2
    world.slept.clear()
    assert world.relay(records_of(1)) is None
    assert world.slept == []


class TestAnEventThatIsTooLarge:
    def test_the_second_copy_of_the_parameters_goes_first(self, world):
        event = a_conversation_event({"memo": "가" * 50_000})
        assert world.relay([a_record(a_turn([event]))]) is None
        ((sent,),) = [message["events"] for message in world.topic.published]
        assert sent["omitted"] == ["data.conversation.context.params"]
        assert sent["data"]["conversation"]["context"]["params"] == {}
        assert sent["data"]["conversation"]["params"] == event["data"]["conversation"]["params"]

    def test_then_the_parameters_and_what_is_left_says_so(self, world):
        event = a_conversation_event({"memo": "가" * 100_000})
        assert world.relay([a_record(a_turn([event]))]) is None
        ((sent,),) = [message["events"] for message in world.topic.published]
        assert sent["omitted"] == ["data.conversation.context.params", "data.conversation.params"]
        for key in ("id", "event", "sourceId", "timestamp", "sequence"):
            assert sent[key] == event[key]
        assert sent["data"]["conversation"]["id"] == "c"

    def test_a_long_message_keeps_its_ids_and_its_kind(self, world):
        event = an_event(text="가" * 200_000)
        assert world.relay([a_record(a_turn([event]))]) is None
        ((sent,),) = [message["events"] for message in world.topic.published]
        assert sent["omitted"] == ["data.message.data.text"]
        assert sent["data"]["message"]["data"] == {"type": "text", "text": ""}
        assert sent["data"]["message"]["id"] == event["data"]["message"]["id"]

    def test_it_fits_and_is_the_same_at_every_replay(self, world):
        event = a_conversation_event({f"key{number}": "x" * 5_000 for number in range(100)})
        record = a_record(a_turn([event]))
        world.relay([record])
        world.relay([record])
        first, second = world.topic.published
        assert first == second
        assert len(json.dumps(first["events"][0], ensure_ascii=False).encode()) <= MAX_EVENT_BYTES


@pytest.mark.parametrize("text", ["\ufffe", "\uffff", "a\x00b", "\u2028\u2029", "\x1b[31m", "\U0010ffff", "\x7f\x80"])
def test_no_character_of_an_end_user_makes_a_message_that_sns_refuses(world, text):
    assert world.relay([a_record(a_turn([an_event(text=text)]))]) is None
    ((call,),) = world.topic.calls
    allowed = [(0x9, 0xA), (0xD, 0xD), (0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF)]
    assert all(any(low <= ord(character) <= high for low, high in allowed) for character in call.body())
    ((sent,),) = [message["events"] for message in world.topic.published]
    assert sent["data"]["message"]["data"]["text"] == text.replace("\x00", "")


class TestEventsAsTheyWereWritten:
    """The relay cuts a turn's events out of its body; what it gets is what a parser would have got."""

    @staticmethod
    def parsed(turn) -> list:
        return [json.loads(event) for event in read_turn(a_record(turn)).events]

    @pytest.mark.parametrize(
        "text",
        [
            "안녕",
            '"events":[{"id":"',
            '},{"id":"00000000","event":"',
            "]}",
            '"sequence":1}],"gives":[1]}',
            "\\",
            "{}[]",
            "\u2028\x00\ufffe",
        ],
    )
    @pytest.mark.parametrize("gives", [(), (1,), (1, 2, 3), tuple(range(1, 200))])
    def test_whatever_an_end_user_types(self, text, gives):
        turn = a_real_turn(text, gives)
        assert len(turn.events) >= 4
        assert self.parsed(turn) == turn.events

    @given(st.text(), st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text()), max_size=5))
    def test_any_text_and_parameters(self, text, params):
        turn = a_real_turn(clean_text(text), (), {clean_text(key): plain_json(value) for key, value in params.items()})
        assert self.parsed(turn) == turn.events

    def test_a_parameter_called_events(self):
        turn = a_real_turn("안녕", (), {"events": [{"id": "1", "event": "x"}], "gives": [1]})
        assert self.parsed(turn) == turn.events


def a_real_turn(text, gives, params=None) -> Turn:
    """The first turn of somebody who says `text` and is answered with it."""
    session = Session(
        conversation_id="00000000-0000-4000-8000-000000000001",
        created_at_ms=NOW_MS,
        updated_at_ms=NOW_MS,
        params=params if params is not None else {"said": text},
    )
    happened = Occurrence(
        bot_id=BOT,
        log="l" * 16,
        platform="web",
        user_key="kim",
        at_ms=NOW_MS,
        said={"type": "text", "text": text},
        client_id=None,
        session=session,
        messages=[{"data": {"type": "text", "text": text}, "meta": None}],
        facts=[Fact("conversation.created", session)],
        bot_version="v1",
        gives=gives,
    )
    return record_turn(NO_STATE, happened, revision=1, commit="6d0f3c3e-8b1c-4a57-9f0e-0a4b5c6d7e8f")


def test_sockets_are_told_of_what_is_published_and_of_nothing_that_comes_again(world):
    told: list[dict[str, Any]] = []
    relay = replace(world.relay, push=told.extend)
    records = records_of(3)
    assert relay(records) is None
    assert told == records
    told.clear()
    world.topic.answers = [Unavailable("down")]
    assert relay(records) == records[0]["dynamodb"]["SequenceNumber"]
    assert told == []


def test_a_turn_of_the_web_is_told_from_others_and_read_whole():
    turn = a_turn([an_event()])
    assert read_web_turn(a_record(replace(turn, platform="kakao", inbound={"id": "x", "data": FORGED}))) is None
    found = read_web_turn(a_record(replace(turn, platform="web", user_key="kim")))
    assert found is not None
    assert found.turn is not None
    assert (found.turn.platform, found.turn.user_key, found.revision) == ("web", "kim", turn.revision)
    with pytest.raises(UnreadableTurn):
        read_web_turn({"dynamodb": {}})


FORGED = {"type": "text", "text": '"platform":"web","userKey":', "payload": {"platform": "web", "userKey": "x"}}
