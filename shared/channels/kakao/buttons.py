"""Buttons of a bot as KakaoTalk's buttons.

A tap on a message button says the button's whole label, whatever the phone shows of it, and carries what the bot wants
to hear back in `extra`.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from shared.channels.kakao import limits, links
from shared.channels.kakao.extra import ButtonOrigin, button_extra
from shared.channels.text import cut, plain_line, without_controls
from shared.engine.message import MAX_LABEL, MAX_PAYLOAD
from shared.json_input import clean_text
from shared.values import to_json, to_text

Json = dict[str, Any]

DEFAULT_LABEL: Final = "선택"
LINK_LABEL: Final = "링크 열기"


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonWriter:
    """Writes the buttons of one reply. `notes` collects what could not be shown as the author wrote it."""

    revision: int
    mail_redirect_url: str | None
    notes: list[str] = field(default_factory=list)

    def write(self, buttons: Any, position: Any) -> tuple[list[Json], list[str]]:
        """(Kakao's buttons, lines of text for what no button can do) of the node at `position`, [flow id, node id]."""
        origin = self._origin(position)
        written: list[Json] = []
        lines: list[str] = []
        for button in buttons if isinstance(buttons, list) else []:
            if not isinstance(button, dict):
                self.notes.append(f"a button that is no object was left out: {button!r:.50}")
                continue
            result = self._button(button, origin)
            if isinstance(result, str):
                lines.append(result)
            elif result is not None:
                written.append(result)
        return written, lines

    def _button(self, button: Json, origin: ButtonOrigin) -> Json | str | None:
        label = to_text(button.get("label"))
        match _kind(button):
            case "link":
                return self._link(plain_line(label), plain_line(button.get("uri")))
            case "operator":
                return {"label": self._shown(plain_line(label) or DEFAULT_LABEL), "action": "operator"}
            case "goto":
                return self._message(label, button, origin, self._goto(label, button))
            case _:
                return self._message(label, button, origin, None)

    def _link(self, label: str, uri: str) -> Json | str | None:
        shown = self._shown(label or LINK_LABEL)
        if number := links.phone_number(uri):
            return {"label": shown, "action": "phone", "phoneNumber": number}
        mail = links.mail_address(uri)
        address = self._mail_link(mail) if mail else links.web_address(uri)
        if address is not None:
            return {"label": shown, "action": "webLink", "webLinkUrl": address}
        if mail is not None:
            self.notes.append(f'button "{shown}": a mail address is shown as text')
            return f"{label}: {mail}" if label else mail
        self.notes.append(f'button "{shown}" was left out: not a web, phone or mail address: {uri[:100]}')
        return None

    def _mail_link(self, mail: str) -> str | None:
        return links.mail_link(self.mail_redirect_url, mail) if self.mail_redirect_url else None

    def _message(self, label: str, button: Json, origin: ButtonOrigin, goto: tuple[int, int | None] | None) -> Json:
        """What is said is the label as the bot wrote it, since the bot may compare the two."""
        whole = without_controls(label) if plain_line(label) else DEFAULT_LABEL
        said = whole[:MAX_LABEL]
        if said != whole:
            self.notes.append(f'button "{said[:20]}...": label cut to {MAX_LABEL} characters')
        return {
            "label": cut(plain_line(whole), limits.BUTTON_LABEL),
            "action": "message",
            "messageText": said,
            "extra": button_extra(payload=self._payload(label, button.get("payload")), goto=goto, origin=origin),
        }

    def _payload(self, label: str, payload: Any) -> str | None:
        """The payload as text; nothing for an empty one, which says no more than the label."""
        text = clean_text(to_json(payload) if isinstance(payload, dict | list) else to_text(payload))
        if len(text) > MAX_PAYLOAD:
            self.notes.append(f'button "{label[:20]}": payload over {MAX_PAYLOAD} characters was left out')
            return None
        return text or None

    def _goto(self, label: str, button: Json) -> tuple[int, int | None] | None:
        flow_id, node_id = _whole_number(button.get("flowId")), _whole_number(button.get("nodeId"))
        if flow_id is None:
            self.notes.append(f'button "{label[:20]}": its flow is no number, so its tap only says the label')
            return None
        return flow_id, node_id

    def _shown(self, label: str) -> str:
        shown = cut(label, limits.BUTTON_LABEL)
        if shown != label:
            self.notes.append(f'button "{shown}": label cut to {limits.BUTTON_LABEL} characters')
        return shown

    def _origin(self, position: Any) -> ButtonOrigin:
        flow_id, node_id, *_ = [*position, None, None] if isinstance(position, list | tuple) else [None, None]
        return ButtonOrigin(flow_id=_whole_number(flow_id), node_id=_whole_number(node_id), revision=self.revision)


def _kind(button: Json) -> str:
    """The button's type; older exports leave it out."""
    kind = button.get("type")
    if isinstance(kind, str):
        return kind
    if button.get("uri"):
        return "link"
    return "goto" if button.get("flowId") is not None else "postback"


def _whole_number(value: Any) -> int | None:
    """A flow or node id, which may have been rendered to text by a template."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal():
        return int(value.strip()[:15])
    return value if isinstance(value, int) and value >= 0 else None
