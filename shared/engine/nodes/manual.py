"""manual: calls an agent.

On KakaoTalk the call is a button that the end user presses (Kakao: `operator`); the tap never reaches us, so nothing is
suspended. Elsewhere the bot keeps quiet until an agent is done or the end user cancels; its edges are for cancelling.
"""

from typing import Any, Final

from shared.bot.model import Node
from shared.engine import agent_call
from shared.engine.message import MAX_LABEL, is_blank, read_message
from shared.engine.outcome import END, WAIT_FOR_AGENT, Outcome
from shared.engine.walk import Walk
from shared.values import to_text

DEFAULT_TEXT: Final = "상담원을 연결중입니다. 잠시만 기다려 주세요."
DEFAULT_CANCEL: Final = "취소"
DEFAULT_KAKAO_TEXT: Final = "버튼을 누르면 상담원과 연결합니다"
DEFAULT_AGENT_CALL: Final = "상담원 연결"


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    messages = data.get("messages")
    messages = messages if isinstance(messages, dict) else {}
    if walk.surroundings.platform == "kakao":
        message, actions = _message(walk, messages.get("kakao"), DEFAULT_KAKAO_TEXT)
        label = _label(actions.get("agentCall"), DEFAULT_AGENT_CALL)
        message["buttons"] = [*message.get("buttons", ()), {"type": "operator", "label": label}]
        walk.say(message)
        return END
    message, actions = _message(walk, messages.get("default"), DEFAULT_TEXT)
    cancel = _label(actions.get("cancel"), DEFAULT_CANCEL)
    walk.say(message)
    agent_call.request(walk, (node.flow_id, node.id), cancel)
    walk.set_result("manual", {"status": "PENDING"})
    return WAIT_FOR_AGENT


def _label(given: Any, default: str) -> str:
    return to_text(given).strip()[:MAX_LABEL] or default


def _message(walk: Walk, given: Any, default_text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The message to send and its actions' labels; the default text where the author left it out."""
    given = given if isinstance(given, dict) else {}
    actions = given.get("actions")
    message = read_message({key: value for key, value in given.items() if key != "actions"}, walk.entry.notes)
    if message is None or is_blank(message):
        message = {"type": "text", "text": default_text}
    return message, actions if isinstance(actions, dict) else {}
