"""`malgil chat`: talk with a bot in the terminal. A file runs without any cloud; an id runs on the cloud's tables."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from infra.cli.cloud import CloudChoice, enter
from infra.cli.draw import BOT, Card, Choice, Screen, safe
from infra.cli.errors import sentence
from infra.cli.language import both
from infra.cli.memory import bot_of_file, handle_inbound_in_memory
from infra.cli.terminal import LEAVE, Line, lines
from shared.bot.model import Bot
from shared.channels.text import cut
from shared.engine.inbound import AgentJoined, AgentMessage, CallCompleted, Inbound, Opened, StartAt, UserMessage
from shared.engine.message import parse_payload
from shared.engine.session import Session
from shared.engine.trace import TraceEntry
from shared.errors import InvalidInput, MalgilError
from shared.runtime import world
from shared.services.inbound import HandleInbound
from shared.services.request import Handled, Request
from shared.usage.brand import signed, signed_messages

JsonObject = dict[str, Any]

DEADLINE_NS: Final = 25_000_000_000
"""As long as the function of direct steps has."""
AGENT: Final[JsonObject] = {"id": "terminal", "profile": {"displayName": "malgil chat"}}
HELP: Final = (
    ("1, 2, ...", both("버튼 누르기", "press a button")),
    ("/text WORDS", both("숫자나 /로 시작하는 말을 그대로 보내기", "say what is a number or starts with a slash")),
    ("/open", both("대화창 다시 열기", "open the conversation again")),
    ("/restart", both("새 사용자로 처음부터", "start over as somebody new")),
    ("/join", both("상담원 입장", "an agent takes over")),
    ("/say WORDS", both("상담원으로 말하기", "the agent says something")),
    ("/complete", both("상담 완료", "the agent is done")),
    ("/params", both("파라미터 보기", "show the conversation's parameters")),
    ("/quit", both("끝내기", "leave")),
)


@dataclass
class Talk:
    """One conversation at the terminal. `brand_line` is asked at each answer."""

    bot: Bot
    handle_inbound: HandleInbound
    platform: str
    user_key: str
    show_trace: bool = False
    brand_line: Callable[[], str | None] = lambda: None
    screen: Screen = field(default_factory=Screen)
    session: Session | None = None

    def run(self) -> None:
        """Welcome the user, then hear every line until there are no more."""
        self.screen.line(f"{self.bot.id} · {self.platform} · {self.user_key} · /help", "dim")
        self._turn(Opened())
        for line in lines():
            if line.command in LEAVE:
                return
            try:
                self._obey(line)
            except MalgilError as exc:
                self.screen.line(f"! {sentence(exc)}", "red")

    def _obey(self, line: Line) -> None:
        match line.command:
            case None:
                self._say_or_press(line)
            case "text":
                self._turn(_text(line.rest))
            case "open":
                self._turn(Opened())
            case "restart":
                self.user_key = _new_user()
                self._turn(Opened())
            case "join":
                self._turn(AgentJoined(agent=AGENT))
            case "say":
                self._turn(AgentMessage(data={"type": "text", "text": line.rest}, agent=AGENT))
            case "complete":
                self._turn(CallCompleted())
            case "params":
                params = {} if self.session is None else self.session.params
                self.screen.line(safe(json.dumps(params, ensure_ascii=False, indent=2)))
            case "help":
                for command, words in HELP:
                    self.screen.line(f"  {command:<12} {words}")
            case other:
                self.screen.line(f"! /{other}: /help", "yellow")

    def _say_or_press(self, line: Line) -> None:
        choice = None if line.number is None else self.screen.choice(line.number)
        if choice is None:
            self._turn(_text(line.rest))
        elif (inbound := pressed(choice)) is not None:
            self._turn(inbound)
        else:
            self.screen.line(f"  {safe(choice.label)} {safe(choice.hint)}")

    def _turn(self, inbound: Inbound) -> None:
        """Let the bot hear something and draw its answer."""
        request = Request(
            bot=self.bot,
            platform=self.platform,
            user_key=self.user_key,
            inbound=inbound,
            deadline_ns=world.clock_ns() + DEADLINE_NS,
        )
        self._draw(self.handle_inbound(request))

    def _draw(self, handled: Handled) -> None:
        self.session = handled.turn.state.session
        self.screen.clear()
        for message in self._shown(handled.turn.messages):
            draw_message(self.screen, message)
        if handled.keyboard is not None:
            self.screen.quick_replies([_choice(button) for button in handled.keyboard.get("buttons", ())])
        if self.session is not None and self.session.is_with_agent:
            self.screen.line(f"  ({both('상담', 'agent')}: {self.session.call['status']})", "dim")
        if self.show_trace:
            draw_trace(self.screen, handled.trace)

    def _shown(self, messages: list[JsonObject]) -> list[JsonObject]:
        line = self.brand_line()
        if line is None:
            return messages
        return signed_messages(messages, lambda text: signed(text, line, limit=sys.maxsize, cut=cut))


def pressed(choice: Choice) -> Inbound | None:
    """What pressing a button tells the bot; None for what only happens on the end user's side."""
    button, data = choice.value, {"type": "text", "text": choice.label}
    match button.get("type"):
        case "link" | "operator":
            return None
        case "goto" if button.get("flowId") is not None:
            return StartAt(flow_id=button["flowId"], node_id=button.get("nodeId"), message=data)
        case _:
            if "payload" in button:
                data["payload"] = parse_payload(button["payload"])
            return UserMessage(data=data)


def draw_message(screen: Screen, message: JsonObject) -> None:
    """One message of a turn, {data, meta}."""
    data = message["data"]
    persona = (message.get("meta") or {}).get("persona")
    speaker = BOT if persona is None else f"{persona.get('displayName') or persona.get('id')}:"
    match data.get("type"):
        case "media":
            screen.text(_media(data["media"]), speaker=speaker)
        case "location":
            location = data["location"]
            screen.text(f"[location] {location['title']} {location['latitude']}, {location['longitude']}")
        case "cards":
            screen.carousel(
                [
                    Card(
                        title=card.get("title", ""),
                        lines=[card.get("description", ""), card.get("uri", "")],
                        above=[_media(card["media"])] if "media" in card else [],
                        choices=[_choice(button) for button in card.get("buttons", ())],
                    )
                    for card in data["cards"]
                ]
            )
        case _:
            screen.text(data.get("text", ""), speaker=speaker)
    screen.buttons([_choice(button) for button in data.get("buttons", ())])


def draw_trace(screen: Screen, trace: Sequence[TraceEntry]) -> None:
    """What each node did, masked as logs have it."""
    from shared.runtime.observability import masked  # noqa: PLC0415 - brings the logger of functions

    for entry in trace:
        shown = masked(entry.to_json())
        edge = f" -> edge {shown['edge']}" if "edge" in shown else ""
        screen.line(f"  {shown['flowId']}/{shown['nodeId']} {shown['type']} {shown['ms']} ms{edge}", "dim")
        for key in ("data", "effect", "changes", "error", "notes"):
            if key in shown:
                screen.line(f"      {key}: {safe(json.dumps(shown[key], ensure_ascii=False))}", "dim")


def talk_with_file(path: Path, *, platform: str, user_key: str | None) -> Talk:
    """A conversation in memory. Raises InvalidBot."""
    return Talk(bot_of_file(path), handle_inbound_in_memory(), platform, user_key or _new_user())


def talk_with_bot(choice: CloudChoice, bot_id: str, *, draft: bool, platform: str, user_key: str | None) -> Talk:
    """A conversation on the cloud's tables, with the draft or the published version. Raises NotFound, InvalidInput."""
    enter(choice)
    from shared.runtime import wiring  # noqa: PLC0415 - brings the AWS SDK, which a file does not need

    record = wiring.authoring().get(bot_id)
    version = record.latest if draft else record.published
    if version is None:
        how = "import a file first" if draft else f"`malgil bot publish {bot_id}`, or use --draft"
        raise InvalidInput(f"bot '{bot_id}' is not {'there' if draft else 'published'} yet: {how}")
    bot = wiring.runnable_bots().load(record, version)
    published, calendar = wiring.published_bots(), wiring.usage_calendar()

    def brand_line() -> str | None:
        published.get(bot_id)
        return published.brand_line(bot_id, calendar.month_of(world.now_ms()))

    return Talk(bot, wiring.handle_inbound(), platform, user_key or _new_user(), brand_line=brand_line)


def _new_user() -> str:
    return f"terminal-{world.new_id()[:8]}"


def _text(text: str) -> Inbound:
    return UserMessage(data={"type": "text", "text": text})


def _choice(button: JsonObject) -> Choice:
    hint = ""
    if button.get("type") == "link":
        hint = button["uri"]
    elif button.get("type") == "operator":
        hint = both("카카오톡 상담원 연결", "KakaoTalk connects to an agent")
    return Choice(label=button["label"], value=button, hint=hint)


def _media(media: JsonObject) -> str:
    return f"[{media['contentType']}] {media.get('altText', '')} {media['uri']}".replace("  ", " ")
