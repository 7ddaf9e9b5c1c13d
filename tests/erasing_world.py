"""In-memory stand-ins of what erasing a person needs, beside the path of events: conditions are kept."""

from collections.abc import Sequence
from dataclasses import replace

from shared.conversation.erasure import Erasure, ErasureJob, OldTurn
from shared.conversation.identity import Identity
from shared.conversation.projection import SeenTurn, sightings
from shared.conversation.turn import Turn
from shared.engine.inbound import UserMessage
from shared.errors import Conflict, Unavailable
from shared.ids import end_user_id, log_key
from shared.services.erase_person import ErasePerson, EraseRows
from shared.services.request import Handled, Request
from shared.storage import turn_codec
from shared.webhooks.endpoint import Endpoint
from tests.factories import a_bot, a_handle_inbound, a_node, a_response, an_id_source
from tests.fakes import MemoryTurns
from tests.webhook_world import OTHER_WEBHOOK, Clock, MemoryIdentities, WebhookWorld, a_record, an_endpoint

BOT = "bot"
ECHO = a_bot(
    nodes=[
        a_node(1, "entry", {}, 2),
        a_node(2, "parameter", {"set": [{"key": "heard", "value": "{{params.heard}}{{message}};"}]}, 3),
        a_response(3, "echo {{message}}", 4),
        a_node(4, "keyboard", {"type": "text"}, 2),
    ]
)
"""Remembers everything that is said to it."""


class MemoryErasures:
    """The port Erasures, on the turns of a world. `before_begin` is what happens just before the transaction."""

    def __init__(self, turns: MemoryTurns) -> None:
        self.turns = turns
        self.rows: dict[tuple[str, str], Erasure] = {}
        self.before_begin = lambda: None

    def begin(self, erasure: Erasure, tombstone: Turn) -> None:
        self.before_begin()
        if (tombstone.bot_id, tombstone.log, tombstone.revision) in self.turns.rows:
            raise Conflict("another message was faster")
        self.turns.append(tombstone)
        self.rows[erasure.bot_id, erasure.erasure_id] = replace(erasure, lock=1)

    def get(self, bot_id: str, erasure_id: str) -> Erasure | None:
        return self.rows.get((bot_id, erasure_id))

    def save(self, erasure: Erasure) -> None:
        key = (erasure.bot_id, erasure.erasure_id)
        if self.rows[key].lock != erasure.lock:
            raise Conflict("the receipt was changed by somebody else")
        self.rows[key] = replace(erasure, lock=erasure.lock + 1)


class MemoryErasureQueue:
    """The queue of erasures: (due in epoch ms, job)."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.jobs: list[tuple[int, ErasureJob]] = []
        self.fails = False

    def send(self, job: ErasureJob, *, delay_seconds: int = 0) -> None:
        if self.fails:
            raise Unavailable("the queue of erasures did not take a job")
        assert 0 <= delay_seconds <= 900, "SQS refuses longer delays"
        self.jobs.append((self.clock.ms + 1_000 * delay_seconds, job))

    def take(self) -> ErasureJob | None:
        """The next job when it is due: the clock moves on to it."""
        if not self.jobs:
            return None
        self.jobs.sort(key=lambda found: found[0])
        due, job = self.jobs.pop(0)
        self.clock.ms = max(self.clock.ms, due)
        return job


class MemoryOldRows:
    """The port OldRows on a world's turns."""

    def __init__(self, turns: MemoryTurns) -> None:
        self.log = turns
        self.unreadable: set[int] = set()
        self.states: list[int] = []
        self.claims: list[int] = []
        self.expiring: dict[int, int] = {}

    def turns(self, bot_id: str, log: str, revision: int) -> Sequence[OldTurn]:
        found = sorted(number for bot, name, number in self.log.rows if (bot, name) == (bot_id, log))
        old = [number for number in found if number < revision][:2]
        bodies = [turn_codec.decode(self.log.rows[bot_id, log, number][0], turn_codec.VERSION) for number in old]
        return [
            OldTurn(revision=number, events=None if number in self.unreadable else body["events"])
            for number, body in zip(old, bodies, strict=True)
        ]

    def delete_turns(self, bot_id: str, log: str, revisions: Sequence[int]) -> None:
        for number in revisions:
            self.log.rows.pop((bot_id, log, number), None)

    def delete_states(self, bot_id: str, log: str, revision: int) -> int:
        gone = [number for number in self.states if number <= revision]
        self.states = [number for number in self.states if number > revision]
        return len(gone)

    def delete_claims(self, bot_id: str, log: str, revision: int) -> None:
        self.claims = [number for number in self.claims if number > revision]

    def expire(self, tombstone: Turn, at_ms: int) -> None:
        self.expiring[tombstone.revision] = at_ms


class ErasableIdentities(MemoryIdentities):
    """The port Identities, and the projector's part of it."""

    def __init__(self) -> None:
        super().__init__()
        self.erased: dict[str, int] = {}

    def delete(self, identity: Identity, *, at_ms: int | None = None) -> None:
        super().delete(identity)
        self.erased[identity.public_id] = at_ms or 2**53

    def note(self, turn: Turn) -> None:
        for sighting in sightings(seen(turn)):
            known = (sighting.identity.public_id, sighting.identity.end_user_id)
            if all(self.erased.get(public_id, 0) < sighting.at_ms for public_id in known):
                self.rows.setdefault(sighting.identity.public_id, sighting.identity)


def seen(turn: Turn) -> SeenTurn:
    """A turn as the projector's stream shows it."""
    return SeenTurn(
        bot_id=turn.bot_id,
        log=turn.log,
        revision=turn.revision,
        commit=turn.commit,
        at_ms=turn.at_ms,
        platform=turn.platform,
        user_key=turn.user_key,
        first_contact_ms=turn.state.first_contact_ms,
        events=turn.events,
    )


class ErasingWorld(WebhookWorld):
    """People who talk with a bot, endpoints that hear of it, and the erasure of somebody."""

    def __init__(self, *endpoints: Endpoint) -> None:
        both = (an_endpoint(bot_id=BOT, created_at_ms=0), an_endpoint(bot_id=BOT, created_at_ms=0))
        super().__init__(*(endpoints or (both[0], replace(both[1], webhook_id=OTHER_WEBHOOK, enabled=False))))
        self.erasures = MemoryErasures(self.turns)
        self.jobs = MemoryErasureQueue(self.clock)
        self.rows = MemoryOldRows(self.turns)
        self.people = self.identities = ErasableIdentities()
        self.new_id = an_id_source()
        self.relayed: set[str] = set()
        self.inbound = a_handle_inbound(self.turns, new_id=self.new_id, now_ms=self.clock.now_ms)
        self.person = ErasePerson(
            identities=self.identities,
            turns=self.turns,
            erasures=self.erasures,
            queue=self.jobs,
            now_ms=self.clock.now_ms,
            new_id=self.new_id,
        )
        self.eraser = EraseRows(
            erasures=self.erasures,
            queue=self.jobs,
            turns=self.turns,
            rows=self.rows,
            identities=self.identities,
            endpoints=self.endpoints,
            deliveries=self.deliveries,
            now_ms=self.clock.now_ms,
            clock_ns=self.clock.clock_ns,
            report=self.faults.append,
        )

    def says(self, user_key: str, text: str) -> Handled:
        self.clock.ms += 1_000
        message = UserMessage(data={"type": "text", "text": text})
        return self.inbound(Request(bot=ECHO, platform="web", user_key=user_key, inbound=message))

    def relay_new(self) -> None:
        """What was not relayed yet, all of it in one batch; the projector sees it too."""
        logs = sorted({(bot, log, revision) for bot, log, revision in self.turns.rows})
        turns = [turn for key in logs if (turn := self.turns.get(*key)) is not None and turn.commit not in self.relayed]
        turns.sort(key=lambda turn: turn.at_ms)
        self.relayed |= {turn.commit for turn in turns}
        self.relay([a_record(turn, place) for place, turn in enumerate(turns, start=1)])
        for turn in turns:
            self.people.note(turn)
        published, self.topic.published = self.topic.published, []
        assert self.fan_out(*published) == set()

    def tell_late(self, turns: Sequence[Turn]) -> None:
        """The stream brings turns whose rows may be gone."""
        self.relayed |= {turn.commit for turn in turns}
        self.relay([a_record(turn, place) for place, turn in enumerate(turns, start=1)])
        published, self.topic.published = self.topic.published, []
        assert self.fan_out(*published) == set()

    def erase(self, user_key: str = "kim") -> Erasure:
        return self.person.request_by_key(BOT, "web", user_key, requested_by="cli")

    def work_on_erasures(self) -> None:
        """Every job when it is due, until there is none."""
        while (job := self.jobs.take()) is not None:
            self.eraser(job, self.clock.clock_ns() + 40_000_000_000)

    def newest(self, user_key: str = "kim") -> Turn:
        found = self.turns.newest(BOT, log_key("web", user_key))
        assert found is not None
        return found

    def revisions(self, user_key: str = "kim") -> list[int]:
        log = log_key("web", user_key)
        return sorted(revision for bot, name, revision in self.turns.rows if (bot, name) == (BOT, log))

    def person_id(self, user_key: str = "kim") -> str:
        return end_user_id(BOT, "web", user_key)

    def texts_of_deliveries(self) -> str:
        """Everything that the delivery log holds."""
        return "\n".join(
            row.events.decode() + "".join(attempt.answer for attempt in row.attempts)
            for row in self.deliveries.rows.values()
        )

    def events_posted(self, name: str) -> list[str]:
        """Ids of the events of a type that the receiver got."""
        return [
            event["id"] for posted in self.receiver.got for event in posted.data["messages"] if event["event"] == name
        ]
