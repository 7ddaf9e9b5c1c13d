"""What owners do with their webhooks: limits, refusals, races, tests, and the delivery log in pages."""

import json
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from standardwebhooks.webhooks import Webhook

from shared.bot.record import BotRecord
from shared.errors import BlockedAddress, Conflict, InvalidInput, NotFound
from shared.services.webhook_log import DAY_MS, READS_A_PART, ROWS_A_READ
from shared.services.webhook_management import MAX_ENDPOINTS, ManageWebhooks
from shared.webhooks.delivery import Delivery, batches, make
from shared.webhooks.endpoint import Disabling, Endpoint
from shared.webhooks.signature import ROTATION_MS, secret_key
from tests.factories import NOW_MS
from tests.fakes import MemoryBots
from tests.webhook_world import BOT, MINUTE_MS, OTHER_WEBHOOK, WEBHOOK, WebhookWorld, an_endpoint, an_event

URL = "https://receiver.example/hook"


class World(WebhookWorld):
    """The path of events with a bot, and its owner's use cases."""

    def __init__(self, *endpoints: Endpoint) -> None:
        super().__init__(*(endpoints or (an_endpoint(),)))
        bots = MemoryBots(self.turns)
        for bot_id, deleted_at_ms in ((BOT, None), ("gone", NOW_MS)):
            bots.records[bot_id] = BotRecord(
                bot_id=bot_id, profile={}, created_at_ms=NOW_MS, updated_at_ms=NOW_MS, deleted_at_ms=deleted_at_ms
            )
        self.refused: set[str] = set()
        numbers = iter(range(1, 1000))
        self.manage = ManageWebhooks(
            bots=bots,
            endpoints=self.endpoints,
            log=self.deliveries,
            post=self.receiver,
            refuse_target=self._refuse,
            now_ms=self.clock.now_ms,
            new_id=lambda: f"00000000-0000-4000-8000-{next(numbers):012d}",
            random_bytes=lambda count: bytes([next(numbers) % 256]) * count,
        )

    def _refuse(self, url: str) -> None:
        if url in self.refused:
            raise BlockedAddress("private")

    def sent(self, *numbers: int) -> list[Delivery]:
        """Deliveries in the log, of one event each."""
        made = []
        for number in numbers:
            (batch,) = batches([an_event(abs(number) + 1, timestamp=NOW_MS + number)])
            made.append(make(BOT, WEBHOOK, batch))
            self.deliveries.put(made[-1], now_ms=NOW_MS)
        return made


@pytest.fixture
def world() -> World:
    return World()


class TestEndpoints:
    def test_a_new_one_is_on_and_has_a_secret_of_32_bytes(self, world: World) -> None:
        made = world.manage.create(BOT, name=" 대시보드 ", url=f" {URL} ", closer_user_agent=True)
        assert (made.name, made.url, made.enabled, made.closer_user_agent) == ("대시보드", URL, True, True)
        assert made.created_at_ms == made.updated_at_ms == NOW_MS
        assert len(secret_key(made.secret)) == 32
        assert world.manage.get(BOT, made.webhook_id) == made

    def test_each_has_a_secret_of_its_own(self, world: World) -> None:
        made = [world.manage.create(BOT, name="n", url=URL) for _ in range(2)]
        assert made[0].secret != made[1].secret

    def test_they_are_listed_by_age(self, world: World) -> None:
        made = []
        for _ in range(2):
            world.clock.ms += 1
            made.append(world.manage.create(BOT, name="n", url=URL))
        assert world.manage.list(BOT) == [an_endpoint(), *made]

    @pytest.mark.parametrize("bot_id", ["none", "gone", "", "a/b", "x" * 65, "CL#x"])
    def test_an_unknown_or_deleted_bot_is_not_found(self, world: World, bot_id: str) -> None:
        for call in (
            lambda: world.manage.list(bot_id),
            lambda: world.manage.get(bot_id, WEBHOOK),
            lambda: world.manage.create(bot_id, name="n", url=URL),
            lambda: world.manage.delete(bot_id, WEBHOOK),
            lambda: world.manage.deliveries(bot_id, WEBHOOK),
        ):
            with pytest.raises(NotFound, match="no bot"):
                call()

    @pytest.mark.parametrize("webhook_id", [OTHER_WEBHOOK, "", "x", "x" * 5000, WEBHOOK.upper() + "\n"])
    def test_an_unknown_webhook_is_not_found_whatever_is_done_with_it(self, world: World, webhook_id: str) -> None:
        for use_case in ("get", "delete", "enable", "disable", "rotate_secret", "test", "deliveries", "change"):
            with pytest.raises(NotFound, match="no such webhook"):
                getattr(world.manage, use_case)(BOT, webhook_id)

    def test_a_webhook_of_another_bot_is_not_found(self) -> None:
        world = World(an_endpoint(bot_id="other"))
        with pytest.raises(NotFound, match="no such webhook"):
            world.manage.get(BOT, WEBHOOK)

    @pytest.mark.parametrize(
        ("fields", "place"),
        [
            ({"name": "가" * 41}, "name"),
            ({"name": "  "}, "name"),
            ({"url": "https://receiver.example/" + "x" * 231}, "url"),
            ({"url": ""}, "url"),
            ({"url": "https://receiver.example/\x00"}, "url"),
        ],
    )
    def test_names_and_urls_have_limits(self, world: World, fields: dict[str, str], place: str) -> None:
        with pytest.raises(InvalidInput, match=place):
            world.manage.create(BOT, **{"name": "n", "url": URL, **fields})  # type: ignore[arg-type]
        with pytest.raises(InvalidInput, match=place):
            world.manage.change(BOT, WEBHOOK, **fields)  # type: ignore[arg-type]
        assert world.manage.list(BOT) == [an_endpoint()]

    def test_the_longest_name_and_url_are_kept(self, world: World) -> None:
        name, url = "가" * 40, "https://receiver.example/" + "x" * 230
        made = world.manage.create(BOT, name=name, url=url)
        assert (made.name, len(made.url)) == (name, 255)

    def test_a_url_that_no_delivery_would_be_sent_to_is_refused(self, world: World) -> None:
        world.refused.add("http://10.0.0.1/")
        with pytest.raises(BlockedAddress):
            world.manage.create(BOT, name="n", url="http://10.0.0.1/")
        with pytest.raises(BlockedAddress):
            world.manage.change(BOT, WEBHOOK, url="http://10.0.0.1/")
        assert world.manage.list(BOT) == [an_endpoint()]

    def test_one_whose_url_became_private_can_still_be_renamed(self, world: World) -> None:
        world.refused.add(world.endpoint.url)
        assert world.manage.change(BOT, WEBHOOK, name="새 이름", url=world.endpoint.url).name == "새 이름"

    def test_a_bot_has_at_most_50_and_is_told_why(self, world: World) -> None:
        for _ in range(MAX_ENDPOINTS - 1):
            world.manage.create(BOT, name="n", url=URL)
        with pytest.raises(Conflict, match=r"50 webhooks.*each event is sent to all"):
            world.manage.create(BOT, name="n", url=URL)
        assert len(world.manage.list(BOT)) == MAX_ENDPOINTS

    def test_a_change_keeps_what_is_not_given(self, world: World) -> None:
        changed = world.manage.change(BOT, WEBHOOK, name="새 이름")
        assert changed == replace(an_endpoint(), name="새 이름", updated_at_ms=NOW_MS + 1)
        moved = world.manage.change(BOT, WEBHOOK, url="https://b.example/", closer_user_agent=True)
        assert (moved.name, moved.url_revision, moved.closer_user_agent) == ("새 이름", 2, True)

    def test_a_change_of_nothing_writes_nothing(self, world: World) -> None:
        world.endpoints.before_change = lambda: pytest.fail("it was written")
        assert world.manage.change(BOT, WEBHOOK) == an_endpoint()
        assert world.manage.change(BOT, WEBHOOK, name="받는 곳", url=URL, closer_user_agent=False) == an_endpoint()
        assert world.manage.enable(BOT, WEBHOOK) == an_endpoint()

    def test_two_owners_in_the_same_millisecond_do_not_overwrite_each_other(self, world: World) -> None:
        def other() -> None:
            world.endpoints.before_change = lambda: None
            world.manage.change(BOT, WEBHOOK, name="둘째")

        world.endpoints.before_change = other
        with pytest.raises(Conflict):
            world.manage.change(BOT, WEBHOOK, name="첫째")
        assert world.endpoint.name == "둘째"

    def test_a_disabling_meanwhile_is_not_undone_by_a_change(self, world: World) -> None:
        why = Disabling(reason="tries_failed", status=500, error="status")
        world.endpoints.before_change = lambda: world.endpoints.rows.update(
            {WEBHOOK: replace(world.endpoint, enabled=False, disabled_at_ms=NOW_MS, disabling=why)}
        )
        with pytest.raises(Conflict):
            world.manage.change(BOT, WEBHOOK, name="새 이름")
        assert world.endpoint.disabling == why

    def test_off_holds_and_on_forgets_the_reason(self, world: World) -> None:
        off = world.manage.disable(BOT, WEBHOOK)
        assert (off.enabled, off.disabled_at_ms) == (False, NOW_MS)
        assert off.disabling == Disabling(reason="by_owner")
        on = world.manage.enable(BOT, WEBHOOK)
        assert (on.enabled, on.disabled_at_ms, on.disabling) == (True, None, None)

    def test_one_that_is_off_already_keeps_its_reason(self) -> None:
        why = Disabling(reason="gone", status=410, error="status")
        world = World(an_endpoint(enabled=False, disabled_at_ms=1, disabling=why))
        assert world.manage.disable(BOT, WEBHOOK).disabling == why

    def test_after_a_rotation_both_secrets_sign_for_a_day(self, world: World) -> None:
        rotated = world.manage.rotate_secret(BOT, WEBHOOK)
        assert rotated.secret != an_endpoint().secret
        assert rotated.secrets(NOW_MS + ROTATION_MS - 1) == (rotated.secret, an_endpoint().secret)
        assert rotated.secrets(NOW_MS + ROTATION_MS) == (rotated.secret,)

    def test_what_is_deleted_is_gone_and_deleting_it_again_finds_nothing(self, world: World) -> None:
        world.manage.delete(BOT, WEBHOOK)
        assert world.manage.list(BOT) == []
        with pytest.raises(NotFound):
            world.manage.delete(BOT, WEBHOOK)


class TestTests:
    def test_a_test_is_one_signed_event_and_stands_in_the_log(self, world: World) -> None:
        delivery = world.manage.test(BOT, WEBHOOK)
        (posted,) = world.receiver.got
        with time_machine.travel(NOW_MS / 1000, tick=False):
            assert Webhook(world.endpoint.secret).verify(posted.body, posted.headers) == posted.data
        (event,) = posted.data["messages"]
        assert (event["event"], event["sequence"], event["sourceId"]) == ("webhook.test", 0, BOT)
        assert event["data"] == {"webhook": {"id": WEBHOOK, "name": "받는 곳", "botId": BOT}}
        assert (delivery.state, delivery.is_test, len(delivery.attempts)) == ("delivered", True, 1)
        assert world.delivery == delivery

    def test_one_that_is_off_is_tested_too_and_stays_off(self, world: World) -> None:
        world.manage.disable(BOT, WEBHOOK)
        assert world.manage.test(BOT, WEBHOOK).state == "delivered"
        assert not world.endpoint.enabled

    @pytest.mark.parametrize("answer", [500, 410, (503, "1"), "timeout"])
    def test_a_failure_is_not_tried_again_and_disables_nothing(self, world: World, answer: Any) -> None:
        world.receiver.always = answer
        delivery = world.manage.test(BOT, WEBHOOK)
        world.work()
        assert (delivery.state, len(world.receiver.got)) == ("failed", 1)
        assert delivery.attempts[0].error is not None
        assert world.endpoint == an_endpoint()

    def test_it_is_not_sent_again_either(self, world: World) -> None:
        delivery = world.manage.test(BOT, WEBHOOK)
        with pytest.raises(Conflict, match="test"):
            world.replay.resend(BOT, delivery.key)
        assert world.replay.resend_range(BOT, WEBHOOK, from_ms=0, until_ms=NOW_MS + DAY_MS) == 0
        assert world.queue.jobs == []

    def test_two_tests_in_the_same_millisecond_are_two(self, world: World) -> None:
        world.manage.test(BOT, WEBHOOK)
        world.manage.test(BOT, WEBHOOK)
        assert len(world.deliveries.rows) == 2


class TestTheLog:
    def test_pages_are_newest_first_and_hold_every_delivery_once(self, world: World) -> None:
        days = [day * DAY_MS for day in (0, -1, -1, -5, -29)]
        stored = world.sent(*[offset + number for number, offset in enumerate(days)])
        expected = sorted((delivery.key for delivery in stored), key=lambda key: -key.at_ms)
        for limit in (1, 2, 3, 100):
            seen, cursor = [], None
            while True:
                page = world.manage.deliveries(BOT, WEBHOOK, limit=limit, cursor=cursor)
                assert len(page.items) <= limit
                seen += [delivery.key for delivery in page.items]
                cursor = page.cursor
                if cursor is None:
                    break
            assert seen == expected, limit

    def test_deliveries_of_one_millisecond_are_each_on_one_page(self, world: World) -> None:
        world.deliveries.rows.clear()
        for _ in range(5):
            world.manage.test(BOT, WEBHOOK)
        seen, cursor = [], None
        for _ in range(5):
            page = world.manage.deliveries(BOT, WEBHOOK, limit=1, cursor=cursor)
            seen += [delivery.key for delivery in page.items]
            cursor = page.cursor
        assert sorted(seen, key=str) == sorted(world.deliveries.rows, key=str)

    def test_what_is_older_than_30_days_is_asked_for_by_its_time(self, world: World) -> None:
        (old,) = world.sent(-40 * DAY_MS)
        assert world.manage.deliveries(BOT, WEBHOOK).items == ()
        page = world.manage.deliveries(BOT, WEBHOOK, from_ms=old.key.at_ms, until_ms=old.key.at_ms + 1)
        assert [delivery.key for delivery in page.items] == [old.key]

    def test_times_are_from_until_before(self, world: World) -> None:
        stored = world.sent(10, 20, 30)
        page = world.manage.deliveries(BOT, WEBHOOK, from_ms=NOW_MS + 10, until_ms=NOW_MS + 30)
        assert [delivery.key for delivery in page.items] == [stored[1].key, stored[0].key]

    def test_a_state_is_filtered(self, world: World) -> None:
        for number, state in enumerate(("failed", "held", "delivered", "failed")):
            (delivery,) = world.sent(number)
            world.deliveries.rows[delivery.key] = replace(delivery, state=state)  # type: ignore[arg-type]
        assert [found.state for found in world.manage.deliveries(BOT, WEBHOOK, state="failed").items] == ["failed"] * 2

    def test_a_page_does_bounded_work_and_its_cursor_goes_on(self, world: World) -> None:
        world.sent(*range(ROWS_A_READ * READS_A_PART + 5))
        reads = []
        part_of_day = world.deliveries.part_of_day

        def counted(*args: Any, **fields: Any) -> Any:
            reads.append(fields)
            return part_of_day(*args, **fields)

        world.deliveries.part_of_day = counted  # type: ignore[method-assign]
        page = world.manage.deliveries(BOT, WEBHOOK, state="held")
        assert (page.items, len(reads)) == ((), READS_A_PART)
        assert page.cursor is not None
        assert world.manage.deliveries(BOT, WEBHOOK, state="held", cursor=page.cursor).cursor is None

    @pytest.mark.parametrize("cursor", ["", "x", "1", "1.2.3", "-1.", "9" * 15 + ".", "1.G", "１."])
    def test_what_is_no_cursor_is_refused(self, world: World, cursor: str) -> None:
        with pytest.raises(InvalidInput, match="cursor"):
            world.manage.deliveries(BOT, WEBHOOK, cursor=cursor)

    @pytest.mark.parametrize("limit", [0, -1, 101])
    def test_a_limit_has_limits(self, world: World, limit: int) -> None:
        with pytest.raises(InvalidInput, match="limit"):
            world.manage.deliveries(BOT, WEBHOOK, limit=limit)

    def test_one_is_found_with_and_without_its_time(self, world: World) -> None:
        first, second = world.sent(1, -3 * DAY_MS)
        assert world.manage.delivery(BOT, WEBHOOK, second.key.delivery_id) == second
        found = world.manage.delivery(BOT, WEBHOOK, first.key.delivery_id, first.key.at_ms)
        assert json.loads(found.events)[0]["timestamp"] == first.key.at_ms

    @pytest.mark.parametrize("at_ms", [None, 0, NOW_MS, -1, 10**18])
    def test_an_unknown_one_is_not_found(self, world: World, at_ms: int | None) -> None:
        for delivery_id in (WEBHOOK, "x", "x" * 5000):
            with pytest.raises(NotFound, match="no such delivery"):
                world.manage.delivery(BOT, WEBHOOK, delivery_id, at_ms)

    def test_one_that_lies_too_deep_is_asked_for_with_its_time(self, world: World) -> None:
        stored = world.sent(*range(ROWS_A_READ * READS_A_PART + 5))
        oldest = stored[0].key
        with pytest.raises(NotFound, match="`at`"):
            world.manage.delivery(BOT, WEBHOOK, oldest.delivery_id)
        assert world.manage.delivery(BOT, WEBHOOK, oldest.delivery_id, oldest.at_ms).key == oldest


def test_a_test_does_not_wait_for_deliveries_that_are_being_tried(world: World) -> None:
    world.receiver.always = 500
    world.tell(an_event())
    world.deliver(world.queue.jobs.pop(0)[1])
    world.receiver.always = 200
    assert world.manage.test(BOT, WEBHOOK).state == "delivered"
    assert world.queue.jobs[0][0] == NOW_MS + 3 * MINUTE_MS
