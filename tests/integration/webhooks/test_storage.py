"""Endpoints and deliveries on DynamoDB: every condition holds, whoever else writes at the same moment."""

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from infra.local.embedded import client
from shared.errors import Conflict
from shared.runtime.settings import CORE_TABLE
from shared.storage.deliveries import DAY_MS, DynamoDeliveries
from shared.storage.webhooks import DynamoEndpoints
from shared.webhooks.delivery import Attempt, Delivery, LogPart, batches, make
from shared.webhooks.endpoint import Disabling, Endpoint, switched, with_new_secret, with_url
from tests.factories import NOW_MS
from tests.integration.conftest import Stack
from tests.webhook_world import NEXT_SECRET, Clock, an_endpoint, an_event

GAVE_UP = Disabling(reason="tries_failed", status=404, error="status", delivery_id="d")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def endpoints(stack: Stack) -> DynamoEndpoints:
    return DynamoEndpoints(stack.environment[CORE_TABLE])


@pytest.fixture
def deliveries(stack: Stack, clock: Clock) -> DynamoDeliveries:
    return DynamoDeliveries(stack.environment[CORE_TABLE], clock.now_ms)


def row_of(stack: Stack, sort: str, partition: str) -> dict[str, Any]:
    dynamodb: Any = client("dynamodb", stack.endpoint)
    key = {"pk": {"S": partition}, "sk": {"S": sort}}
    found: dict[str, Any] = dynamodb.get_item(TableName=stack.environment[CORE_TABLE], Key=key)["Item"]
    return found


def a_new_endpoint(**overrides: Any) -> Endpoint:
    return an_endpoint(**{"webhook_id": str(uuid.uuid4()), "bot_id": f"bot-{uuid.uuid4().hex[:8]}", **overrides})


def a_new_delivery(**overrides: Any) -> Delivery:
    (batch,) = batches([an_event(1, text="안녕하세요 😀"), an_event(2)])
    return replace(make("shop", str(uuid.uuid4()), batch), **overrides)


class TestEndpoints:
    def test_what_is_stored_comes_back(self, endpoints):
        stored = replace(
            with_new_secret(a_new_endpoint(closer_user_agent=True), NEXT_SECRET, NOW_MS),
            enabled=False,
            disabled_at_ms=NOW_MS,
            disabling=GAVE_UP,
        )
        endpoints.create(stored)
        assert endpoints.get(stored.bot_id, stored.webhook_id) == stored
        assert endpoints.of_bot(stored.bot_id) == [stored]
        assert endpoints.of_bot("nobody") == []

    def test_an_id_is_taken_once(self, endpoints):
        endpoint = a_new_endpoint()
        endpoints.create(endpoint)
        with pytest.raises(Conflict):
            endpoints.create(endpoint)

    def test_deleted_is_gone(self, endpoints):
        endpoint = a_new_endpoint()
        endpoints.create(endpoint)
        for _ in range(2):
            endpoints.delete(endpoint.bot_id, endpoint.webhook_id)
        assert endpoints.get(endpoint.bot_id, endpoint.webhook_id) is None

    def test_a_change_counts_only_on_what_was_seen_and_keeps_the_last_success(self, endpoints):
        before = a_new_endpoint()
        endpoints.create(before)
        endpoints.note_success(before, NOW_MS + 5)
        after = replace(with_url(before, "https://new.example/"), updated_at_ms=NOW_MS + 1)
        endpoints.change(before, after)
        assert endpoints.get(before.bot_id, before.webhook_id) == replace(after, last_success_ms=NOW_MS + 5)
        with pytest.raises(Conflict):
            endpoints.change(before, replace(before, name="zwei", updated_at_ms=NOW_MS + 2))

    def test_a_change_does_not_undo_a_disabling_that_was_not_seen(self, endpoints):
        before = a_new_endpoint()
        endpoints.create(before)
        assert endpoints.disable(before, GAVE_UP, url_revision=1, at_ms=NOW_MS, unless_success_since=None)
        with pytest.raises(Conflict):
            endpoints.change(before, replace(before, name="neu", updated_at_ms=NOW_MS + 1))

    def test_its_owner_switches_it_on_again(self, endpoints):
        before = a_new_endpoint()
        endpoints.create(before)
        endpoints.disable(before, GAVE_UP, url_revision=1, at_ms=NOW_MS, unless_success_since=None)
        off = endpoints.get(before.bot_id, before.webhook_id)
        assert off is not None
        assert off.disabling == GAVE_UP
        endpoints.change(off, replace(switched(off, enabled=True, now_ms=NOW_MS + 1), updated_at_ms=NOW_MS + 1))
        assert endpoints.get(before.bot_id, before.webhook_id) == replace(before, updated_at_ms=NOW_MS + 1)

    @pytest.mark.parametrize(
        ("success", "since", "revision", "is_disabled"),
        [
            (None, NOW_MS, 1, True),
            (NOW_MS - 1, NOW_MS, 1, True),
            (NOW_MS, NOW_MS, 1, False),
            (NOW_MS + 1, NOW_MS, 1, False),
            (NOW_MS + 1, None, 1, True),
            (None, NOW_MS, 2, False),
        ],
    )
    def test_it_is_disabled_unless_its_url_is_another_or_a_delivery_succeeded(
        self, endpoints, success, since, revision, is_disabled
    ):
        endpoint = a_new_endpoint()
        endpoints.create(endpoint)
        if success is not None:
            endpoints.note_success(endpoint, success)
        done = endpoints.disable(endpoint, GAVE_UP, url_revision=revision, at_ms=NOW_MS, unless_success_since=since)
        found = endpoints.get(endpoint.bot_id, endpoint.webhook_id)
        assert found is not None
        assert (done, not found.enabled) == (is_disabled, is_disabled)

    def test_a_deleted_one_is_neither_disabled_nor_brought_back_by_a_success(self, endpoints):
        endpoint = a_new_endpoint()
        assert not endpoints.disable(endpoint, GAVE_UP, url_revision=1, at_ms=NOW_MS, unless_success_since=None)
        endpoints.note_success(endpoint, NOW_MS)
        assert endpoints.get(endpoint.bot_id, endpoint.webhook_id) is None

    def test_the_newest_success_stays(self, endpoints):
        endpoint = a_new_endpoint()
        endpoints.create(endpoint)
        for at_ms in (NOW_MS, NOW_MS + 9, NOW_MS + 5):
            endpoints.note_success(endpoint, at_ms)
        found = endpoints.get(endpoint.bot_id, endpoint.webhook_id)
        assert found is not None
        assert found.last_success_ms == NOW_MS + 9


def day_of(deliveries, delivery, *, first=(0, ""), last=(10**14, ""), newest_first=True, limit=100):
    key = delivery.key
    return deliveries.part_of_day(
        key.webhook_id, key.day, first=first, last=last, newest_first=newest_first, limit=limit
    )


class TestDeliveries:
    def test_what_is_stored_comes_back(self, deliveries):
        delivery = a_new_delivery()
        assert deliveries.put(delivery, now_ms=NOW_MS)
        assert deliveries.get(delivery.key) == delivery

    def test_it_is_put_once_in_whatever_state(self, deliveries):
        delivery = a_new_delivery()
        assert deliveries.put(delivery, now_ms=NOW_MS)
        assert not deliveries.put(replace(delivery, state="held"), now_ms=NOW_MS)
        assert deliveries.get(delivery.key) == delivery

    @pytest.mark.parametrize(("state", "days"), [("pending", 30), ("held", 14)])
    def test_it_is_gone_after_its_time_although_the_table_may_still_have_it(self, deliveries, clock, state, days):
        delivery = a_new_delivery(state=state)
        deliveries.put(delivery, now_ms=NOW_MS)
        clock.ms = NOW_MS + days * DAY_MS - 1_000
        assert deliveries.get(delivery.key) is not None
        clock.ms = NOW_MS + days * DAY_MS
        assert deliveries.get(delivery.key) is None
        assert day_of(deliveries, delivery).items == []

    def test_a_try_is_written_down_once(self, deliveries):
        delivery = a_new_delivery()
        deliveries.put(delivery, now_ms=NOW_MS)
        attempt = Attempt(at_ms=NOW_MS, ms=12, status=500, error="status", answer="아니요 \ufffd" * 100)
        after = replace(
            delivery,
            tried=1,
            waited_s=180,
            attempts=(attempt,),
            first_try_ms=NOW_MS,
            url_revision=1,
            next_at_ms=NOW_MS + 180_000,
        )
        assert deliveries.note_attempt(delivery, after, attempt)
        assert not deliveries.note_attempt(delivery, after, attempt)
        assert deliveries.get(delivery.key) == after

    def test_a_round_begins_once_and_never_while_one_is_under_way(self, deliveries):
        delivery = a_new_delivery()
        deliveries.put(delivery, now_ms=NOW_MS)
        begun = replace(delivery, round=2)
        assert not deliveries.begin_round(begun, now_ms=NOW_MS)
        assert deliveries.hold(delivery, now_ms=NOW_MS)
        assert not deliveries.hold(delivery, now_ms=NOW_MS)
        assert deliveries.begin_round(begun, now_ms=NOW_MS)
        assert not deliveries.begin_round(begun, now_ms=NOW_MS)
        assert deliveries.get(delivery.key) == begun

    def test_a_delivery_that_is_sent_again_is_kept_from_then(self, deliveries, clock):
        delivery = a_new_delivery(state="held")
        deliveries.put(delivery, now_ms=NOW_MS)
        deliveries.begin_round(replace(delivery, state="pending", round=2), now_ms=NOW_MS + 13 * DAY_MS)
        clock.ms = NOW_MS + 40 * DAY_MS
        assert deliveries.get(delivery.key) is not None

    def test_a_day_lists_the_newest_first_without_events(self, deliveries):
        webhook_id = str(uuid.uuid4())
        stored = []
        for number in range(1, 4):
            (batch,) = batches([an_event(number)])
            stored.append(make("shop", webhook_id, batch))
            deliveries.put(stored[-1], now_ms=NOW_MS)
        listed = day_of(deliveries, stored[0])
        assert listed == LogPart(items=[replace(delivery, events=b"") for delivery in reversed(stored)])

    def test_a_day_is_read_in_parts_in_both_directions(self, deliveries):
        webhook_id = str(uuid.uuid4())
        stored = [make("shop", webhook_id, batch) for number in range(1, 6) for batch in batches([an_event(number)])]
        for delivery in stored:
            deliveries.put(delivery, now_ms=NOW_MS)
        places = [(delivery.key.at_ms, delivery.key.delivery_id) for delivery in stored]
        newest = day_of(deliveries, stored[0], last=places[4], limit=2)
        assert [delivery.key for delivery in newest.items] in ([stored[3].key], [stored[3].key, stored[2].key])
        assert newest.place in (places[3], places[2])
        oldest = day_of(deliveries, stored[0], first=(places[1][0], ""), last=places[4], newest_first=False)
        assert [delivery.key for delivery in oldest.items] == [delivery.key for delivery in stored[1:4]]
        assert oldest.place is None

    def test_a_test_is_marked(self, deliveries):
        delivery = a_new_delivery(is_test=True)
        deliveries.put(delivery, now_ms=NOW_MS)
        assert deliveries.get(delivery.key) == delivery
        assert day_of(deliveries, delivery).items[0].is_test

    def test_a_typical_delivery_costs_one_write_unit(self, stack, deliveries):
        (batch,) = batches(
            [an_event(1, text="배송 언제 도착하나요?"), an_event(2, text="네, 확인해 드릴게요."), an_event(3)]
        )
        delivery = make("shop", str(uuid.uuid4()), batch)
        deliveries.put(delivery, now_ms=NOW_MS)
        row = row_of(
            stack, f"{delivery.key.at_ms:015d}#{delivery.key.delivery_id}", f"D#{delivery.key.webhook_id}#20261121"
        )
        size = sum(len(name) + len(str(next(iter(value.values())))) for name, value in row.items() if name != "z")
        assert size + len(row["z"]["B"]) < 1_024
        assert json.loads(delivery.events)
