"""Erasing a person: at once for whoever talks with them, everywhere after a while, for nobody else."""

import json
from dataclasses import replace

import pytest

from shared.conversation.erasure import TOMBSTONE_MS, Counts
from shared.errors import Conflict, InvalidInput, NotFound, Unavailable
from shared.services.erase_person import FIRST_PASS_SECONDS, parse_erasure_job
from shared.webhooks.delivery import DeliveryJob
from shared.webhooks.events import iso
from tests.erasing_world import BOT, ErasingWorld
from tests.webhook_world import WEBHOOK

DELETED = "bot.end_user.deleted"


@pytest.fixture
def world() -> ErasingWorld:
    """Kim and Lee have said something, and all of it is delivered."""
    world = ErasingWorld()
    for user, text in (("kim", "KIMONE"), ("lee", "LEEONE"), ("kim", "KIMTWO"), ("lee", "LEETWO")):
        world.says(user, text)
    world.relay_new()
    world.work()
    return world


class TestTheRequest:
    def test_the_next_turn_of_the_persons_own_log_tells_of_it(self, world):
        before = world.newest()
        erasure = world.erase()
        stone = world.newest()
        assert (stone.revision, stone.erases) == (before.revision + 1, erasure.erasure_id)
        (event,) = stone.events
        assert (event["event"], event["sequence"]) == (DELETED, before.state.sequence + 1)
        assert before.state.session is not None
        assert event["data"]["endUser"] == {
            "id": world.person_id(),
            "botId": BOT,
            "platform": "web",
            "userKey": "kim",
            "params": {},
            "lastMessageId": before.messages[-1]["id"],
            "lastConversationId": before.state.session.conversation_id,
            "createdAt": iso(before.state.first_contact_ms),
            "updatedAt": iso(erasure.requested_at_ms),
            "deletedAt": iso(erasure.requested_at_ms),
        }
        assert (stone.state.session, stone.state.first_contact_ms, stone.state.recent) == (None, 0, ())

    def test_the_receipt_says_nothing_about_who_it_was(self, world):
        erasure = world.erase()
        text = json.dumps(erasure.to_json())
        assert "kim" not in text
        assert "KIM" not in text
        assert (erasure.state, erasure.requested_by, erasure.end_user_id) == ("accepted", "cli", world.person_id())
        assert world.person.receipt(BOT, erasure.erasure_id).erasure_id == erasure.erasure_id

    def test_by_id_is_the_same_as_by_key(self, world):
        erasure = world.person.request(BOT, world.person_id(), requested_by="key-1")
        assert (erasure.log, erasure.revision, erasure.requested_by) == (world.newest().log, 3, "key-1")

    def test_nobody_is_erased_who_is_not_there(self, world):
        conversation = world.newest().state.session.conversation_id
        for public_id in (world.person_id("park"), conversation):
            with pytest.raises(NotFound):
                world.person.request(BOT, public_id, requested_by="cli")
        with pytest.raises(NotFound):
            world.person.request("another", world.person_id(), requested_by="cli")
        with pytest.raises(NotFound):
            world.erase("park")
        assert world.jobs.jobs == []

    def test_asked_for_again_there_is_one_erasure(self, world):
        assert world.erase().erasure_id == world.erase().erasure_id
        assert len(world.jobs.jobs) == 1

    def test_a_message_that_is_faster_is_erased_too(self, world):
        faster = ["KIMFAST"]
        world.erasures.before_begin = lambda: faster and world.says("kim", faster.pop())
        erasure = world.erase()
        assert erasure.revision == 4
        world.work_on_erasures()
        assert world.revisions() == [4]

    def test_somebody_who_is_faster_every_time_is_told(self, world):
        world.erasures.before_begin = lambda: world.says("kim", "KIMFAST")
        with pytest.raises(Conflict):
            world.erase()

    def test_without_the_queue_nothing_is_erased(self, world):
        world.jobs.fails = True
        with pytest.raises(Unavailable):
            world.erase()
        assert world.newest().erases is None

    def test_a_request_that_dies_before_its_transaction_erases_nobody(self, world):
        def die():
            raise Unavailable("dead")

        world.erasures.before_begin = die
        with pytest.raises(Unavailable):
            world.erase()
        world.work_on_erasures()
        assert world.revisions() == [1, 2]

    def test_a_request_that_dies_after_its_transaction_is_carried_out(self, world):
        delete = world.people.delete

        def die(identity, **more):
            raise Unavailable("dead")

        world.people.delete = die
        with pytest.raises(Unavailable):
            world.erase()
        world.people.delete = delete
        assert world.erase().erasure_id == world.newest().erases
        world.relay_new()
        world.work_on_erasures()
        assert world.identities.get(world.person_id()) is None
        assert world.revisions() == [3]

    def test_whoever_read_the_log_before_is_done_when_its_rows_go(self, world):
        world.erase()
        ((due, _),) = world.jobs.jobs
        assert due == world.clock.ms + 1_000 * FIRST_PASS_SECONDS
        assert FIRST_PASS_SECONDS > 70


class TestComingBack:
    def test_somebody_who_comes_back_is_new_and_their_events_are_counted_on(self, world):
        world.erase()
        back = world.says("kim", "KIMNEW").turn
        events = [event["event"] for event in back.events]
        assert events[:2] == ["bot.end_user.created", "bot.conversation.created"]
        assert "bot.end_user.updated" not in events
        assert back.events[0]["sequence"] == world.newest().state.sequence - len(back.events) + 1
        assert back.state.first_contact_ms == back.at_ms
        assert back.state.session is not None
        assert back.state.session.params["heard"] == "KIMNEW;"

    def test_what_they_say_then_stays(self, world):
        world.erase()
        world.says("kim", "KIMNEW")
        world.relay_new()
        world.work_on_erasures()
        assert world.revisions() == [3, 4]
        assert "KIMNEW" in world.texts_of_deliveries()
        assert world.identities.get(world.person_id()).created_at_ms == world.newest().at_ms

    def test_they_can_be_erased_again(self, world):
        first = world.erase()
        world.says("kim", "KIMNEW")
        second = world.erase()
        assert second.erasure_id != first.erasure_id
        world.relay_new()
        world.work()
        world.work_on_erasures()
        assert world.revisions() == [second.revision]
        assert "KIM" not in world.texts_of_deliveries()
        assert len(set(world.events_posted(DELETED))) == 2
        for erasure in (first, second):
            assert world.person.receipt(BOT, erasure.erasure_id).state == "done"


class TestTheWork:
    def test_nothing_is_left_but_the_tombstone_and_its_event(self, world):
        erasure = world.erase()
        world.relay_new()
        world.work()
        world.rows.states, world.rows.claims = [1, 3, 4], [2, 4]
        world.work_on_erasures()
        assert world.revisions() == [erasure.revision]
        assert world.rows.states == world.rows.claims == [4]
        assert "KIM" not in world.texts_of_deliveries()
        assert [row.end_user_id for row in world.identities.rows.values()] == [world.person_id("lee")] * 2
        (deleted,) = world.events_posted(DELETED)
        assert deleted == world.newest().events[0]["id"]
        assert deleted in world.texts_of_deliveries()

    def test_others_keep_everything(self, world):
        before = {key: row for key, row in world.turns.rows.items() if key[1] == world.newest("lee").log}
        world.erase()
        world.relay_new()
        world.work_on_erasures()
        assert {key: row for key, row in world.turns.rows.items() if key[1] == world.newest("lee").log} == before
        for text in ("LEEONE", "LEETWO"):
            assert text in world.texts_of_deliveries()

    def test_the_receipt_counts(self, world):
        erasure = world.erase()
        world.relay_new()
        world.rows.states = [1, 2]
        world.work_on_erasures()
        receipt = world.person.receipt(BOT, erasure.erasure_id)
        assert receipt.state == "done"
        assert receipt.counts == Counts(turns=2, states=2, conversations=1, deliveries=2)
        assert receipt.requested_at_ms < receipt.erased_at_ms < receipt.done_at_ms

    def test_the_tombstone_expires_when_it_covers_nothing_any_more(self, world):
        erasure = world.erase()
        world.relay_new()
        job = world.jobs.take()
        world.eraser(job, world.clock.clock_ns() + 10**9)
        assert world.person.receipt(BOT, erasure.erasure_id).state == "erased"
        assert world.rows.expiring == {}
        world.work_on_erasures()
        assert world.rows.expiring == {erasure.revision: world.clock.ms + TOMBSTONE_MS}

    def test_a_late_job_leaves_a_log_alone_that_began_anew_after_the_tombstone_expired(self, world):
        erasure = world.erase()
        world.relay_new()
        job = world.jobs.take()
        for revision in world.revisions():
            del world.turns.rows[BOT, erasure.log, revision]
        world.says("kim", "KIMNEW")
        for last_pass in (False, True):
            world.eraser(replace(job, last_pass=last_pass), world.clock.clock_ns() + 10**9)
        assert world.revisions() == [1]

    def test_a_turn_that_cannot_be_read_goes_too_and_is_told(self, world):
        world.rows.unreadable = {1}
        erasure = world.erase()
        world.relay_new()
        world.work_on_erasures()
        assert world.revisions() == [erasure.revision]
        assert [fault.details for fault in world.faults] == [{"revision": 1}]

    def test_without_time_the_next_job_goes_on_where_this_one_stopped(self, world):
        world.erase()
        world.relay_new()
        job, runs = world.jobs.take(), 0
        deliveries = world.deliveries
        while job is not None and not job.last_pass:
            left = [3]

            def clock_ns(left=left):
                left[0] -= 1
                return 10 - left[0]

            object.__setattr__(world.eraser, "clock_ns", clock_ns)
            world.eraser(job, 10)
            job, runs = world.jobs.take(), runs + 1
            assert runs < 100
        assert runs > 2
        assert world.deliveries is deliveries
        assert world.revisions() == [3]
        assert "KIM" not in world.texts_of_deliveries()

    def test_another_place_that_keeps_something_is_asked_until_it_is_done(self, world):
        answers = [False, False, True, True]
        world.eraser = replace(world.eraser, holdings=[lambda erasure: answers.pop(0)])
        world.erase()
        world.relay_new()
        world.work_on_erasures()
        assert answers == []

    def test_a_job_of_another_shape_is_refused(self):
        for text in ("", "{", "[]", '{"botId": "b"}', '{"botId": "b", "erasureId": "e", "from": "soon"}'):
            with pytest.raises(InvalidInput):
                parse_erasure_job(text)

    def test_a_job_is_read_as_it_was_sent(self, world):
        world.erase()
        ((_, job),) = world.jobs.jobs
        job = replace(job, webhook_id=WEBHOOK, day="20261121", after="x", last_pass=True)
        assert parse_erasure_job(json.dumps(job.to_json())) == job
        assert "kim" not in json.dumps(job.to_json())


class TestWhatWasUnderWay:
    def test_events_that_were_not_relayed_yet_are_erased_by_the_last_pass(self, world):
        world.says("kim", "KIMLATE")
        erasure = world.erase()
        late = [world.turns.get(BOT, erasure.log, revision) for revision in (3, 4)]
        world.eraser(world.jobs.take(), world.clock.clock_ns() + 10**9)
        world.tell_late(late)
        assert "KIMLATE" in world.texts_of_deliveries()
        world.work_on_erasures()
        assert "KIM" not in world.texts_of_deliveries()

    def test_the_last_pass_waits_until_every_endpoint_has_the_event(self, world):
        erasure = world.erase()
        for _ in range(5):
            world.eraser(world.jobs.take(), world.clock.clock_ns() + 10**9)
        assert world.person.receipt(BOT, erasure.erasure_id).state == "erased"
        world.relay_new()
        world.work_on_erasures()
        assert world.person.receipt(BOT, erasure.erasure_id).state == "done"

    def test_the_last_pass_waits_until_what_was_sent_before_the_event_has_its_row(self, world):
        """Another sender died with an older delivery, which comes again after that of the event."""
        world.says("kim", "KIMLATE")
        world.relay_new()
        late = world.queue.take()
        erasure = world.erase()
        for _ in range(3):
            world.eraser(world.jobs.take(), world.clock.clock_ns() + 10**9)
        world.clock.ms += 300_000
        world.relay_new()
        world.deliver(world.queue.take())
        world.eraser(world.jobs.take(), world.clock.clock_ns() + 10**9)
        assert world.person.receipt(BOT, erasure.erasure_id).state == "erased"
        world.deliver(late)
        assert "KIMLATE" in world.texts_of_deliveries()
        world.work_on_erasures()
        assert "KIM" not in world.texts_of_deliveries()

    def test_it_does_not_wait_for_ever(self, world):
        erasure = world.erase()
        world.work_on_erasures()
        assert world.person.receipt(BOT, erasure.erasure_id).state == "done"
        assert 13 < (world.clock.ms - erasure.requested_at_ms) / 86_400_000 < 15

    def test_it_does_not_wait_for_an_endpoint_that_came_later(self, world):
        erasure = world.erase()
        world.relay_new()
        world.work()
        new = replace(world.endpoint, webhook_id="33333333-3333-4333-8333-333333333333", created_at_ms=world.clock.ms)
        world.endpoints.rows[new.webhook_id] = new
        world.work_on_erasures()
        assert world.clock.ms - erasure.requested_at_ms < 3_600_000

    def test_what_the_index_learns_late_does_not_stay_in_it(self, world):
        world.says("kim", "KIMLATE")
        late = world.newest()
        world.erase()
        world.work_on_erasures()
        world.people.note(late)
        assert world.identities.get(world.person_id()) is None


class TestDeliveries:
    def test_a_delivery_keeps_what_is_of_others_and_forgets_what_receivers_answered(self, world):
        (row,) = [row for row in world.deliveries.rows.values() if row.key.webhook_id == WEBHOOK]
        assert row.attempts[0].answer == "answer"
        world.erase()
        world.work_on_erasures()
        after = world.deliveries.rows[row.key]
        kept = json.loads(after.events)
        assert kept == [event for event in json.loads(row.events) if world.person_id() not in json.dumps(event)]
        assert (after.count, after.state, after.erasures) == (len(kept), "delivered", 1)
        assert [attempt.answer for attempt in after.attempts] == [""]
        assert [attempt.status for attempt in after.attempts] == [200]

    def test_held_ones_are_sent_later_with_what_is_left(self, world):
        world.erase()
        world.relay_new()
        world.work_on_erasures()
        (webhook_id,) = [found for found, row in world.endpoints.rows.items() if not row.enabled]
        world.endpoints.rows[webhook_id] = replace(world.endpoints.rows[webhook_id], enabled=True)
        world.receiver.got.clear()
        world.replay.send_held(BOT, webhook_id)
        world.work()
        sent = "".join(posted.body.decode() for posted in world.receiver.got)
        assert "KIM" not in sent
        assert "LEEONE" in sent
        assert len(set(world.events_posted(DELETED))) == 1

    @pytest.fixture
    def alone(self) -> ErasingWorld:
        """Only Kim has said something; the receiver fails."""
        world = ErasingWorld()
        world.receiver.always = 500
        world.says("kim", "KIMONE")
        world.relay_new()
        return world

    def delivery(self, world):
        return next(row for row in world.deliveries.rows.values() if row.key.webhook_id == WEBHOOK)

    def test_one_that_is_left_empty_is_never_sent_nor_made_again(self, alone):
        job = alone.queue.jobs[0][1]
        alone.deliver(job)
        topic = {"botId": BOT, "events": json.loads(self.delivery(alone).events)}
        alone.erase()
        alone.eraser(alone.jobs.take(), alone.clock.clock_ns() + 10**9)
        assert (self.delivery(alone).state, self.delivery(alone).events) == ("erased", b"[]")
        alone.fan_out(topic)  # the same message of the topic, redelivered
        alone.receiver.got.clear()
        alone.work()
        alone.deliver(DeliveryJob(bot_id=BOT, key=job.key, round=2))
        assert alone.receiver.got == []
        assert alone.endpoints.rows[WEBHOOK].enabled
        assert self.delivery(alone).state == "erased"
        with pytest.raises(NotFound):
            alone.replay.resend(BOT, job.key)
        assert alone.replay.resend_range(BOT, WEBHOOK, from_ms=0, until_ms=2**45) == 0

    def test_one_that_is_tried_meanwhile_goes_on_with_what_is_left(self, world):
        world.receiver.always = 500
        world.says("kim", "KIMLATE")
        world.says("lee", "LEELATE")
        world.relay_new()
        world.receiver.got.clear()
        world.deliver(world.queue.take())
        world.erase()
        erase = world.jobs.take()
        once = [erase]
        world.receiver.meanwhile = lambda: once and world.eraser(once.pop(), world.clock.clock_ns() + 10**9)
        world.work()
        first, second, *later = [posted.body.decode() for posted in world.receiver.got]
        assert "KIMLATE" in first
        assert "KIMLATE" in second  # it was on its way
        assert later
        assert all("KIM" not in body and "LEELATE" in body for body in later)
        (row,) = [row for row in world.deliveries.rows.values() if row.tried == len(world.receiver.got)]
        assert [attempt.answer for attempt in row.attempts] == ["", "", *["answer"] * len(later)]
        assert not world.endpoints.rows[WEBHOOK].enabled  # as always after the last try

    def test_one_that_is_emptied_while_it_is_tried_stays_empty(self, alone):
        alone.deliver(alone.queue.take())
        alone.erase()
        once = [alone.jobs.take()]
        alone.receiver.meanwhile = lambda: once and alone.eraser(once.pop(), alone.clock.clock_ns() + 10**9)
        alone.work()
        assert len(alone.receiver.got) == 2
        assert (self.delivery(alone).state, len(self.delivery(alone).attempts)) == ("erased", 1)
        assert alone.endpoints.rows[WEBHOOK].enabled

    def test_one_whose_first_try_is_under_way_is_taken_out_by_the_last_pass(self, alone):
        """It is in its job alone while the first pass looks."""
        alone.erase()
        alone.relay_new()
        once = [alone.jobs.take()]
        alone.receiver.meanwhile = lambda: once and alone.eraser(once.pop(), alone.clock.clock_ns() + 10**9)
        alone.receiver.always = 200
        alone.work()
        assert "KIMONE" in alone.texts_of_deliveries()
        alone.work_on_erasures()
        assert "KIM" not in alone.texts_of_deliveries()

    def test_one_that_waits_because_its_endpoint_hangs_is_taken_out_before_it_is_sent(self, alone):
        for _ in range(10):
            alone.breaker.note((WEBHOOK, alone.endpoint.url), timed_out=True)
        alone.deliver(alone.queue.take())
        alone.erase()
        alone.eraser(alone.jobs.take(), alone.clock.clock_ns() + 10**9)
        alone.work()
        assert alone.receiver.got == []

    def test_one_that_changes_under_the_eraser_is_read_again(self, world):
        rewrite, faster = world.deliveries.rewrite, [1]

        def raced(before, after):
            if faster:
                faster.pop()
                row = world.deliveries.rows[before.key]
                world.deliveries.rows[before.key] = replace(row, tried=row.tried + 1)
            return rewrite(before, after)

        world.deliveries.rewrite = raced
        world.erase()
        world.work_on_erasures()
        assert "KIM" not in world.texts_of_deliveries()
