"""email: sends a mail, from the installation's own address."""

import re
from typing import Any, Final

from shared.bot.model import Node
from shared.engine.asking import MAX_BODY_BYTES, is_slow, result_of, timeout_ms
from shared.engine.effects import EffectAnswer, Mail
from shared.engine.outcome import ADVANCE, NodeFailed, Outcome, Suspend
from shared.engine.walk import Walk
from shared.errors import InvalidInput
from shared.json_input import plain_json
from shared.values import to_text

MAX_RECIPIENTS: Final = 50
"""Of one mail (Amazon SES); its answers may go to as many."""
MAX_SUBJECT: Final = 255
"""Characters; more is cut."""
MAX_ADDRESS: Final = 254
"""Characters (RFC 5321, 4.5.3.1.3 without the angle brackets)."""
ADDRESS: Final = re.compile(
    r"[^@\s<>\"(),:;\\\[\]\x00-\x1f\x7f]{1,64}@(?:[^@\s<>\"(),:;\\\[\].\x00-\x1f\x7f]+\.)+[^@\s<>\"(),:;\\\[\].\x00-\x1f\x7f]+"
)
"""A plain address: nothing in it could end a header or begin another."""
IN_ANGLE_BRACKETS: Final = re.compile(r"[^<>\r\n]*<([^<>]*)>")
BLANK: Final = re.compile(r"[\s\x00-\x1f\x7f]+")


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    if data.get("to") is None:
        raise NodeFailed("InvalidNode", f"node {node.id} has nobody to send to")
    given = plain_json(data)
    try:
        to, reply_to = _addresses(given, "to"), _addresses(given, "replyTo")
    except InvalidInput as exc:
        walk.set_failure("email", "InvalidAddressError", str(exc))
        return ADVANCE
    if not to:
        walk.set_failure("email", "InvalidAddressError", "to: there is no address")
        return ADVANCE
    html = to_text(given.get("body"))
    if len(html.encode()) > MAX_BODY_BYTES:
        walk.set_failure("email", "TooLargeError", f"the body takes more than {MAX_BODY_BYTES} bytes")
        return ADVANCE
    walk.set_result("email", {"status": "PENDING"})
    return Suspend(
        Mail(
            to=to,
            reply_to=reply_to,
            subject=BLANK.sub(" ", to_text(given.get("subject"))).strip()[:MAX_SUBJECT],
            html=html,
            timeout_ms=timeout_ms(given),
            slow=is_slow(given),
        )
    )


def complete(walk: Walk, node: Node, answer: EffectAnswer) -> None:
    """email {status, messageId}"""
    result = result_of(walk, node, answer)
    if result is not None:
        walk.set_result("email", {**result, "status": "COMPLETED"})


def _addresses(data: dict[str, Any], key: str) -> list[str]:
    """Addresses of a list or of a text with commas, each once; `이름 <a@example.com>` is its address. Raises
    InvalidInput for what is no address."""
    given = data.get(key)
    texts = [to_text(item) for item in given] if isinstance(given, list) else [to_text(given)]
    found: dict[str, None] = {}
    for part in (part.strip(" \t") for text in texts for part in text.split(",")):
        if not part:
            continue
        bracketed = IN_ANGLE_BRACKETS.fullmatch(part)
        address = bracketed[1] if bracketed else part
        if len(address) > MAX_ADDRESS or not ADDRESS.fullmatch(address):
            raise InvalidInput(f"{key}: {address[:100]!r} is not a mail address")
        found[address] = None
    if len(found) > MAX_RECIPIENTS:
        raise InvalidInput(f"{key}: {len(found)} addresses, at most {MAX_RECIPIENTS} are allowed")
    return list(found)
