"""What a receiver does with a delivery before it believes it (docs/webhooks.md): its form, its signature, what came
before it. Nothing here asks the clock or the network."""

import hmac
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

from shared.errors import InvalidInput
from shared.json_input import parse_json
from shared.webhooks import signature
from shared.webhooks.delivery import MAX_BODY_BYTES
from shared.webhooks.wire import MAX_DEPTH

JsonObject = dict[str, Any]
_V = TypeVar("_V")

TOLERANCE_S: Final = 300
"""Between `webhook-timestamp` and now, either way: what libraries for Standard Webhooks allow."""
ENVELOPE_DEPTH: Final = 8
MAX_TIME_MS: Final = 253_402_300_800_000
"""The end of the year 9999, beyond which no date is."""
MAX_TIME_DIGITS: Final = 12
KEPT_IDS: Final = 100_000
KEPT_LOGS: Final = 10_000
KEPT_GAPS: Final = 100
"""Of what was seen the newest: a receiver that runs for weeks does not grow. Gaps are of one log."""

Trust = Literal["verified", "unchecked", "no_header", "wrong_signature", "too_old", "too_new"]
"""unchecked: there is no secret to check with; no_header: one of the three is missing or no such thing."""


def check(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now_s: int) -> Trust:
    """Whether the owner of one of `secrets` sent these bytes just now. Header names are lower case, or the mapping does
    not mind."""
    if not secrets:
        return "unchecked"
    delivery_id, sent_at, signatures = (
        headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    )
    if not (delivery_id and signatures and sent_at.isdigit() and (delivery_id + sent_at + signatures).isascii()):
        return "no_header"
    if len(sent_at) > MAX_TIME_DIGITS:
        return "no_header"
    timestamp_s = int(sent_at)
    expected = [signature.sign(secret, delivery_id, timestamp_s, body) for secret in secrets]
    if not any(hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures.split()):
        return "wrong_signature"
    if timestamp_s < now_s - TOLERANCE_S:
        return "too_old"
    return "too_new" if timestamp_s > now_s + TOLERANCE_S else "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent:
    """`log` is whose log counted it: an end user's id, empty for the bot's own. CLOSER's events and tests have no
    `sequence`."""

    event_id: str
    kind: str
    at_ms: int
    sequence: int | None
    log: str
    data: JsonObject
    raw: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedDelivery:
    delivery_id: str
    webhook_id: str
    events: tuple[ReceivedEvent, ...]


def read_delivery(body: bytes) -> ReceivedDelivery:
    """Raises InvalidInput with the place of what is wrong."""
    data = parse_json(body, max_bytes=MAX_BODY_BYTES, max_depth=MAX_DEPTH + ENVELOPE_DEPTH)
    if not isinstance(data, dict):
        raise InvalidInput("body: an object is expected")
    messages = _of(list, data, "messages", "")
    return ReceivedDelivery(
        delivery_id=_of(str, data, "id", ""),
        webhook_id=_of(str, data, "webhookId", ""),
        events=tuple(_event(message, f"messages[{index}]") for index, message in enumerate(messages)),
    )


def _event(given: Any, place: str) -> ReceivedEvent:
    if not isinstance(given, dict):
        raise InvalidInput(f"{place}: an object is expected")
    at_ms = _of(int, given, "timestamp", f"{place}.")
    if not 0 <= at_ms < MAX_TIME_MS:
        raise InvalidInput(f"{place}.timestamp: milliseconds since 1970 are expected")
    data = _of(dict, given, "data", f"{place}.")
    return ReceivedEvent(
        event_id=_of(str, given, "id", f"{place}."),
        kind=_of(str, given, "event", f"{place}."),
        at_ms=at_ms,
        sequence=_of(int, given, "sequence", f"{place}.") or None if "sequence" in given else None,
        log=_log(data),
        data=data,
        raw=given,
    )


def _of(kind: type[_V], data: JsonObject, key: str, place: str) -> _V:
    value = data.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        names = {str: "a string", int: "an integer", list: "an array", dict: "an object"}
        raise InvalidInput(f"{place}{key}: {names[kind]} is expected")
    return value


def _log(data: JsonObject) -> str:
    for name, key in (("endUser", "id"), ("conversation", "endUserId"), ("message", "endUserId")):
        holder = data.get(name)
        if isinstance(holder, dict):
            return str(holder.get(key, ""))
    return ""


@dataclass(frozen=True, slots=True)
class Noted:
    """What an event is beside those before it: one that was seen, one that came late, one before which some are missing
    (the first and the last `sequence` of those)."""

    is_repeat: bool = False
    is_late: bool = False
    missing: tuple[int, int] | None = None


@dataclass(slots=True)
class _Log:
    following: int
    gaps: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class Memory:
    """What has come so far. The first event of a log says where its counting begins here."""

    _ids: "OrderedDict[str, None]" = field(default_factory=OrderedDict)
    _logs: "OrderedDict[str, _Log]" = field(default_factory=OrderedDict)

    def note(self, event: ReceivedEvent) -> Noted:
        if event.event_id in self._ids:
            return Noted(is_repeat=True)
        _keep(self._ids, event.event_id, None, KEPT_IDS)
        if event.sequence is None:
            return Noted()
        log = self._logs.get(event.log)
        if log is None:
            _keep(self._logs, event.log, _Log(event.sequence + 1), KEPT_LOGS)
            return Noted()
        self._logs.move_to_end(event.log)
        return _placed(log, event.sequence)

    def missing(self) -> dict[str, list[tuple[int, int]]]:
        """The gaps that are still open, by log."""
        return {name: log.gaps for name, log in self._logs.items() if log.gaps}


def _placed(log: _Log, sequence: int) -> Noted:
    if sequence < log.following:
        log.gaps = [
            part
            for first, last in log.gaps
            for part in ((first, min(last, sequence - 1)), (max(first, sequence + 1), last))
            if part[0] <= part[1]
        ]
        return Noted(is_late=True)
    gap = (log.following, sequence - 1) if sequence > log.following else None
    log.following = sequence + 1
    if gap is not None:
        log.gaps = [*log.gaps, gap][-KEPT_GAPS:]
    return Noted(missing=gap)


def _keep(kept: "OrderedDict[str, _V]", key: str, value: _V, most: int) -> None:
    kept[key] = value
    if len(kept) > most:
        kept.popitem(last=False)
