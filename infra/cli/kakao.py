"""`malgil kakao`: a phone in the terminal that talks to a skill URL as KakaoTalk does, and warns where it would cut."""

import json
from types import TracebackType
from typing import Any, Final, Self

from infra.cli import phone, skill_call
from infra.cli.cloud import CloudChoice, enter
from infra.cli.draw import Card, Choice, ChoiceKind, Screen, safe
from infra.cli.language import both, chosen
from infra.cli.skill_call import Answer, Caller, Skill, SkillCaller
from infra.cli.terminal import LEAVE, Line, lines
from shared.channels.kakao.settings import KakaoSettings
from shared.errors import InvalidInput
from shared.runtime import world

JsonObject = dict[str, Any]

TRIGGERS: Final[dict[ChoiceKind, str]] = {
    "button": "CARD_BUTTON_MESSAGE",
    "quick_reply": "QUICKREPLY_BUTTON_MESSAGE",
    "list_item": "LIST_ITEM_MESSAGE",
}
"""userRequest.flow.trigger.type of a tap with action "message"."""
ONLY_ON_THE_PHONE: Final = both("휴대폰에서만 일어납니다", "happens on the phone only")
OTHER_BLOCK: Final = both(
    "다른 블록을 실행합니다: 이 스킬로 오지 않습니다", "runs another block: this skill is not called"
)
LATE: Final = both("5초가 지나 카카오톡은 답을 버립니다", "later than 5 s: KakaoTalk drops the answer")
WAITING_FOR_REPLY: Final = both("콜백을 기다립니다 (최대 1분)", "waiting for the callback (a minute at most)")
NO_REPLY: Final = both(
    "1분 안에 콜백이 오지 않았습니다: 다음 말에 이어집니다",
    "no callback within the minute: it comes with the next message",
)
SHOWN_OF_A_BAD_ANSWER: Final = 2_000
HELP: Final = (
    ("1, 2, ...", both("버튼 누르기", "press a button")),
    ("/text WORDS", both("숫자나 /로 시작하는 말을 그대로 보내기", "say what is a number or starts with a slash")),
    ("/welcome", both("웰컴 블록 호출", "call the welcome block")),
    ("/photo URL", both("사진 보내기", "send a picture")),
    ("/raw", both("마지막 답의 JSON 보기", "show the last answer as JSON")),
    ("/quit", both("끝내기", "leave")),
)


def skill_of_url(url: str, secret: str | None) -> Skill:
    return Skill(name="malgil", url=url, secret=secret)


def skill_of_bot(choice: CloudChoice, bot_id: str, *, with_callback: bool = False) -> Skill:
    """The skill URL of a bot with its secrets; the local cloud's bots are connected on their first call.

    `with_callback` makes calls as Kakao does for bots that were granted it; only the local cloud has a callback server.
    Raises NotFound, and InvalidInput when a deployed bot is not connected: what opens it to the world is asked for.
    """
    place = enter(choice)
    from shared.runtime.wiring import authoring  # noqa: PLC0415 - brings the AWS SDK, which a URL does not need

    stored = authoring().get(bot_id).channels.get("kakao")
    if stored is not None:
        settings = KakaoSettings.parse(stored)
    elif place.is_local:
        settings = authoring().connect_kakao(bot_id)
    else:
        raise InvalidInput(f"bot '{bot_id}' is not connected to KakaoTalk yet: `malgil bot connect {bot_id}`")
    if with_callback and place.callback_url is None:
        raise InvalidInput("--callback needs the local cloud of `make run`: KakaoTalk itself calls deployed bots back")
    callback_url = place.callback_url if with_callback else None
    return Skill.of_settings(bot_id, place.skill_url(bot_id, settings.path_secret), settings, callback_url=callback_url)


class Phone:
    """One conversation with a skill URL."""

    def __init__(self, skill: Skill, user_key: str | None = None) -> None:
        self._skill = skill
        self._caller = Caller(user_key=user_key or f"phone-{world.new_id()}")
        self._connection = SkillCaller(skill)
        self._screen = Screen()
        self._language = chosen(None)
        self._last: Answer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.__exit__(kind, error, trace)

    def run(self) -> None:
        """Call the welcome block, then say every line until there are no more."""
        self._screen.line(f"{self._skill.name} · {self._caller.user_key} · /help", "dim")
        self._send(skill_call.welcome(self._skill, self._caller))
        for line in lines():
            if line.command in LEAVE:
                return
            self._obey(line)

    def _obey(self, line: Line) -> None:
        match line.command:
            case None:
                self._say_or_press(line)
            case "text":
                self._send(skill_call.utterance(self._skill, self._caller, line.rest))
            case "welcome":
                self._send(skill_call.welcome(self._skill, self._caller))
            case "photo":
                self._send(skill_call.photo(self._skill, self._caller, line.rest))
            case "raw":
                self._show_raw()
            case "help":
                for command, words in HELP:
                    self._screen.line(f"  {command:<12} {words}")
            case other:
                self._screen.line(f"! /{safe(other)}: /help", "yellow")

    def _say_or_press(self, line: Line) -> None:
        choice = None if line.number is None else self._screen.choice(line.number)
        if choice is None:
            self._send(skill_call.utterance(self._skill, self._caller, line.rest))
        elif choice.value.get("action") == "message":
            self._send(tap(self._skill, self._caller, choice))
        else:
            where = OTHER_BLOCK if choice.value.get("action") == "block" else ONLY_ON_THE_PHONE
            self._screen.line(f"  {safe(choice.label)} {safe(choice.hint)} ({where})", "dim")

    def _send(self, payload: JsonObject) -> None:
        token = self._connection.announce_callback(payload)
        answer = self._connection.send(payload)
        self._draw(answer)
        if token is not None and isinstance(answer.body, dict) and answer.body.get("useCallback") is True:
            self._wait_for(token)

    def _wait_for(self, token: str) -> None:
        """The reply that is posted later, as Kakao shows it."""
        self._screen.line(f"  {WAITING_FOR_REPLY}", "dim")
        reply = self._connection.posted_reply(token)
        if reply is None:
            self._screen.line(f"✗ {NO_REPLY}", "red")
        else:
            self._draw(reply, is_posted=True)

    def _draw(self, answer: Answer, *, is_posted: bool = False) -> None:
        self._last = answer
        screen = self._screen
        screen.clear()
        if answer.problem is not None:
            screen.line(f"✗ {safe(answer.problem)}", "red")
            screen.line(safe(answer.raw[:SHOWN_OF_A_BAD_ANSWER].decode("utf-8", "replace")), "dim")
        else:
            draw_response(screen, answer.body)
        for notice in phone.notices(answer.body, answer.size) if answer.problem is None else ():
            mark, style = ("✗", "red") if notice.severity == "refused" else ("!", "yellow")
            screen.line(f"{mark} {notice.sentence(self._language)}", style)
        if not is_posted and answer.milliseconds > phone.SECONDS * 1000:
            screen.line(f"✗ {LATE}", "red")
        screen.line(f"  {answer.milliseconds:.0f} ms · {answer.size} bytes", "dim")

    def _show_raw(self) -> None:
        if self._last is None:
            return
        if self._last.body is None:
            self._screen.line(safe(self._last.raw.decode("utf-8", "replace")))
        else:
            self._screen.line(safe(json.dumps(self._last.body, ensure_ascii=False, indent=2)))


def tap(skill: Skill, caller: Caller, choice: Choice) -> JsonObject:
    """The call that a tap on a message button makes: it says messageText and carries `extra`."""
    extra = choice.value.get("extra")
    return skill_call.utterance(
        skill,
        caller,
        str(choice.value.get("messageText") or choice.label),
        trigger=TRIGGERS[choice.kind],
        client_extra=extra if isinstance(extra, dict) else None,
    )


def draw_response(screen: Screen, body: Any) -> None:
    """The bubbles of a skill response, and its quick replies below them."""
    template = body.get("template") if isinstance(body, dict) else None
    if isinstance(body, dict) and body.get("useCallback") is True:
        data = body.get("data")
        screen.text(f"(callback) {data.get('text', '') if isinstance(data, dict) else ''}")
    if not isinstance(template, dict):
        return
    for output in phone.objects(template.get("outputs")):
        found = phone.card_of(output)
        if found is not None:
            _draw_output(screen, *found)
    screen.quick_replies([_choice(reply, "quick_reply") for reply in phone.objects(template.get("quickReplies"))])


def _draw_output(screen: Screen, name: str, content: JsonObject) -> None:
    match name:
        case "simpleText":
            screen.text(content.get("text", ""))
        case "simpleImage":
            screen.text(_picture(content))
        case "carousel":
            screen.carousel([_card(item) for item in phone.objects(content.get("items"))])
        case _:
            screen.card(_card(content))


def _card(content: JsonObject) -> Card:
    """Any card: their keys do not contradict each other."""
    header, thumbnails = content.get("header"), content.get("thumbnails")
    pictures = [content.get("thumbnail"), *(thumbnails if isinstance(thumbnails, list) else [])]
    above = [_picture(picture) for picture in pictures if isinstance(picture, dict)]
    if content.get("price") is not None:
        above.append(f"{content.get('discountedPrice', content['price'])} {content.get('currency', 'won')}")
    rows = [f"{row.get('title', '')}: {row.get('description', '')}" for row in phone.objects(content.get("itemList"))]
    return Card(
        title=content.get("title") or (header.get("title", "") if isinstance(header, dict) else ""),
        lines=[*rows, content.get("description", "")],
        above=above,
        choices=[
            *(_choice(item, "list_item") for item in phone.objects(content.get("items"))),
            *(_choice(button, "button") for button in phone.objects(content.get("buttons"))),
        ],
    )


def _choice(button: JsonObject, kind: ChoiceKind) -> Choice:
    label = button.get("label") or button.get("title") or ""
    hints = (button.get("webLinkUrl"), button.get("phoneNumber"), button.get("blockId"))
    hint = next((str(hint) for hint in hints if hint), "")
    if button.get("action") == "operator":
        hint = both("상담원 연결", "agent")
    return Choice(label=str(label), value=button, kind=kind, hint=hint)


def _picture(image: JsonObject) -> str:
    return f"[{image.get('altText') or both('이미지', 'image')}] {image.get('imageUrl', '')}"
