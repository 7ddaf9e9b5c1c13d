"""What a button carries to its tap: Kakao returns `extra` of a tapped element as `action.clientExtra`.

Old buttons stay tappable for ever, and other bots of the same channel leave buttons behind: only what we wrote
ourselves, in the shape that we wrote, is understood; everything else is as if it were not there.

    {"malgil": 1, "payload"?: text, "goto"?: {"flowId", "nodeId"?}, "flow"?, "node"?, "rev"}   a button
    {"malgil": 1, "more": {"rev", "index"}}                                                   "계속 보기"
"""

from dataclasses import dataclass
from typing import Any, Final

from shared.engine.message import MAX_PAYLOAD, parse_payload

_MARK: Final = "malgil"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonOrigin:
    """Which node said the button, and in which turn: for the trace; never needed to act on the tap."""

    flow_id: int | None
    node_id: int | None
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """A tapped button of ours. `payload` is parsed (object, array or text; None when there is none)."""

    payload: Any
    flow_id: int | None
    node_id: int | None
    origin: ButtonOrigin | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinueReading:
    """A tap on "계속 보기": show the reply of turn `revision` from its bubble `index` on."""

    revision: int
    index: int


def button_extra(*, payload: str | None, goto: tuple[int, int | None] | None, origin: ButtonOrigin) -> dict[str, Any]:
    """`extra` of a postback or goto button; `goto` is (flow id, node id)."""
    extra: dict[str, Any] = {_MARK: _FORMAT}
    if payload is not None:
        extra["payload"] = payload
    if goto is not None:
        flow_id, node_id = goto
        extra["goto"] = {"flowId": flow_id} if node_id is None else {"flowId": flow_id, "nodeId": node_id}
    if origin.flow_id is not None:
        extra["flow"] = origin.flow_id
    if origin.node_id is not None:
        extra["node"] = origin.node_id
    extra["rev"] = origin.revision
    return extra


def continue_extra(revision: int, index: int) -> dict[str, Any]:
    """`extra` of the quick reply "계속 보기"."""
    return {_MARK: _FORMAT, "more": {"rev": revision, "index": index}}


def read_extra(client_extra: Any) -> Tap | ContinueReading | None:
    """What a tap carries; None for what we did not write."""
    if not isinstance(client_extra, dict) or _number(client_extra, _MARK) != _FORMAT:
        return None
    more = client_extra.get("more")
    if isinstance(more, dict):
        revision, index = _number(more, "rev"), _number(more, "index")
        return None if revision is None or index is None else ContinueReading(revision=revision, index=index)
    goto = client_extra.get("goto")
    flow_id = _number(goto, "flowId") if isinstance(goto, dict) else None
    node_id = _number(goto, "nodeId") if isinstance(goto, dict) else None
    return Tap(payload=_payload(client_extra), flow_id=flow_id, node_id=node_id, origin=_origin(client_extra))


def _payload(extra: dict[str, Any]) -> Any:
    payload = extra.get("payload")
    return parse_payload(payload) if isinstance(payload, str) and len(payload) <= MAX_PAYLOAD else None


def _origin(extra: dict[str, Any]) -> ButtonOrigin | None:
    revision = _number(extra, "rev")
    if revision is None:
        return None
    return ButtonOrigin(flow_id=_number(extra, "flow"), node_id=_number(extra, "node"), revision=revision)


def _number(data: dict[str, Any], key: str) -> int | None:
    value = data.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
