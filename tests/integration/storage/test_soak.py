"""Nothing lost, nothing doubled: a seeded storm of crashes, lost answers, races, resends and throttling."""

import random
import uuid
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from shared.conversation.turn import Turn
from shared.engine.inbound import UserMessage
from shared.errors import MalgilError
from shared.ids import log_key
from shared.services.inbound import HandleInbound
from shared.services.request import Handled, Request
from shared.storage.turns import DynamoTurns
from tests.factories import a_bot, a_handle_inbound, a_node, a_response
from tests.integration.conftest import Stack
from tests.integration.storage.faults import Crash, FaultyClient

MESSAGES = 120
SEEDS = (7, 2026)

ECHO = a_bot(
    nodes=[
        a_node(1, "entry", {}, 2),
        a_node(2, "parameter", {"set": [{"key": "heard", "value": "{{params.heard}}{{message}};"}]}, 3),
        a_response(3, "echo {{message}}", 4),
        a_node(4, "keyboard", {"type": "text"}, 2),
    ]
)


@dataclass
class Storm:
    """A client that sends messages through a faulty world until each is answered."""

    handle: HandleInbound
    client: FaultyClient
    random: random.Random
    user_key: str
    sent: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    def deliver(self, client_id: str) -> Handled:
        data = {"type": "text", "text": client_id}
        return self.handle(
            Request(
                bot=ECHO,
                platform="web",
                user_key=self.user_key,
                inbound=UserMessage(data=data),
                client_id=client_id,
            )
        )

    def send_until_answered(self, client_id: str) -> None:
        """What a client does: send again with the same id until there is an answer; it is always the same one."""
        self.sent.append(client_id)
        for _ in range(20):
            try:
                answer = self.deliver(client_id).turn.messages[0]["data"]["text"]
            except (Crash, MalgilError):
                self.client.faults.clear()
                continue
            assert self.answers.setdefault(client_id, answer) == answer
            return
        pytest.fail(f"{client_id} was never answered")

    def one(self, number: int) -> None:
        roll = self.random.random()
        faults = {0: "crash_before", 1: "crash_after", 2: "lost_answer", 3: "throttled", 4: "lost_request"}
        fault = faults.get(int(roll * 10))
        if fault is not None:
            self.client.faults["put_item"] = [fault] * self.random.choice((1, 2))
        elif roll < 0.7:
            faster = f"r{number}"
            self.client.between = lambda: self.send_until_answered(faster)
        self.send_until_answered(f"m{number}")
        if self.random.random() < 0.2:
            recent = self.sent[-4:]
            self.deliver(self.random.choice(recent))


def whole_log(turns: DynamoTurns, user_key: str) -> list[Turn]:
    name = log_key("web", user_key)
    newest = turns.newest(ECHO.id, name)
    assert newest is not None
    found = [turns.get(ECHO.id, name, revision) for revision in range(1, newest.revision + 1)]
    return [turn for turn in found if turn is not None]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_storm_loses_and_doubles_nothing(stack: Stack, seed: int) -> None:
    client = FaultyClient()
    turns = DynamoTurns(stack.turns_table, client)
    chance = random.Random(seed)
    handle = a_handle_inbound(turns, new_id=lambda: str(uuid.UUID(int=chance.getrandbits(128), version=4)))
    storm = Storm(handle, client, chance, user_key=f"soak-{seed}")

    for number in range(MESSAGES):
        storm.one(number)

    client.faults.clear()
    log = whole_log(turns, storm.user_key)
    heard = [turn.inbound["data"]["text"] for turn in log if turn.inbound is not None]
    assert sorted(heard) == sorted(set(storm.sent)), "every message once, and nothing else"
    assert [turn.revision for turn in log] == list(range(1, len(log) + 1))
    events = [event for turn in log for event in turn.events]
    assert len({event["id"] for event in events}) == len(events)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    for earlier, later in pairwise(log):
        assert earlier.state.session is not None
        assert later.state.session is not None
        said = later.inbound["data"]["text"] if later.inbound else ""
        assert later.state.session.params["heard"] == earlier.state.session.params["heard"] + said + ";"
