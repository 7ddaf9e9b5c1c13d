"""Runs a golden conversation: a JSON file of what was said and what the bot answered.

    {"bot": a path from the repository's root or a document, "platform"?: "web", "now"?: ISO time,
     "world"?: [{"asked": "GET https://...", "status": 200, "body": any JSON}, {"asked": node type, "result": {...}} or
                {"asked": ..., "failed": error name}],
     "turns": [{what the user does, "bot": [...], "keyboard"?: [labels]}], "params"?: {...at the end}}

The user does one of: {"open": true}, {"user": text, "payload"?: of an old button}, {"press": label of a button shown
last}, {"photo": url}, {"start": {flowId, nodeId?}}, {"agent": "join" | "complete" | text said}. A bot message is its
text, or its whole data where there is more to it. Between turns everything goes through the stored format.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from shared.bot.document import split_document
from shared.bot.model import Bot
from shared.channels.kakao.render import SkillReply, render_reply
from shared.engine import Answered, Effect, EffectAnswer, EffectFailed, HttpCall, HttpResponse
from shared.engine.effects import effect_to_json
from shared.engine.inbound import AgentJoined, AgentMessage, CallCompleted, Inbound, Opened, StartAt, UserMessage
from shared.engine.message import parse_payload
from shared.services.request import Handled, Request
from tests.factories import NOW_MS, a_handle_inbound
from tests.fakes import MemoryTurns, ScriptedEffects

ROOT = Path(__file__).parents[2]
JsonObject = dict[str, Any]


def load_bot(given: Any) -> Bot:
    document = json.loads((ROOT / given).read_text(encoding="utf-8")) if isinstance(given, str) else given
    file = split_document(document)
    return Bot(file.content, bot_id="golden", version="golden", profile=file.profile)


def answer_of(scripted: JsonObject) -> EffectAnswer:
    if "failed" in scripted:
        return EffectFailed(name=scripted["failed"], message=scripted["failed"])
    if "result" in scripted:
        return Answered(result=scripted["result"])
    body = scripted["body"]
    raw = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    url = scripted["asked"].partition(" ")[2]
    return HttpResponse(status=scripted["status"], url=url, content_type="application/json", body=raw.encode())


@dataclass
class Talk:
    """One conversation going on."""

    golden: JsonObject
    turns: MemoryTurns = field(default_factory=MemoryTurns)
    shown: list[JsonObject] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bot = load_bot(self.golden["bot"])
        self.platform = self.golden.get("platform", "web")
        self.effects = ScriptedEffects([answer_of(scripted) for scripted in self.golden.get("world", [])])
        now = self.golden.get("now")
        now_ms = NOW_MS if now is None else int(datetime.fromisoformat(now).timestamp() * 1000)
        self.handle = a_handle_inbound(self.turns, self.effects, now_ms=lambda: now_ms)

    def take(self, turn: JsonObject) -> Handled:
        """Do what the user does in this turn."""
        inbound = self.inbound(turn)
        handled = self.handle(Request(bot=self.bot, platform=self.platform, user_key="golden-user", inbound=inbound))
        self.shown = self.buttons_of(handled)
        return handled

    def inbound(self, turn: JsonObject) -> Inbound:
        if turn.get("open"):
            return Opened()
        if "user" in turn:
            more = {"payload": turn["payload"]} if "payload" in turn else {}
            return UserMessage(data={"type": "text", "text": turn["user"], **more})
        if "press" in turn:
            return self.pressed(turn["press"])
        if "photo" in turn:
            media = {"contentType": "image", "uri": turn["photo"]}
            return UserMessage(data={"type": "media", "text": "", "media": media})
        if "start" in turn:
            return StartAt(flow_id=turn["start"]["flowId"], node_id=turn["start"].get("nodeId"))
        if turn["agent"] == "join":
            return AgentJoined(agent={"id": "agent-1"})
        if turn["agent"] == "complete":
            return CallCompleted()
        return AgentMessage(data={"type": "text", "text": turn["agent"]}, agent={"id": "agent-1"})

    def pressed(self, label: str) -> Inbound:
        button = next((button for button in self.shown if button["label"] == label), None)
        assert button is not None, f"no button '{label}' among {[button['label'] for button in self.shown]}"
        data: JsonObject = {"type": "text", "text": label}
        if button["type"] == "goto":
            return StartAt(flow_id=button["flowId"], node_id=button.get("nodeId"), message=data)
        if "payload" in button:
            data["payload"] = parse_payload(button["payload"])
        return UserMessage(data=data)

    def buttons_of(self, handled: Handled) -> list[JsonObject]:
        found: list[JsonObject] = []
        for message in handled.turn.messages:
            data = message["data"]
            found += data.get("buttons", [])
            for card in data.get("cards", []):
                found += card.get("buttons", [])
        return found + (handled.keyboard or {}).get("buttons", [])

    def record(self, turn: JsonObject, handled: Handled) -> JsonObject:
        """The turn with what the bot answered, as the golden file writes it."""
        does = {key: turn[key] for key in turn if key not in ("bot", "keyboard")}
        recorded = {**does, "bot": [as_golden(message["data"]) for message in handled.turn.messages]}
        labels = [button["label"] for button in (handled.keyboard or {}).get("buttons", [])]
        if labels:
            recorded["keyboard"] = labels
        return recorded

    def params(self) -> JsonObject:
        logs = list(self.turns.rows)
        newest = self.turns.newest(*logs[-1][:2]) if logs else None
        session = None if newest is None else newest.state.session
        return {} if session is None else session.params

    def kakao_reply(self, handled: Handled) -> SkillReply:
        return render_reply(
            handled.turn.messages,
            handled.keyboard,
            revision=handled.turn.revision,
            system_messages=self.bot.system_messages,
        )


def as_asked(effect: Effect) -> str:
    return f"{effect.method} {effect.url}" if isinstance(effect, HttpCall) else str(effect_to_json(effect)["type"])


def as_golden(data: JsonObject) -> Any:
    return data["text"] if set(data) == {"type", "text"} else data


def run(golden: JsonObject) -> tuple[JsonObject, list[JsonObject]]:
    """The golden as it comes out now, and the KakaoTalk reply of each turn that says something."""
    talk = Talk(golden)
    recorded, replies = [], []
    for turn in golden["turns"]:
        handled = talk.take(turn)
        recorded.append(talk.record(turn, handled))
        if handled.turn.messages:
            replies.append(talk.kakao_reply(handled).body)
    asked = [as_asked(effect) for effect in talk.effects.asked]
    scripted = golden.get("world", [])[: len(asked)]
    world = [{**answer, "asked": asked[index]} for index, answer in enumerate(scripted)]
    fresh = {**golden, "turns": recorded, "params": talk.params()}
    if golden.get("world"):
        fresh["world"] = world
    return fresh, replies
