"""What bot authors may rely on, on real storage semantics: races, deletions, lists, sizes."""

import itertools
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.bot.record import BotRecord
from shared.errors import Conflict, InvalidBot, NotFound
from shared.runtime import wiring
from shared.services.authoring import HISTORY_KEPT, SYSTEM_LOG, Authoring
from shared.storage.bots import DynamoBots
from tests.factories import a_node, a_response
from tests.integration.conftest import forget_wiring
from tests.integration.phones import Caller


@pytest.fixture
def bot_id() -> str:
    return f"bot-{uuid.uuid4().hex[:8]}"


def a_file(text: str = "안녕", **profile: Any) -> bytes:
    nodes = [a_node(1, "entry", {}, 2), a_response(2, text)]
    flows = [{"id": 1, "nodes": nodes}]
    return json.dumps({"title": "봇", **profile, "flows": flows, "preference": {"entryFlowId": 1}}).encode()


def events(bot_id: str) -> list[dict[str, Any]]:
    """What the bot's `_sys` log tells, in order."""
    turns = wiring.turns()
    newest = turns.newest(bot_id, SYSTEM_LOG)
    logged = [turns.get(bot_id, SYSTEM_LOG, revision) for revision in range(1, (newest.revision if newest else 0) + 1)]
    assert None not in logged, "the log has no gaps"
    return [event for turn in logged if turn is not None for event in turn.events]


class RacingBots(DynamoBots):
    """Somebody else changes the bot just before our first write."""

    rival: Callable[[], object] | None = None

    def _give_way(self) -> None:
        rival, self.rival = self.rival, None
        if rival is not None:
            rival()

    def save(self, record: BotRecord, **beside: Any) -> None:
        self._give_way()
        super().save(record, **beside)


@pytest.fixture
def racing(authoring: Authoring) -> tuple[Authoring, RacingBots]:
    bots = RacingBots(wiring.turns())
    return replace(authoring, bots=bots), bots


def test_an_import_that_races_with_a_publish_lands_after_it(
    authoring: Authoring, racing: tuple[Authoring, RacingBots], bot_id: str
) -> None:
    slow, bots = racing
    authoring.import_file(bot_id, a_file("하나"))
    bots.rival = lambda: authoring.publish(bot_id)
    slow.import_file(bot_id, a_file("둘"))
    record = authoring.get(bot_id)
    assert record.latest is not None
    assert record.published is not None
    assert (record.latest.number, record.published.number) == (2, 1)


def test_a_publish_that_races_with_an_import_changes_nothing_and_says_so(
    authoring: Authoring, racing: tuple[Authoring, RacingBots], bot_id: str
) -> None:
    slow, bots = racing
    authoring.import_file(bot_id, a_file("하나"))
    bots.rival = lambda: authoring.import_file(bot_id, a_file("둘"))
    with pytest.raises(Conflict):
        slow.publish(bot_id)
    assert authoring.get(bot_id).published is None
    assert events(bot_id) == []


@pytest.mark.parametrize("first", ["publish", "roll_back", "delete"])
@pytest.mark.parametrize("second", ["publish", "roll_back", "delete"])
def test_of_two_changes_at_once_one_is_told_and_the_other_refused(
    authoring: Authoring, racing: tuple[Authoring, RacingBots], bot_id: str, first: str, second: str
) -> None:
    slow, bots = racing
    for text in ("하나", "둘"):
        authoring.import_file(bot_id, a_file(text))
        authoring.publish(bot_id)
    authoring.import_file(bot_id, a_file("셋"))
    bots.rival = lambda: getattr(authoring, first)(bot_id)
    with pytest.raises(Conflict):
        getattr(slow, second)(bot_id)
    told = events(bot_id)
    assert [event["event"] for event in told] == [
        "bot.updated",
        "bot.updated",
        "bot.deleted" if first == "delete" else "bot.updated",
    ]
    assert [event["sequence"] for event in told] == [1, 2, 3]


def test_deleting_twice_tells_once(authoring: Authoring, bot_id: str) -> None:
    authoring.import_file(bot_id, a_file())
    authoring.delete(bot_id)
    with pytest.raises(NotFound):
        authoring.delete(bot_id)
    assert [event["event"] for event in events(bot_id)] == ["bot.deleted"]


def test_a_deleted_bot_that_is_imported_again_is_a_draft_until_it_is_published(
    authoring: Authoring, bot_id: str
) -> None:
    authoring.import_file(bot_id, a_file())
    authoring.publish(bot_id)
    caller = Caller(bot_id, authoring.connect_kakao(bot_id))
    authoring.delete(bot_id)
    authoring.import_file(bot_id, a_file())
    assert caller.say("안녕") == ["이 챗봇은 아직 게시되지 않았습니다."]
    authoring.publish(bot_id)
    forget_wiring()
    assert caller.say("안녕") == ["안녕"]
    told = [event["event"] for event in events(bot_id)]
    assert told == ["bot.updated", "bot.updated", "bot.deleted", "bot.updated"], (
        "published, connected, deleted, published"
    )


def test_the_list_has_the_last_changed_bot_first_and_no_deleted_one(authoring: Authoring) -> None:
    names = [f"bot-{uuid.uuid4().hex[:8]}" for _ in range(3)]
    milliseconds = itertools.count(1_795_219_200_000)
    dated = replace(authoring, now_ms=lambda: next(milliseconds))
    for text, name in enumerate((*names, names[0])):
        dated.import_file(name, a_file(f"{text}"))
    authoring.delete(names[1])
    assert [record.bot_id for record in authoring.bots if record.bot_id in names] == [names[0], names[2]]


def test_a_record_that_somebody_changed_meanwhile_is_not_stored(authoring: Authoring, bot_id: str) -> None:
    authoring.import_file(bot_id, a_file("하나"))
    stale = authoring.get(bot_id)
    authoring.import_file(bot_id, a_file("둘"))
    with pytest.raises(Conflict):
        authoring.bots.save(replace(stale, profile={"title": "alt"}))


def test_however_often_a_bot_is_published_its_row_stays_small(authoring: Authoring, bot_id: str) -> None:
    for number in range(HISTORY_KEPT + 3):
        authoring.import_file(bot_id, a_file(str(number)))
        authoring.publish(bot_id)
    record = authoring.get(bot_id)
    assert len(record.history) == HISTORY_KEPT
    assert len(json.dumps(record.to_json())) < 2_000
    assert authoring.bots.version(bot_id, 1) is not None


def test_a_description_that_no_row_can_hold_is_refused_by_name(authoring: Authoring, bot_id: str) -> None:
    with pytest.raises(InvalidBot, match="description"):
        authoring.import_file(bot_id, a_file(description="x" * 450_000))
    with pytest.raises(NotFound):
        authoring.get(bot_id)
