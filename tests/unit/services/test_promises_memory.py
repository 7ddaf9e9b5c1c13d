"""What a warm function keeps in memory: settings for five seconds, compiled bots within bounds, nothing mixed up."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.bot.record import BotRecord
from shared.errors import Unavailable
from shared.services import published_bots, runnable_bots
from shared.services.published_bots import PublishedBots
from shared.services.runnable_bots import CompiledBots
from tests.factories import a_response, an_authoring
from tests.fakes import MemoryBots, MemoryDocuments, MemoryTurns

SECOND = 1_000_000_000


class Clock:
    now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bots() -> MemoryBots:
    return MemoryBots(MemoryTurns())


@pytest.fixture
def documents() -> MemoryDocuments:
    return MemoryDocuments()


@pytest.fixture
def authoring(bots: MemoryBots, documents: MemoryDocuments) -> Any:
    return an_authoring(bots=bots, turns=bots.turns, documents=documents)


def a_file(text: str) -> bytes:
    nodes = [{"id": 1, "type": "entry", "data": {}, "next": [{"nodeId": 2}]}, a_response(2, text)]
    return json.dumps(
        {"title": text, "flows": [{"id": 1, "title": "처음", "nodes": nodes}], "preference": {"entryFlowId": 1}}
    ).encode()


def published(authoring: Any, bot_id: str, text: str) -> BotRecord:
    authoring.import_file(bot_id, a_file(text))
    record: BotRecord = authoring.publish(bot_id)
    return record


# ---- settings


@pytest.mark.parametrize("change", ["publish", "roll_back", "delete"])
def test_a_change_is_seen_after_five_seconds_and_not_read_before(
    bots: MemoryBots, authoring: Any, clock: Clock, change: str
) -> None:
    published(authoring, "shop", "하나")
    published(authoring, "shop", "둘")
    memory = PublishedBots(bots, clock)
    known = memory.get("shop")
    if change == "publish":
        authoring.import_file("shop", a_file("셋"))
    getattr(authoring, change)("shop")
    reads = bots.reads
    clock.now = 5 * SECOND - 1
    assert memory.get("shop") is known
    assert bots.reads == reads
    clock.now = 5 * SECOND
    assert memory.get("shop") == bots.records["shop"] != known


def test_an_id_that_nobody_owns_is_read_once_in_five_seconds(bots: MemoryBots, clock: Clock) -> None:
    memory = PublishedBots(bots, clock)
    assert [memory.get("nobody") for _ in range(3)] == [None] * 3
    assert bots.reads == 1


def test_a_bot_created_after_a_guess_is_found(bots: MemoryBots, authoring: Any, clock: Clock) -> None:
    memory = PublishedBots(bots, clock)
    assert memory.get("shop") is None
    published(authoring, "shop", "하나")
    clock.now = 5 * SECOND
    assert memory.get("shop") is not None


def test_guesses_do_not_fill_the_memory(bots: MemoryBots, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_bots, "MAX_KEPT", 3)
    memory = PublishedBots(bots, clock)
    for number in range(10):
        memory.get(f"guess-{number}")
    assert len(memory._kept) <= 3


def test_a_failed_read_is_not_remembered_and_leaves_what_is_known(
    bots: MemoryBots, authoring: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = published(authoring, "shop", "하나")
    memory = PublishedBots(bots, clock)
    memory.get("shop")
    clock.now = 5 * SECOND

    def fail(*_: Any) -> None:
        raise Unavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(bots, "get", fail)
        with pytest.raises(Unavailable):
            memory.get("shop")
        known = memory.known("shop")
    assert known is not None
    assert known.published == record.published
    assert memory.get("shop") == bots.records["shop"]


# ---- compiled bots


def load(compiled: CompiledBots, record: BotRecord) -> Any:
    assert record.published is not None
    return compiled.load(record, record.published)


def test_a_version_is_read_and_compiled_once(authoring: Any, documents: MemoryDocuments) -> None:
    record = published(authoring, "shop", "하나")
    compiled = CompiledBots(documents)
    bot = load(compiled, record)
    documents.contents.clear()
    assert load(compiled, record) is bot


def test_two_bots_of_the_same_content_are_two_bots(authoring: Any, documents: MemoryDocuments) -> None:
    compiled = CompiledBots(documents)
    one, other = published(authoring, "one", "같은"), published(authoring, "other", "같은")
    assert one.published == other.published
    assert [load(compiled, one).id, load(compiled, other).id, load(compiled, one).id] == ["one", "other", "one"]


def test_a_new_title_is_seen_without_reading_the_bot_again(authoring: Any, documents: MemoryDocuments) -> None:
    record = published(authoring, "shop", "하나")
    compiled = CompiledBots(documents)
    assert load(compiled, record).title == "하나"
    documents.contents.clear()
    assert load(compiled, replace(record, profile={"title": "새 이름"})).title == "새 이름"


def test_the_bots_used_last_are_kept_within_the_limit(
    authoring: Any, documents: MemoryDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [published(authoring, f"bot-{number}", f"{number}") for number in range(4)]
    size = len(next(iter(documents.contents.values())))
    monkeypatch.setattr(runnable_bots, "MEMORY_LIMIT", 2 * size * runnable_bots.MEMORY_PER_BYTE)
    compiled = CompiledBots(documents)
    for number in (0, 1, 0, 2, 3, 0):
        load(compiled, records[number])
    assert [bot_id for bot_id, _ in compiled._kept] == ["bot-3", "bot-0"]
    assert compiled._used == sum(size for _, size in compiled._kept.values())
    assert compiled.kept(records[1]) is None
    assert compiled.kept(records[0]) is not None


def test_a_bot_larger_than_the_limit_is_kept_alone(
    authoring: Any, documents: MemoryDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runnable_bots, "MEMORY_LIMIT", 1)
    one, other = published(authoring, "one", "하나"), published(authoring, "other", "둘")
    compiled = CompiledBots(documents)
    assert load(compiled, one) is load(compiled, one)
    load(compiled, other)
    assert list(compiled._kept) == [("other", other.published.content_hash)]  # type: ignore[union-attr]
