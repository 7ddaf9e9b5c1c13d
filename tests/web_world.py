"""The web chat over logs in memory: browsers that send frames, sockets that are told, an agent, and the worker."""

import json
from dataclasses import replace
from typing import Any

from shared.channels.web.settings import WebSettings
from shared.channels.web.tokens import Claims
from shared.conversation.turn import Turn
from shared.engine.inbound import Inbound
from shared.errors import Unavailable
from shared.services.request import Handled, Request
from shared.services.web_chat import WebChat, no_uploads
from shared.services.web_ports import AcceptUpload
from shared.services.web_push import PushToSockets
from shared.usage.calendar import SEOUL
from tests.factories import a_node, a_response
from tests.open_api_world import GREETING, MS, OpenApiWorld

JsonObject = dict[str, Any]

SHOP: JsonObject = {
    **GREETING,
    "flows": [
        *GREETING["flows"],
        {
            "id": 4,
            "title": "긴 말",
            "nodes": [
                a_node(1, "entry", {}, 2),
                *[a_response(number, "가" * 1_000, number + 1) for number in range(2, 20)],
                a_response(20, "끝"),
            ],
        },
    ],
}
BUDGET_NS = 25_000 * MS


class MemoryRates:
    """The port RateCounters."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, int], int] = {}

    def add(self, name: str, window: int, count: int, *, expires_at_s: int, deadline_ns: int | None = None) -> int:
        self.counts[name, window] = self.counts.get((name, window), 0) + count
        return self.counts[name, window]


class MemorySockets:
    """The ports Connections and Post: sockets by log, and what each was sent. Those in `gone` are closed, those in
    `stuck` take nothing."""

    def __init__(self) -> None:
        self.open: dict[tuple[str, str], list[str]] = {}
        self.sent: dict[str, list[JsonObject]] = {}
        self.gone: set[str] = set()
        self.stuck: set[str] = set()
        self.looked_up: list[str] = []
        self.fails = False

    def connect(self, claims: Claims, connection_id: str) -> str:
        self.open.setdefault((claims.bot_id, claims.log), []).append(connection_id)
        self.sent[connection_id] = []
        return connection_id

    def of(self, bot_id: str, log: str, deadline_ns: int | None = None) -> list[str]:
        self.looked_up.append(log)
        if self.fails:
            raise Unavailable("the table does not answer")
        return list(self.open.get((bot_id, log), ()))

    def remove(self, bot_id: str, log: str, connection_id: str, deadline_ns: int | None = None) -> None:
        self.open[bot_id, log].remove(connection_id)

    def __call__(self, connection_id: str, frame: bytes, deadline_ns: int | None = None) -> bool:
        if connection_id in self.stuck:
            raise Unavailable("a socket takes nothing")
        if connection_id in self.gone:
            return False
        self.sent[connection_id].append(json.loads(frame))
        return True


class WebWorld(OpenApiWorld):
    """Bots whose web chat is on, and the use case."""

    def __init__(self, monkeypatch: Any, accept_upload: AcceptUpload = no_uploads) -> None:
        super().__init__(monkeypatch)
        self.rates, self.sockets = MemoryRates(), MemorySockets()
        self.push = PushToSockets(connections=self.sockets, post=self.sockets, report=self.reports.append)
        self.chat = WebChat(
            published=self.published,
            runnable=self.runnable,
            turns=self.turns,
            handle_inbound=self.handle_inbound,
            rates=self.rates,
            push=self.push,
            calendar=SEOUL,
            now_ms=self.now_ms,
            report=self.reports.append,
            report_trace=lambda trace, bot_id: None,
            accept_upload=accept_upload,
        )
        self.publish(SHOP)
        self.set_web(WebSettings(enabled=True))

    def set_web(self, settings: WebSettings, bot_id: str = "shop", **changes: Any) -> None:
        """Other settings of the channel, or of the bot's record; the memory of the old ones is over."""
        bots: Any = self.authoring.bots
        record = bots.records[bot_id]
        bots.records[bot_id] = replace(record, channels={"web": settings.to_dict()}, **changes)
        self.ms += 5_001

    def token(self, user_key: str = "kim", bot_id: str = "shop") -> Claims:
        return Claims.fresh(bot_id, user_key, self.ms // 1_000)

    def send(self, frame: Any, user_key: str = "kim", *, budget_ns: int = BUDGET_NS, **more: Any) -> JsonObject:
        """The answer to a frame."""
        raw = frame if isinstance(frame, str | bytes) else json.dumps(frame)
        claims = more.pop("claims", None) or self.token(user_key)
        answer = self.chat.handle(claims, raw, budget_ns, **more)
        json.dumps(answer, allow_nan=False)
        return answer

    def say(self, text: str, client_id: str | None = None, user_key: str = "kim", **more: Any) -> JsonObject:
        """Somebody slow sends a text."""
        self.ms += 1_000
        client_id = client_id or f"c-{self.ms}"
        return self.send(
            {"type": "message", "clientId": client_id, "data": {"type": "text", "text": text}}, user_key, **more
        )

    def from_outside(self, inbound: Inbound, user_key: str = "kim") -> Handled:
        record = self.published.get("shop")
        assert record is not None
        assert record.published is not None
        self.ms += 1_000
        return self.handle_inbound(
            Request(
                bot=self.runnable.load(record, record.published),
                platform="web",
                user_key=user_key,
                inbound=inbound,
                from_outside=True,
            )
        )

    def newest(self, user_key: str = "kim") -> Turn:
        return self.log(user_key=user_key)[-1]


def texts(frame: JsonObject) -> list[str]:
    """What is said in a frame, the end user's own after a >."""
    return [("> " if message["isUser"] else "") + message["data"]["text"] for message in frame["messages"]]
