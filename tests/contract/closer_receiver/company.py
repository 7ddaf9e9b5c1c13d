"""Two days of a company whose receiver is CLOSER's: end users, a bot and agents act at known times, every turn goes
from the log through relay, fan-out and sender to the receiver, and what people saw is counted on the way."""

import json
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

from shared.bot.model import Bot
from shared.conversation.erasure import Erasure, tombstone
from shared.conversation.record import Occurrence, record_turn
from shared.conversation.turn import Turn
from shared.engine import agent_call
from shared.engine.inbound import AgentJoined, AgentMessage, CallCompleted, Inbound, Opened, UserMessage
from shared.engine.walk import Fact
from shared.ids import end_user_id, log_key
from shared.services.request import Request
from shared.webhooks.delivery import Attempt
from tests.contract.closer_receiver.receiver import PATH, Receiver
from tests.factories import NOW_MS, a_handle_inbound, a_node, a_response, an_authoring, an_id_source
from tests.webhook_world import BOT, WebhookWorld, a_record, an_endpoint

URL: Final = f"http://dashboard.example{PATH}"
DAY: Final = 86_400
HAN: Final = {"id": "agent-han", "profile": {"displayName": "한별", "picture": "https://cdn.example/han.png"}}
PARK: Final = {"id": "agent-park", "profile": {"displayName": "박하늘"}}
BUTTONS: Final = [{"type": "postback", "label": label} for label in ("배송", "상담원")]
FILE: Final = {
    "title": "가게",
    "preference": {"entryFlowId": 1, "fallbackFlowId": 2, "sessionBehavior": {"sessionTimeoutMinutes": 600}},
    "flows": [
        {
            "id": 1,
            "nodes": [
                a_node(1, "entry", {}, 2),
                a_response(2, "무엇을 도와드릴까요?", 3),
                a_node(
                    3,
                    "keyboard",
                    {"type": "buttons", "buttons": BUTTONS},
                    (4, {"message.text": {"equals": "상담원"}}),
                    (5, {"message.text": {"contains": "배송"}}),
                ),
                a_node(4, "manual", {}, 7),
                a_node(5, "parameter", {"type": "set", "set": [{"key": "topic", "value": "{{message.text}}"}]}, 6),
                a_response(6, "{{params.topic}}: 오늘 도착합니다.", 3),
                a_response(7, "상담을 취소했습니다.", 3),
            ],
        },
        {"id": 2, "nodes": [a_node(1, "entry", {}, 2), a_response(2, "잘 모르겠어요.")]},
    ],
}


@dataclass
class Seen:
    """What people did and saw: counted without looking at any event."""

    people: set[str] = field(default_factory=set)
    said: int = 0
    by_bot: int = 0
    by_agents: int = 0
    per_day: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    """Messages of (end users, bot, agents) of each day."""

    def note(self, second: int, *, said: int = 0, by_bot: int = 0, by_agents: int = 0) -> None:
        self.said += said
        self.by_bot += by_bot
        self.by_agents += by_agents
        day = self.per_day.get(second // DAY, (0, 0, 0))
        self.per_day[second // DAY] = (day[0] + said, day[1] + by_bot, day[2] + by_agents)


class Company:
    """Seconds count from 09:00:00.123 in Seoul on the first day."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.world = WebhookWorld(an_endpoint(url=URL))
        self.bodies: list[bytes] = []
        self.sender = replace(self.world.deliver, post=self._post)
        self.seen = Seen()
        self._relayed = 0
        self._second = 0
        new_id = an_id_source()
        turns, now_ms = self.world.turns, self.world.clock.now_ms
        self.handle = a_handle_inbound(turns, now_ms=now_ms, new_id=new_id)
        self.authoring = an_authoring(turns=turns, now_ms=now_ms, new_id=new_id)
        self._new_id = new_id

    def _post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[Attempt, str | None]:
        del headers
        self.bodies.append(body)
        status = self.receiver.answer("POST", url, body).status
        at = self.world.clock.ms
        return Attempt(at_ms=at, ms=5, status=status, error=None if status == 200 else "status"), None

    # ---- the path

    def turns(self) -> list[Turn]:
        """All turns as they lie in their logs, in the order in which they were written."""
        found = [self.world.turns.get(*key) for key in self.world.turns.rows]
        return [turn for turn in found if turn is not None]

    def relay(self, turns: list[Turn]) -> None:
        """From the stream to the receiver."""
        assert self.world.relay([a_record(turn, place) for place, turn in enumerate(turns)]) is None
        published, self.world.topic.published[:] = self.world.topic.published[:], []
        assert self.world.fan_out(*published) == set()
        while (job := self.world.queue.take()) is not None:
            self.sender(job)
        assert (self.world.faults, self.world.aside) == ([], [])

    def _relay_new(self) -> None:
        fresh = list(islice(self.turns(), self._relayed, None))
        self._relayed += len(fresh)
        self.relay(fresh)

    # ---- what people do

    def at(self, second: int) -> None:
        assert second >= self._second, "time goes on"
        self._second = second
        self.world.clock.ms = NOW_MS + second * 1000

    def publish(self) -> None:
        self.authoring.import_file(BOT, json.dumps(FILE).encode())
        record = self.authoring.publish(BOT)
        assert record.published is not None
        content = self.authoring.content(record)
        self.bot = Bot(content, bot_id=BOT, version=record.published.content_hash, profile=record.profile)
        self._relay_new()

    def delete(self) -> None:
        self.authoring.delete(BOT)
        self._relay_new()

    def _happens(self, who: str, inbound: Inbound, platform: str) -> int:
        """How many messages the end user is shown for it."""
        handled = self.handle(Request(bot=self.bot, platform=platform, user_key=who, inbound=inbound))
        self._relay_new()
        self.seen.people.add(f"{platform}/{who}")
        return len(handled.messages)

    def opens(self, who: str, platform: str = "web") -> None:
        self.seen.note(self._second, by_bot=self._happens(who, Opened(), platform))

    def says(self, who: str, text: str, platform: str = "web") -> None:
        shown = self._happens(who, UserMessage(data={"type": "text", "text": text}), platform)
        self.seen.note(self._second, said=1, by_bot=shown)

    def joins(self, agent: dict[str, Any], who: str) -> None:
        assert self._happens(who, AgentJoined(agent=agent), "web") == 0

    def answers(self, agent: dict[str, Any], who: str, text: str) -> None:
        message = AgentMessage(data={"type": "text", "text": text}, agent=agent)
        self.seen.note(self._second, by_agents=self._happens(who, message, "web"))

    def completes(self, who: str) -> None:
        assert self._happens(who, CallCompleted(), "web") == 0

    def hands_over(self, who: str) -> None:
        """The agent calls for a colleague."""
        self._tells(who, agent_call.REQUESTED, "HANDOVER", None)

    def takes_over(self, agent: dict[str, Any], who: str) -> None:
        """The colleague comes."""
        self._tells(who, agent_call.CONNECTED, "CONNECTED", agent)

    def erases(self, who: str) -> None:
        """The person asked for it; they have to be forgotten. The rows go later, which no receiver sees."""
        log = log_key("web", who)
        newest = self.world.turns.newest(BOT, log)
        assert newest is not None
        erasure = Erasure(
            erasure_id=self._new_id(),
            bot_id=BOT,
            end_user_id=end_user_id(BOT, "web", who),
            log=log,
            revision=newest.revision + 1,
            sequence=newest.state.sequence + 1,
            requested_by="cli",
            requested_at_ms=self.world.clock.ms,
        )
        self.world.turns.append(tombstone(newest, erasure, self._new_id()), newest)
        self._relay_new()

    def _tells(self, who: str, name: str, status: str, agent: dict[str, Any] | None) -> None:
        """A turn of a step that the engine has not: no bot calls, one agent gives the conversation to another."""
        log = log_key("web", who)
        newest = self.world.turns.newest(BOT, log)
        assert newest is not None
        session = newest.state.session
        assert session is not None
        happened = Occurrence(
            bot_id=BOT,
            log=log,
            platform="web",
            user_key=who,
            at_ms=self.world.clock.ms,
            said=None,
            client_id=None,
            session=session,
            messages=[],
            facts=[Fact(name, session, agent=agent, manual_status=status)],
            bot_version=newest.bot_version,
        )
        turn = record_turn(newest.state, happened, revision=newest.revision + 1, commit=self._new_id())
        self.world.turns.append(turn, newest)
        self._relay_new()


def two_days(receiver: Receiver) -> Company:
    """Of calls for an agent: kim's waits 45 s, is handed over and done; her second is taken back after 4 s; lee's is
    taken back after 30 s; choi's waits 120 s and her second 20 s, on the second day; his last is still waiting."""
    company = Company(receiver)
    company.publish()
    _first_day(company)
    _second_day(company)
    company.erases("lee")
    company.delete()
    return company


def _first_day(company: Company) -> None:
    company.opens("kim")
    company.at(10)
    company.opens("lee")
    company.says("jung", "배송", platform="kakao")
    company.at(60)
    company.says("kim", "상담원")
    company.at(105)
    company.joins(HAN, "kim")
    company.at(110)
    company.answers(HAN, "kim", "안녕하세요, 한별입니다.")
    company.at(120)
    company.says("kim", "주문을 바꾸고 싶어요")
    company.at(150)
    company.hands_over("kim")
    company.at(170)
    company.takes_over(PARK, "kim")
    company.at(175)
    company.answers(PARK, "kim", "이어서 도와드리겠습니다.")
    company.at(300)
    company.completes("kim")
    company.at(400)
    company.says("kim", "하나 더 있어요")  # at the node that called: it calls again
    company.at(404)
    company.says("kim", "취소")
    company.at(500)
    company.says("lee", "상담원")
    company.at(530)
    company.says("lee", "취소")
    company.says("jung", "배송 조회", platform="kakao")
    company.at(600)
    company.says("jung", "상담원", platform="kakao")  # KakaoTalk's own button: no call of ours


def _second_day(company: Company) -> None:
    company.at(DAY)
    company.says("jung", "배송", platform="kakao")  # after more than ten hours: another conversation
    company.opens("choi")
    company.at(DAY + 10)
    company.says("choi", "상담원")
    company.at(DAY + 130)
    company.answers(HAN, "choi", "오래 기다리셨습니다.")  # whoever speaks has taken over
    company.at(DAY + 200)
    company.completes("choi")
    company.at(DAY + 300)
    company.says("choi", "또 왔어요")
    company.at(DAY + 320)
    company.joins(PARK, "choi")
    company.at(DAY + 330)
    company.completes("choi")
    company.at(DAY + 400)
    company.says("choi", "여보세요")
    company.at(DAY + 3600)
