"""Importing, publishing, rolling back, connecting: versions by content, events by transaction."""

import json
from typing import Any

import pytest

from shared.bot.document import JsonObject
from shared.errors import Conflict, InvalidBot, InvalidInput, NotFound
from shared.services.authoring import Authoring
from tests.factories import DATA, a_node, a_response, an_authoring
from tests.fakes import MemoryBots, MemoryTurns


def a_file(text: str = "안녕", title: str = "봇") -> bytes:
    return json.dumps(
        {
            "title": title,
            "flows": [{"id": 1, "nodes": [a_node(1, "entry", {}, 2), a_response(2, text)]}],
            "preference": {"entryFlowId": 1},
        }
    ).encode()


BROKEN = (DATA / "closer" / "flow_postback_navigation.json").read_bytes()


@pytest.fixture
def turns() -> MemoryTurns:
    return MemoryTurns()


@pytest.fixture
def authoring(turns: MemoryTurns) -> Authoring:
    return an_authoring(turns=turns)


def test_an_import_is_a_draft_and_nobody_meets_it_yet(authoring: Authoring) -> None:
    imported = authoring.import_file("shop", a_file())
    assert imported.is_new_version
    assert imported.record.latest is not None
    assert imported.record.latest.number == 1
    assert imported.record.published is None


def test_the_same_file_again_changes_nothing(authoring: Authoring) -> None:
    first = authoring.import_file("shop", a_file()).record
    again = authoring.import_file("shop", a_file())
    assert not again.is_new_version
    assert again.record == authoring.get("shop")
    assert again.record.latest == first.latest


def test_another_content_is_a_new_version(authoring: Authoring) -> None:
    authoring.import_file("shop", a_file("하나"))
    assert authoring.import_file("shop", a_file("둘")).record.latest.number == 2  # type: ignore[union-attr]


def test_another_title_is_no_new_version(authoring: Authoring) -> None:
    authoring.import_file("shop", a_file(title="예전"))
    imported = authoring.import_file("shop", a_file(title="새 이름"))
    assert not imported.is_new_version
    assert authoring.get("shop").profile["title"] == "새 이름"


def test_a_bot_with_errors_is_imported_and_its_errors_named(authoring: Authoring) -> None:
    imported = authoring.import_file("nav", BROKEN)
    assert [str(problem) for problem in imported.problems] == ["flows[0].nodes[2].data.flowId: no flow 2"]


def test_publishing_a_bot_with_errors_is_refused_with_all_of_them(authoring: Authoring) -> None:
    authoring.import_file("nav", BROKEN)
    with pytest.raises(InvalidBot, match=r"flows\[0\].nodes\[2\].data.flowId: no flow 2"):
        authoring.publish("nav")


def sys_events(turns: MemoryTurns, bot_id: str = "shop") -> list[JsonObject]:
    return [event for turn in turns.log(bot_id, "_sys") for event in turn.events]


def test_publishing_is_one_transaction_with_its_event(authoring: Authoring, turns: MemoryTurns) -> None:
    authoring.import_file("shop", a_file())
    record = authoring.publish("shop")
    assert record.published == record.latest
    (event,) = sys_events(turns)
    assert (event["event"], event["sourceId"], event["sequence"]) == ("bot.updated", "shop", 1)
    assert event["data"]["bot"]["title"] == "봇"
    assert event["data"]["bot"]["deletedAt"] is None


def test_publishing_twice_is_one_change(authoring: Authoring, turns: MemoryTurns) -> None:
    authoring.import_file("shop", a_file())
    authoring.publish("shop")
    authoring.publish("shop")
    assert len(sys_events(turns)) == 1


def test_when_the_turn_cannot_be_written_nothing_is_published(authoring: Authoring, turns: MemoryTurns) -> None:
    authoring.import_file("shop", a_file())

    class StaleTurns(MemoryTurns):
        def newest(self, *args: Any) -> None:
            return None

    authoring.publish("shop")
    authoring.import_file("shop", a_file("둘"))
    stale = StaleTurns()
    slow = an_authoring(turns=stale, bots=authoring.bots, documents=authoring.documents)
    with pytest.raises(Conflict):
        slow.publish("shop")
    assert authoring.get("shop").published.number == 1  # type: ignore[union-attr]


def test_rolling_back_publishes_what_was_published_before(authoring: Authoring) -> None:
    for text in ("하나", "둘", "셋"):
        authoring.import_file("shop", a_file(text))
        authoring.publish("shop")
    assert authoring.roll_back("shop").published.number == 2  # type: ignore[union-attr]
    assert authoring.roll_back("shop").published.number == 1  # type: ignore[union-attr]
    with pytest.raises(InvalidInput, match="no earlier"):
        authoring.roll_back("shop")


def test_rolling_back_leaves_the_draft_and_the_title_alone(authoring: Authoring) -> None:
    authoring.import_file("shop", a_file("하나", title="예전"))
    authoring.publish("shop")
    authoring.import_file("shop", a_file("둘", title="지금"))
    authoring.publish("shop")
    record = authoring.roll_back("shop", 1)
    assert record.latest is not None
    assert record.latest.number == 2
    assert record.profile["title"] == "지금"


def test_a_version_that_is_not_there_cannot_be_rolled_back_to(authoring: Authoring) -> None:
    authoring.import_file("shop", a_file())
    with pytest.raises(NotFound, match="version 9"):
        authoring.roll_back("shop", 9)


def test_export_gives_back_the_file(authoring: Authoring) -> None:
    authoring.import_file("shop", a_file())
    assert authoring.export("shop") == json.loads(a_file())


def test_an_earlier_version_can_be_exported(authoring: Authoring) -> None:
    authoring.import_file("shop", a_file("하나"))
    authoring.import_file("shop", a_file("둘"))
    assert authoring.export("shop", 1) == json.loads(a_file("하나"))


def test_a_deleted_bot_is_gone_and_told_of(authoring: Authoring, turns: MemoryTurns) -> None:
    authoring.import_file("shop", a_file())
    authoring.delete("shop")
    with pytest.raises(NotFound):
        authoring.get("shop")
    assert list(authoring.bots) == []
    assert sys_events(turns)[-1]["event"] == "bot.deleted"
    assert sys_events(turns)[-1]["data"]["bot"]["deletedAt"] is not None


def test_importing_a_deleted_bot_brings_it_back_as_a_draft(authoring: Authoring) -> None:
    authoring.import_file("shop", a_file())
    authoring.delete("shop")
    assert authoring.import_file("shop", a_file()).record.deleted_at_ms is None


@pytest.mark.parametrize("bot_id", ["", "쇼핑", "a b", "a/b", "../x", "-x", "x" * 65])
def test_ids_that_cannot_stand_in_a_url_are_refused(authoring: Authoring, bot_id: str) -> None:
    with pytest.raises(InvalidInput, match="--id"):
        authoring.import_file(bot_id, a_file())


def test_a_bot_that_is_not_there_is_named(authoring: Authoring) -> None:
    with pytest.raises(NotFound, match="nobody"):
        authoring.publish("nobody")


def test_connecting_to_kakaotalk_makes_secrets_once(authoring: Authoring) -> None:
    authoring.import_file("shop", a_file())
    first = authoring.connect_kakao("shop")
    assert authoring.connect_kakao("shop") == first
    assert authoring.connect_kakao("shop", kakao_bot_id="5ec3be!").kakao_bot_id == "5ec3be"


def test_changed_settings_are_told_of_without_the_secrets(authoring: Authoring, turns: MemoryTurns) -> None:
    authoring.import_file("shop", a_file())
    settings = authoring.connect_kakao("shop")
    (event,) = sys_events(turns)
    assert event["event"] == "bot.updated"
    assert event["data"]["bot"]["integration"] == {"kakao": {"enabled": True}}
    assert settings.path_secret not in json.dumps(event)


def test_another_title_of_a_published_bot_is_told_of(authoring: Authoring, turns: MemoryTurns) -> None:
    authoring.import_file("shop", a_file(title="예전"))
    authoring.publish("shop")
    authoring.import_file("shop", a_file(title="새 이름"))
    assert [event["data"]["bot"]["title"] for event in sys_events(turns)] == ["예전", "새 이름"]


def test_a_rotated_secret_leaves_the_previous_one_valid(authoring: Authoring) -> None:
    authoring.import_file("shop", a_file())
    first = authoring.connect_kakao("shop")
    rotated = authoring.connect_kakao("shop", rotate=True)
    assert rotated.header_secrets[1] == first.header_secrets[0]
    assert rotated.header_secrets[0] != first.header_secrets[0]
    assert rotated.path_secret == first.path_secret


def test_two_authors_at_once_both_land(turns: MemoryTurns) -> None:
    class RacingBots(MemoryBots):
        rival: Any = None

        def save(self, *args: Any, **beside: Any) -> None:
            if self.rival is not None:
                rival, self.rival = self.rival, None
                rival()
            super().save(*args, **beside)

    bots = RacingBots(turns)
    authoring = an_authoring(turns=turns, bots=bots)
    authoring.import_file("shop", a_file("하나"))
    bots.rival = lambda: authoring.import_file("shop", a_file("둘"))
    authoring.import_file("shop", a_file("셋"))
    assert authoring.get("shop").latest.number == 3  # type: ignore[union-attr]
