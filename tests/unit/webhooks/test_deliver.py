"""Tries of a delivery: when, how often, and what becomes of the endpoint."""

import base64
import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from shared.errors import Conflict, InvalidInput, NotFound, Unavailable
from shared.services.timed_effects import CircuitBreaker
from shared.services.webhook_deliver import HUNG_SECONDS
from shared.services.webhook_replay import EndpointDisabled, HeldCount
from shared.storage.delivery_queue import from_body, to_body
from shared.webhooks.delivery import MAX_BODY_BYTES, DeliveryJob, LogPart, batches, first_try, make
from shared.webhooks.endpoint import Disabling, switched, with_url
from shared.webhooks.schedule import next_try, retry_after
from tests.factories import NOW_MS
from tests.webhook_world import BOT, MINUTE_MS, OTHER_WEBHOOK, WEBHOOK, WebhookWorld, a_turn, an_endpoint, an_event


@pytest.fixture
def world() -> WebhookWorld:
    return WebhookWorld()


def minutes(world) -> list[float]:
    """When the receiver was called, in minutes after the first time."""
    return [(posted.at_ms - world.receiver.got[0].at_ms) / MINUTE_MS for posted in world.receiver.got]


class TestSchedule:
    def test_tries_are_at_0_3_15_and_30_minutes(self):
        assert (next_try(0), next_try(180), next_try(900), next_try(1800)) == (180, 720, 900, None)

    @pytest.mark.parametrize("asked", [0, 60, 180, 500, 900, 3600, 10**9, -5])
    def test_no_wait_is_longer_than_sqs_can_and_the_last_try_is_at_30_minutes_at_the_latest(self, asked):
        waited, tries = 0, 1
        while (wait := next_try(waited, asked)) is not None:
            assert 0 < wait <= 900
            waited += wait
            tries += 1
        assert waited == 1800
        assert tries <= 4

    def test_a_receiver_that_asks_for_patience_gets_it_within_the_window(self):
        assert next_try(0, 300) == 300
        assert next_try(300) == 600
        assert next_try(0, 3600) == 900
        assert next_try(900, 3600) == 900
        assert next_try(1000, 3600) == 800

    def test_one_that_is_less_patient_than_we_are_changes_nothing(self):
        assert next_try(0, 10) == 180

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("120", 120),
            (" 7 ", 7),
            (format_datetime(datetime.fromtimestamp(NOW_MS // 1000 + 90, UTC), usegmt=True), 90),
            (format_datetime(datetime.fromtimestamp(NOW_MS // 1000 - 90, UTC), usegmt=True), 0),
            *[(value, 0) for value in (None, "", "soon", "-5", "1.5", "٣", "Fri, 99 Xyz 2026")],
            ("9" * 5_000, 999_999_999),
        ],
    )
    def test_retry_after_is_seconds_or_a_date(self, value, seconds):
        assert retry_after(value, NOW_MS) == seconds


class TestSuccess:
    @pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
    def test_any_2xx_ends_it(self, world, status):
        world.receiver.always = status
        world.tell(an_event())
        world.work()
        assert world.delivery.state == "delivered"
        assert [(attempt.status, attempt.error) for attempt in world.delivery.attempts] == [(status, None)]
        assert len(world.receiver.got) == 1
        assert world.endpoint.last_success_ms == NOW_MS + 5

    def test_500_500_500_200_is_delivered_with_the_fourth_try_under_one_id(self, world):
        world.receiver.answers = [500, 500, 500]
        world.tell(an_event())
        world.work()
        assert minutes(world) == [0, 3, 15, 30]
        assert world.delivery.state == "delivered"
        assert world.endpoint.enabled
        assert len({posted.headers["webhook-id"] for posted in world.receiver.got}) == 1
        assert len({posted.body for posted in world.receiver.got}) == 1
        assert len({posted.headers["webhook-timestamp"] for posted in world.receiver.got}) == 4

    def test_successes_in_the_same_second_are_noted_once(self, world):
        world.tell(an_event(1))
        world.work()
        noted = world.endpoint.last_success_ms
        world.clock.ms += 100
        world.tell(an_event(2))
        world.work()
        assert world.endpoint.last_success_ms == noted


class TestFailure:
    @pytest.mark.parametrize("answer", [301, 400, 404, 500, 503, "timeout", "tls", "dns", "connect", "blocked", "http"])
    def test_four_failures_switch_the_endpoint_off_and_say_why(self, world, answer):
        world.receiver.always = answer
        world.tell(an_event())
        world.work()
        assert minutes(world) == [0, 3, 15, 30]
        assert (world.delivery.state, len(world.delivery.attempts)) == ("failed", 4)
        assert not world.endpoint.enabled
        assert world.endpoint.disabled_at_ms == NOW_MS + 30 * MINUTE_MS
        status, error = (None, answer) if isinstance(answer, str) else (answer, "status")
        assert world.endpoint.disabling == Disabling(
            reason="tries_failed", status=status, error=error, delivery_id=world.delivery.key.delivery_id
        )

    def test_what_comes_afterwards_is_held(self, world):
        world.receiver.always = 404
        world.tell(an_event(1))
        world.work()
        world.clock.ms += 5_000
        world.tell(an_event(2))
        world.work()
        assert [row.state for row in world.deliveries.rows.values()] == ["failed", "held"]
        assert len(world.receiver.got) == 4

    def test_a_delivery_whose_endpoint_was_switched_off_meanwhile_is_held(self, world):
        world.receiver.answers = [500]
        world.tell(an_event())
        world.deliver(world.queue.take())
        world.endpoints.rows[WEBHOOK] = switched(world.endpoint, enabled=False, now_ms=world.clock.ms)
        world.work()
        assert (world.delivery.state, len(world.delivery.attempts)) == ("held", 1)

    def test_410_stops_and_switches_off_at_once(self, world):
        world.receiver.always = 410
        world.tell(an_event())
        world.work()
        assert len(world.receiver.got) == 1
        assert not world.endpoint.enabled
        assert world.endpoint.disabling is not None
        assert (world.endpoint.disabling.reason, world.endpoint.disabling.status) == ("gone", 410)

    def test_410_counts_although_others_succeeded(self, world):
        world.endpoints.rows[WEBHOOK] = an_endpoint(last_success_ms=NOW_MS + 10**6)
        world.receiver.always = 410
        world.tell(an_event())
        world.work()
        assert not world.endpoint.enabled

    def test_429_with_retry_after_is_asked_at_most_until_30_minutes(self, world):
        world.receiver.always = (429, "3600")
        world.tell(an_event())
        world.work()
        assert minutes(world) == [0, 15, 30]
        assert max(world.queue.delays) <= 900
        assert not world.endpoint.enabled

    def test_one_payload_that_fails_does_not_switch_off_a_healthy_endpoint(self, world):
        world.tell(an_event(1, text="독"))
        world.receiver.answers = [500]
        world.deliver(world.queue.take())
        world.clock.ms += MINUTE_MS
        world.tell(an_event(2))
        world.receiver.answers = [200, 500, 500, 500]
        world.work()
        assert sorted(row.state for row in world.deliveries.rows.values()) == ["delivered", "failed"]
        assert world.endpoint.enabled

    def test_a_success_before_the_first_try_forgives_nothing(self, world):
        world.tell(an_event(1))
        world.work()
        world.clock.ms += 10
        world.receiver.always = 500
        world.tell(an_event(2))
        world.work()
        assert not world.endpoint.enabled

    def test_a_url_that_was_changed_meanwhile_is_not_blamed(self, world):
        world.receiver.always = 500
        world.tell(an_event())
        world.deliver(world.queue.take())
        world.endpoints.rows[WEBHOOK] = with_url(world.endpoint, "https://new.example/hook")
        world.work()
        assert world.delivery.state == "failed"
        assert world.endpoint.enabled
        assert [posted.url for posted in world.receiver.got] == ["https://receiver.example/hook"] + 3 * [
            "https://new.example/hook"
        ]
        assert world.receiver.got[-1].data["webhookUrl"] == "https://new.example/hook"

    def test_410_of_a_url_that_was_changed_during_the_call_is_not_blamed_on_the_new_one(self, world):
        def change():
            world.endpoints.rows[WEBHOOK] = with_url(world.endpoint, "https://new.example/hook")

        world.receiver.always, world.receiver.meanwhile = 410, change
        world.tell(an_event())
        world.work()
        assert world.endpoint.enabled

    def test_410_of_a_new_url_counts_against_it(self, world):
        world.receiver.answers = [500, 410]
        world.tell(an_event())
        world.deliver(world.queue.take())
        world.endpoints.rows[WEBHOOK] = with_url(world.endpoint, "https://new.example/hook")
        world.work()
        assert not world.endpoint.enabled

    def test_a_deleted_endpoint_is_left_alone(self, world):
        world.tell(an_event())
        del world.endpoints.rows[WEBHOOK]
        world.work()
        assert world.receiver.got == []


class TestTwice:
    """Every job may come twice, late, or after a crash."""

    def test_a_job_that_comes_again_after_a_success_posts_nothing(self, world):
        world.tell(an_event())
        job = world.queue.take()
        for copy in (job, job, job.without_events()):
            world.deliver(copy)
        assert len(world.receiver.got) == 1

    def test_a_job_that_comes_again_after_a_failure_only_asks_for_the_next_try(self, world):
        world.receiver.answers = [500]
        world.tell(an_event())
        job = world.queue.take()
        world.deliver(job)
        world.clock.ms += MINUTE_MS
        world.deliver(job)
        assert len(world.receiver.got) == 1
        assert world.queue.delays[1:] == [180, 120]
        world.work()
        assert len(world.receiver.got) == 2
        assert world.delivery.state == "delivered"

    def test_a_crash_between_the_row_and_the_next_job_is_mended_by_the_jobs_return(self, world):
        world.receiver.answers = [500]
        world.tell(an_event())
        job = world.queue.take()
        world.queue.fails = True
        with pytest.raises(Unavailable):
            world.deliver(job)
        world.queue.fails = False
        world.deliver(job)
        world.work()
        assert minutes(world) == [0, 3]
        assert world.delivery.state == "delivered"

    def test_a_crash_between_the_answer_and_the_row_posts_the_same_delivery_again(self, world):
        world.tell(an_event())
        job = world.queue.take()
        put = world.deliveries.put

        def crash(*_, **__):
            raise Unavailable("lost")

        world.deliveries.put = crash
        with pytest.raises(Unavailable):
            world.deliver(job)
        world.deliveries.put = put
        world.deliver(job)
        first, second = world.receiver.got
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body
        assert world.delivery.state == "delivered"

    def test_a_crash_before_the_disabling_is_mended_by_the_jobs_return(self, world):
        world.receiver.always = 410
        world.tell(an_event())
        job = world.queue.take()
        disable = world.endpoints.disable

        def crash(*_, **__):
            raise Unavailable("lost")

        world.endpoints.disable = crash
        with pytest.raises(Unavailable):
            world.deliver(job)
        world.endpoints.disable = disable
        world.deliver(job)
        assert len(world.receiver.got) == 1
        assert not world.endpoint.enabled

    def test_two_copies_of_a_job_at_once_are_one_try(self, world):
        world.receiver.answers = [500, 500]
        world.tell(an_event())
        job = world.queue.take()

        def twin():
            world.receiver.meanwhile = lambda: None
            world.deliver(job)

        world.receiver.meanwhile = twin
        world.deliver(job)
        assert len(world.delivery.attempts) == 1

    def test_a_try_that_is_late_by_our_fault_does_not_cost_the_receiver_one(self, world):
        world.receiver.always = 500
        world.tell(an_event())
        world.clock.ms += 60 * MINUTE_MS
        for _ in range(4):
            job = world.queue.take()
            world.clock.ms += 60 * MINUTE_MS
            world.deliver(job)
        assert len(world.receiver.got) == 4
        assert world.delivery.state == "failed"

    def test_a_row_that_expired_is_nothing_to_do(self, world):
        world.receiver.answers = [500]
        world.tell(an_event())
        world.deliver(world.queue.take())
        world.deliveries.rows.clear()
        world.work()
        assert len(world.receiver.got) == 1

    @pytest.mark.parametrize("answer", [500, 410, 200])
    def test_a_row_that_was_put_although_nobody_heard_so_is_followed_up(self, world, answer):
        """The table's answer was lost, and at the second try the row was there."""
        put = world.deliveries.put

        def unheard(*args, **named):
            put(*args, **named)
            return False

        world.deliveries.put = unheard
        world.receiver.answers = [answer]
        world.tell(an_event())
        world.work()
        assert len(world.receiver.got) == (2 if answer == 500 else 1)
        assert world.delivery.state == ("failed" if answer == 410 else "delivered")
        assert world.endpoint.enabled == (answer != 410)
        assert (world.endpoint.last_success_ms is None) == (answer == 410)

    def test_a_first_try_counts_although_a_copy_of_its_job_had_to_wait_meanwhile(self, world):
        """Another sender knows that the endpoint hangs, and puts the row without a try."""
        world.tell(an_event())
        job = world.queue.take()
        cautious = replace(world.deliver, breaker=CircuitBreaker(world.clock.clock_ns, open_ms=1_000 * HUNG_SECONDS))
        for _ in range(10):
            cautious.breaker.note((WEBHOOK, world.endpoint.url), timed_out=True)
        world.receiver.meanwhile = lambda: cautious(job)
        world.deliver(job)
        assert (world.delivery.state, world.delivery.tried) == ("delivered", 1)
        world.work()
        assert len(world.receiver.got) == 1

    @pytest.mark.parametrize("answer", [500, 410, 200])
    def test_a_try_that_was_written_down_although_nobody_heard_so_is_followed_up(self, world, answer):
        """The table's answer was lost, and at the second try the condition no longer held."""
        note = world.deliveries.note_attempt

        def unheard(*args):
            note(*args)
            return False

        world.deliveries.note_attempt = unheard
        world.receiver.answers = [500, answer]
        world.tell(an_event())
        world.work()
        assert len(world.receiver.got) == (3 if answer == 500 else 2)
        assert world.delivery.state == ("failed" if answer == 410 else "delivered")
        assert world.endpoint.enabled == (answer != 410)
        assert (world.endpoint.last_success_ms is None) == (answer == 410)

    def test_a_round_that_began_although_nobody_heard_so_is_tried(self, world):
        begin = world.deliveries.begin_round

        def unheard(delivery, *, now_ms):
            begin(delivery, now_ms=now_ms)
            return False

        world.tell(an_event())
        world.work()
        world.deliveries.begin_round = unheard
        world.replay.resend(BOT, world.delivery.key)
        world.work()
        assert (world.delivery.state, world.delivery.round, len(world.receiver.got)) == ("delivered", 2, 2)

    def test_a_success_counts_although_a_copy_of_the_job_wrote_its_failure_down_first(self, world):
        world.receiver.answers = [200, 500]

        def twin():
            world.receiver.meanwhile = lambda: None
            world.receiver.answers.reverse()
            world.deliver(job)
            world.receiver.answers.append(200)

        world.tell(an_event())
        job = world.queue.take()
        world.receiver.meanwhile = twin
        world.deliver(job)
        assert [attempt.status for attempt in world.delivery.attempts] == [500]
        assert world.endpoint.last_success_ms is not None

    def test_what_was_asked_for_before_it_was_held_is_sent(self, world):
        """The owner switches it off, on again and sends what is held, between our look and our writing that it is."""
        world.tell(an_event())
        world.endpoints.rows[WEBHOOK] = switched(world.endpoint, enabled=False, now_ms=world.clock.ms)
        hold = world.deliveries.hold

        def owner_first(delivery, *, now_ms):
            world.endpoints.rows[WEBHOOK] = switched(world.endpoint, enabled=True, now_ms=now_ms)
            assert world.replay.send_held(BOT, WEBHOOK) == 0
            return hold(delivery, now_ms=now_ms)

        world.deliveries.hold = owner_first
        world.work()
        assert (world.delivery.state, len(world.receiver.got)) == ("delivered", 1)

    def test_a_disabling_that_comes_late_does_not_undo_what_the_owner_did_since(self, world):
        world.receiver.always = 410
        world.tell(an_event())
        job = world.queue.take()
        disable = world.endpoints.disable

        def crash(*_, **__):
            raise Unavailable("lost")

        world.endpoints.disable = crash
        with pytest.raises(Unavailable):
            world.deliver(job)
        world.endpoints.disable = disable
        world.clock.ms += MINUTE_MS
        world.endpoints.rows[WEBHOOK] = replace(world.endpoint, updated_at_ms=world.clock.ms)
        world.deliver(job)
        assert world.endpoint.enabled


class TestAnEndpointThatHangs:
    """Each of its jobs holds a sender for 15 s: what begins waits, what has begun keeps its times."""

    HANGS = 5

    def hang(self, world, deliveries: int) -> None:
        world.receiver.always = "timeout"
        for number in range(1, deliveries + 1):
            world.tell(an_event(number))
        for _ in range(deliveries):
            world.deliver(world.queue.take())

    def test_its_first_tries_wait_after_five_time_outs_in_a_row(self, world):
        self.hang(world, 1_000)
        assert len(world.receiver.got) == self.HANGS
        assert world.queue.delays.count(HUNG_SECONDS) == 1_000 - self.HANGS

    def test_what_has_to_wait_has_a_row_and_its_job_no_events(self, world):
        self.hang(world, 20)
        assert len(world.deliveries.rows) == 20
        assert all(not job.events for _, job in world.queue.jobs)

    def test_it_is_asked_again_after_a_minute(self, world):
        self.hang(world, 20)
        world.clock.ms += 1_000 * HUNG_SECONDS
        world.deliver(world.queue.take())
        world.deliver(world.queue.take())
        assert len(world.receiver.got) == self.HANGS + 1

    def test_what_has_begun_is_tried_at_its_times_and_switches_it_off_after_30_minutes(self, world):
        self.hang(world, 20)
        while world.endpoint.enabled:
            world.deliver(world.queue.take())
        assert world.endpoint.disabled_at_ms == NOW_MS + 30 * MINUTE_MS
        world.work()
        states = [row.state for row in world.deliveries.rows.values()]
        assert set(states) == {"failed", "held"}
        assert all(len(row.attempts) <= 4 for row in world.deliveries.rows.values())

    def test_once_it_answers_all_of_it_is_sent(self, world):
        self.hang(world, 50)
        world.receiver.always = 200
        world.work()
        assert {row.state for row in world.deliveries.rows.values()} == {"delivered"}

    def test_another_url_and_other_endpoints_do_not_wait_for_it(self, world):
        self.hang(world, 10)
        world.endpoints.rows[OTHER_WEBHOOK] = an_endpoint(webhook_id=OTHER_WEBHOOK)
        world.endpoints.rows[WEBHOOK] = with_url(world.endpoint, "https://new.example/hook")
        world.receiver.got.clear()
        world.queue.jobs.clear()
        world.tell(an_event(99))
        world.deliver(world.queue.take())
        world.deliver(world.queue.take())
        assert {posted.data["webhookId"] for posted in world.receiver.got} == {WEBHOOK, OTHER_WEBHOOK}

    def test_one_that_times_out_now_and_then_is_always_asked(self, world):
        world.receiver.answers = ["timeout", 200, "timeout", "timeout", 200, "timeout"] * 10
        for number in range(1, 61):
            world.tell(an_event(number))
            world.deliver(world.queue.take())
        assert HUNG_SECONDS not in world.queue.delays


class TestByHand:
    def test_a_delivery_whose_job_was_lost_is_sent_again_by_hand_after_an_hour(self, world):
        world.turns.append(a_turn([an_event()], log="log"))
        world.replay.replay_log(BOT, WEBHOOK, "log", from_ms=0, until_ms=2**42, replay_id="r")
        world.queue.jobs.clear()
        world.clock.ms = NOW_MS + 59 * MINUTE_MS
        with pytest.raises(Conflict, match="tried already"):
            world.replay.resend(BOT, world.delivery.key)
        assert world.replay.resend_range(BOT, WEBHOOK, from_ms=0, until_ms=2**42) == 0
        world.clock.ms += 2 * MINUTE_MS
        world.replay.resend(BOT, world.delivery.key)
        assert world.replay.resend_range(BOT, WEBHOOK, from_ms=0, until_ms=2**42) == 1
        world.work()
        assert (world.delivery.state, world.delivery.round, len(world.receiver.got)) == ("delivered", 1, 1)

    def test_one_that_waits_for_its_next_try_is_not_taken_for_lost(self, world):
        world.receiver.always = 500
        world.clock.ms += 100 * MINUTE_MS
        world.tell(an_event())
        world.deliver(world.queue.take())
        with pytest.raises(Conflict, match="tried already"):
            world.replay.resend(BOT, world.delivery.key)

    def test_what_was_held_long_after_it_happened_is_found(self):
        """The event lay among the dead letters for weeks."""
        world = WebhookWorld(an_endpoint(enabled=False))
        world.clock.ms += 26 * 24 * 60 * MINUTE_MS
        world.tell(an_event())
        world.clock.ms += 13 * 24 * 60 * MINUTE_MS
        assert world.replay.held(BOT, WEBHOOK) == HeldCount(count=1, is_all=True)

    def test_a_time_range_asks_for_the_days_of_the_log_and_no_others(self, world):
        asked = []

        def part_of_day(webhook_id, day, **options):
            asked.append(day)
            return LogPart(items=[])

        world.deliveries.part_of_day = part_of_day
        assert world.replay.resend_range(BOT, WEBHOOK, from_ms=0, until_ms=2**44) == 0
        assert 58 <= len(asked) <= 61

    def test_a_delivery_is_sent_again_under_its_id(self, world):
        world.tell(an_event())
        world.work()
        world.replay.resend(BOT, world.delivery.key)
        world.work()
        first, second = world.receiver.got
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert (world.delivery.state, world.delivery.round, len(world.delivery.attempts)) == ("delivered", 2, 2)

    def test_a_resend_has_four_tries_again_but_asking_twice_is_one_round(self, world):
        world.receiver.always = 500
        world.endpoints.disable = lambda *_, **__: False
        world.tell(an_event())
        world.work()
        world.replay.resend(BOT, world.delivery.key)
        world.replay.resend(BOT, world.delivery.key)
        world.work()
        assert len(world.receiver.got) == 8
        assert world.delivery.round == 2

    def test_what_was_held_is_sent_when_the_endpoint_is_on_again(self):
        world = WebhookWorld(an_endpoint(enabled=False))
        for number in range(1, 4):
            world.tell(an_event(number))
        assert world.replay.held(BOT, WEBHOOK) == HeldCount(count=3, is_all=True)
        with pytest.raises(EndpointDisabled):
            world.replay.send_held(BOT, WEBHOOK)
        world.endpoints.rows[WEBHOOK] = switched(world.endpoint, enabled=True, now_ms=world.clock.ms)
        assert world.endpoint.disabling is None
        world.clock.ms += 13 * 24 * 60 * MINUTE_MS
        assert world.replay.send_held(BOT, WEBHOOK) == 3
        world.work()
        sent = [event["sequence"] for posted in world.receiver.got for event in posted.data["messages"]]
        assert sorted(sent) == [1, 2, 3]
        assert world.replay.held(BOT, WEBHOOK).count == 0

    def test_a_time_range_of_the_delivery_log_is_sent_again(self, world):
        for number in range(1, 6):
            world.tell(an_event(number))
        world.work()
        assert world.replay.resend_range(BOT, WEBHOOK, from_ms=NOW_MS + 2, until_ms=NOW_MS + 4) == 2
        world.work()
        again = [event["sequence"] for posted in world.receiver.got[5:] for event in posted.data["messages"]]
        assert sorted(again) == [2, 3]

    def test_a_log_is_told_again_with_the_same_events_in_new_deliveries(self, world):
        events = [an_event(number) for number in range(1, 4)]
        for revision, event in enumerate(events, start=1):
            world.turns.append(a_turn([event], log="log", revision=revision))
        replay = {"from_ms": NOW_MS + 2, "until_ms": NOW_MS + 10, "replay_id": "r1"}
        assert world.replay.replay_log(BOT, WEBHOOK, "log", **replay) == 1
        assert world.replay.replay_log(BOT, WEBHOOK, "log", **replay) == 1
        world.work()
        (posted,) = world.receiver.got
        assert posted.data["messages"] == events[1:]

    def test_others_cannot_resend(self, world):
        world.tell(an_event())
        world.work()
        with pytest.raises(NotFound, match="no such webhook"):
            world.replay.resend("other", world.delivery.key)
        with pytest.raises(NotFound, match="no such delivery"):
            world.replay.resend(BOT, replace(world.delivery.key, at_ms=1))


def a_job(*events) -> DeliveryJob:
    (batch,) = batches(events or (an_event(),))
    return first_try(make(BOT, WEBHOOK, batch))


def test_a_job_says_what_it_asks_for():
    job = replace(a_job().without_events(), round=2, tried=3)
    assert from_body(to_body(job)) == job
    assert len(to_body(job)) < 300


@pytest.mark.parametrize("text", ["\ufffe\uffff", "\U0010ffff", "\u2028", "👨‍👩‍👧‍👦", "가" * 60_000])
def test_a_new_delivery_travels_in_its_job_in_characters_that_sqs_takes(text):
    job = a_job(an_event(text=text))
    body = to_body(job)
    assert body.isascii()
    assert from_body(body) == job


def test_the_largest_job_is_a_third_of_what_sqs_takes_however_little_its_events_shrink():
    noise = base64.b64encode(random.Random(1).randbytes(190_000)).decode()
    job = a_job(an_event(text=noise))
    assert MAX_BODY_BYTES - 10_000 < len(job.events) <= MAX_BODY_BYTES
    assert len(to_body(job)) < 1024 * 1024 / 3


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"webhookId": "w", "at": "x"}'])
def test_another_job_is_refused(text):
    with pytest.raises(InvalidInput):
        from_body(text)


@pytest.mark.parametrize("broken", [{"z": "가"}, {"z": "AAA"}, {"z": 1}, {"z": "////"}, {"f": "x"}, {"n": None}])
def test_a_job_whose_events_cannot_be_read_is_refused(broken):
    with pytest.raises(InvalidInput):
        from_body(json.dumps({**json.loads(to_body(a_job())), **broken}))


def test_events_of_a_newer_format_come_again_until_somebody_can_read_them():
    with pytest.raises(Unavailable, match="format 2"):
        from_body(json.dumps({**json.loads(to_body(a_job())), "f": 2}))
