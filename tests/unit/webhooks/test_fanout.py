"""From messages of the topic to deliveries."""

import json
import uuid
from dataclasses import replace

import pytest

from shared.errors import InvalidInput, Unavailable
from shared.services.webhook_fanout import parse_message
from shared.webhooks.delivery import MAX_BODY_BYTES, DeliveryJob, batches, body, in_order, make
from tests.webhook_world import BOT, OTHER_WEBHOOK, WEBHOOK, WebhookWorld, an_endpoint, an_event


@pytest.fixture
def world() -> WebhookWorld:
    return WebhookWorld()


def message(*events, bot_id=BOT):
    return {"botId": bot_id, "events": list(events)}


def made(world) -> list[DeliveryJob]:
    return [job for _, job in world.queue.jobs]


def events_made(world) -> list[list[int]]:
    return [[event["sequence"] for event in json.loads(job.events)] for job in made(world)]


def test_events_of_a_short_period_share_a_delivery(world):
    world.fan_out(message(an_event(1)), message(an_event(2), an_event(3)))
    assert events_made(world) == [[1, 2, 3]]
    (job,) = made(world)
    assert (job.bot_id, job.key.webhook_id, job.count, job.round, job.tried) == (BOT, WEBHOOK, 3, 1, 0)


def test_what_is_sent_at_once_has_no_row_before_its_first_try(world):
    world.tell(an_event())
    assert world.deliveries.rows == {}
    world.work()
    assert world.delivery.state == "delivered"


def test_each_endpoint_gets_a_delivery_of_its_own():
    world = WebhookWorld(an_endpoint(), an_endpoint(webhook_id=OTHER_WEBHOOK))
    world.tell(an_event())
    assert {job.key.webhook_id for job in made(world)} == {WEBHOOK, OTHER_WEBHOOK}
    assert len({job.key.delivery_id for job in made(world)}) == 2


def test_endpoints_of_other_bots_hear_nothing(world):
    world.fan_out(message(an_event(), bot_id="other"))
    assert made(world) == []


def test_a_delivery_holds_a_hundred_events_at_most(world):
    world.tell(*[an_event(number) for number in range(1, 251)])
    assert [len(found) for found in events_made(world)] == [100, 100, 50]


def test_a_delivery_is_256_kilobytes_at_most_whatever_the_url(world):
    url = "https://받는곳.example/" + "가" * 230
    events = [an_event(number, text="가" * 20_000) for number in range(1, 20)]
    found = [make(BOT, WEBHOOK, batch) for batch in batches(events)]
    assert len(found) > 1
    assert all(len(body(delivery, url)) <= MAX_BODY_BYTES for delivery in found)
    assert [event["sequence"] for delivery in found for event in json.loads(delivery.events)] == list(range(1, 20))


def test_the_oldest_event_is_first_whatever_order_the_queue_had(world):
    world.fan_out(message(an_event(3)), message(an_event(1)), message(an_event(2)))
    assert events_made(world) == [[1, 2, 3]]


def test_inside_a_log_its_sequence_decides_whatever_the_clocks_said():
    person, other = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
    late_clock = [an_event(1, timestamp=2000, end_user_id=person), an_event(2, timestamp=1000, end_user_id=person)]
    between = an_event(1, id=str(uuid.uuid4()), timestamp=1500, end_user_id=other)
    ordered = in_order([*late_clock, between])
    mine = [event["sequence"] for event in ordered if event["data"]["message"]["endUserId"] == person]
    assert mine == [1, 2]
    assert len(ordered) == 3


def test_an_event_that_the_queue_handed_out_twice_is_in_the_delivery_once(world):
    world.fan_out(message(an_event(1)), message(an_event(1), an_event(2)))
    assert events_made(world) == [[1, 2]]


def test_a_batch_that_comes_again_makes_the_same_delivery(world):
    for _ in range(3):
        world.tell(an_event(1), an_event(2))
    assert len({job.key for job in made(world)}) == 1
    world.work()
    assert len(world.receiver.got) == 1


def test_a_crash_before_the_job_is_mended_by_the_batchs_next_delivery(world):
    world.queue.fails = True
    assert world.fan_out(message(an_event())) == {"0"}
    world.queue.fails = False
    world.tell(an_event())
    world.work()
    assert len(world.receiver.got) == 1
    assert world.delivery.state == "delivered"


def test_the_jobs_of_all_bots_are_sent_together(world):
    other = an_endpoint(webhook_id=OTHER_WEBHOOK, bot_id="cafe")
    world.endpoints.rows[OTHER_WEBHOOK] = other
    sent, send = [], world.queue.send

    def note(jobs, **more):
        sent.append(list(jobs))
        send(sent[-1], **more)

    world.queue.send = note
    assert world.fan_out(message(an_event()), message(an_event(2, sourceId="cafe"), bot_id="cafe")) == set()
    assert [[job.bot_id for job in jobs] for jobs in sent] == [[BOT, "cafe"]]


def test_when_the_queue_takes_no_jobs_every_message_comes_again(world):
    world.queue.fails = True
    assert world.fan_out(message(an_event()), message(an_event(2))) == {"0", "1"}
    world.queue.fails = False
    assert world.fan_out(message(an_event()), message(an_event(2))) == set()
    world.work()
    assert len(world.receiver.got) == 1


def test_a_bot_that_cannot_be_served_does_not_hold_up_the_others(world):
    of_bot = world.endpoints.of_bot

    def read(bot_id):
        if bot_id == "broken":
            raise Unavailable("no answer")
        return of_bot(bot_id)

    world.endpoints.of_bot = read
    assert world.fan_out(message(an_event(), bot_id="broken"), message(an_event())) == {"0"}
    assert len(made(world)) == 1


def test_endpoints_are_remembered_for_five_seconds_for_what_happened_before(world):
    world.clock.ms += 60_000
    world.tell(an_event(1))
    world.tell(an_event(2))
    assert world.endpoints.reads == 1
    world.clock.ms += 5_000
    world.tell(an_event(3))
    assert world.endpoints.reads == 2


def test_what_happened_after_an_endpoint_was_made_reaches_it_however_soon(world):
    world.tell(an_event(1))
    world.endpoints.rows[OTHER_WEBHOOK] = an_endpoint(webhook_id=OTHER_WEBHOOK, created_at_ms=world.clock.ms)
    world.tell(an_event(2))
    assert [job.key.webhook_id for job in made(world)] == [WEBHOOK, WEBHOOK, OTHER_WEBHOOK]


def test_a_fault_that_nobody_expected_does_not_hold_up_other_bots(world):
    world.endpoints.rows["broken"] = an_endpoint(webhook_id="no uuid", bot_id="broken")
    assert world.fan_out(message(an_event(), bot_id="broken"), message(an_event())) == {"0"}
    assert len(made(world)) == 1
    assert len(world.faults) == 1


class TestAnEndpointThatIsOff:
    def test_its_events_are_held_and_not_sent(self):
        world = WebhookWorld(an_endpoint(enabled=False))
        world.tell(an_event())
        world.work()
        assert world.delivery.state == "held"
        assert world.receiver.got == []

    def test_it_is_looked_at_again_each_time_so_that_nothing_is_held_for_nothing(self):
        world = WebhookWorld(an_endpoint(enabled=False))
        world.tell(an_event(1))
        world.endpoints.rows[WEBHOOK] = an_endpoint()
        world.tell(an_event(2))
        world.work()
        assert [row.state for row in world.deliveries.rows.values()] == ["held", "delivered"]

    def test_what_was_asked_for_before_its_row_was_there_is_sent(self):
        """The owner switches it on and sends what is held, between our look at the endpoint and the row."""
        world = WebhookWorld(an_endpoint(enabled=False))
        put = world.deliveries.put

        def owner_first(delivery, *, now_ms):
            world.endpoints.rows[WEBHOOK] = an_endpoint()
            assert world.replay.send_held(BOT, WEBHOOK) == 0
            return put(delivery, now_ms=now_ms)

        object.__setattr__(world.deliveries, "put", owner_first)
        world.tell(an_event())
        world.work()
        assert (world.delivery.state, len(world.receiver.got)) == ("delivered", 1)

    def test_a_delivery_whose_job_was_lost_in_a_crash_is_held_too(self):
        """The endpoint was on at first, and off when the batch came again."""
        world = WebhookWorld()
        world.queue.fails = True
        assert world.fan_out(message(an_event())) == {"0"}
        world.queue.fails = False
        world.endpoints.rows[WEBHOOK] = an_endpoint(enabled=False)
        world.tell(an_event())
        world.work()
        assert (world.delivery.state, world.receiver.got) == ("held", [])

    def test_a_crash_after_the_row_is_mended_although_the_owner_was_quicker_than_the_batch(self):
        """We die between the row and the look at the switch, and the row is there when the batch comes again."""
        world = WebhookWorld(an_endpoint(enabled=False))
        get = world.endpoints.get
        object.__setattr__(world.endpoints, "get", no_answer)
        assert world.fan_out(message(an_event())) == {"0"}

        def switch_on(bot_id, webhook_id):
            world.endpoints.rows[WEBHOOK] = an_endpoint()
            return get(bot_id, webhook_id)

        object.__setattr__(world.endpoints, "get", switch_on)
        world.tell(an_event())
        world.work()
        assert (world.delivery.state, len(world.receiver.got)) == ("delivered", 1)

    def test_what_came_to_the_sender_before_its_row_was_put_is_not_sent(self):
        """Two copies of a batch: one saw the endpoint on, the other off."""
        world = WebhookWorld()
        world.tell(an_event())
        world.endpoints.rows[WEBHOOK] = an_endpoint(enabled=False)
        world.clock.ms += 5_000
        world.tell(an_event())
        world.endpoints.rows[WEBHOOK] = an_endpoint()
        world.work()
        assert (world.delivery.state, world.receiver.got) == ("held", [])


def no_answer(*_):
    raise Unavailable("no answer")


@pytest.mark.parametrize(
    "text",
    [
        *["", "x", "[]", "{}", '{"botId": "b"}', '{"botId": "b#", "events": []}', '{"botId": "b", "events": [{}]}'],
        *['{"botId": 1, "events": []}', json.dumps({"botId": "b", "events": [{**an_event(), "timestamp": "1"}]})],
    ],
)
def test_a_message_of_another_shape_is_refused(text):
    with pytest.raises(InvalidInput):
        parse_message("1", text)


def test_an_endpoint_of_a_replay_makes_other_deliveries_with_the_same_events():
    (batch,) = batches([an_event()])
    plain, replay = make(BOT, WEBHOOK, batch), make(BOT, WEBHOOK, batch, replay_id="r1")
    assert plain.key.delivery_id != replay.key.delivery_id
    assert replace(plain, key=replay.key) == replay
