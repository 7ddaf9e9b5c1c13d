"""A turn out of a record of the turns table's stream, as Lambda hands it over: binary values are base64."""

import base64
import binascii
import json
import uuid
import zlib
from dataclasses import dataclass
from typing import Any, Final

from shared.channels.web.settings import WEB
from shared.channels.web.streamed import StreamedWebTurn
from shared.conversation.projection import BEGUN, RECEIVED, SENT, SeenTurn
from shared.conversation.turn import Turn
from shared.errors import InvalidInput, Unavailable
from shared.ids import BOT_ID
from shared.storage import keys, turn_codec
from shared.webhooks.grouping import StreamedTurn

JsonObject = dict[str, Any]

MISSHAPEN: Final = (KeyError, TypeError, ValueError, AttributeError, binascii.Error, zlib.error, Unavailable)
"""What comes of reading something that is no turn of a known format."""


class UnreadableTurn(InvalidInput):
    """A record that holds no turn of a format that is known here."""

    code = "unreadable_turn"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A turn's row before its body is unpacked."""

    partition: str
    sort: str
    bot_id: str
    log: str
    commit: str
    at_ms: int
    version: int
    packed: bytes

    @property
    def hints(self) -> bytes:
        return turn_codec.hints(self.bot_id, self.commit, self.at_ms)


def read_turn(record: JsonObject) -> StreamedTurn:
    """The turn with its complete events; its state is not looked at. Raises UnreadableTurn."""
    try:
        row = _row(record)
        events = turn_codec.decode_events(row.packed, row.version, row.hints, row.commit)
        sequence_number = str(record["dynamodb"]["SequenceNumber"])
    except MISSHAPEN as exc:
        raise UnreadableTurn(f"a record of the stream holds no turn: {type(exc).__name__}") from exc
    return StreamedTurn(
        bot_id=row.bot_id, partition=row.partition, sort=row.sort, sequence_number=sequence_number, events=events
    )


def read_seen_turn(record: JsonObject) -> SeenTurn:
    """What the turn says to lists and counters. Raises UnreadableTurn."""
    try:
        row = _row(record)
        body = turn_codec.decode(row.packed, row.version, row.hints)
        for event in body["events"]:
            _check_event(event)
        return SeenTurn(
            bot_id=row.bot_id,
            log=row.log,
            revision=keys.revision_of(row.sort),
            commit=row.commit,
            at_ms=row.at_ms,
            platform=_text(body["platform"]),
            user_key=_text(body["userKey"]),
            first_contact_ms=_number(body["state"].get("firstContactAt")),
            first_of_month=_number(body.get("firstOfMonth")),
            events=body["events"],
        )
    except MISSHAPEN as exc:
        raise UnreadableTurn(f"a record of the stream holds no turn: {type(exc).__name__}") from exc


def read_web_turn(record: JsonObject) -> StreamedWebTurn | None:
    """A turn of the web channel with its state, unless that lies in a row of its own; None for another channel's, which
    is usually seen without parsing it. Raises UnreadableTurn."""
    try:
        row = _row(record)
        body = turn_codec.decode_of_platform(row.packed, row.version, row.hints, WEB)
        if body is None:
            return None
        revision = keys.revision_of(row.sort)
        turn = None
        if "row" not in body["state"]:
            turn = Turn.from_body(
                body, bot_id=row.bot_id, log=row.log, revision=revision, commit=row.commit, at_ms=row.at_ms
            )
        return StreamedWebTurn(bot_id=row.bot_id, log=row.log, revision=revision, turn=turn)
    except MISSHAPEN as exc:
        raise UnreadableTurn(f"a record of the stream holds no turn: {type(exc).__name__}") from exc


def set_aside_text(row: JsonObject, reason: str) -> str:
    """What the queue of set-aside records holds: the row's key, never its content."""
    return json.dumps({"reason": reason, "keys": {name: row[name] for name in ("pk", "sk") if name in row}})


def _row(record: JsonObject) -> _Row:
    item = record["dynamodb"]["NewImage"]
    partition, sort = item["pk"]["S"], item["sk"]["S"]
    prefix, bot_id, log = partition.split("#", 2)
    if prefix != "C" or not sort.startswith(keys.TURN_PREFIX) or BOT_ID.fullmatch(bot_id) is None:
        raise ValueError("something else than a turn")
    return _Row(
        partition=partition,
        sort=sort,
        bot_id=bot_id,
        log=log,
        commit=str(uuid.UUID(bytes=base64.b64decode(item["c"]["B"], validate=True))),
        at_ms=int(item["t"]["N"]),
        version=int(item["f"]["N"]),
        packed=base64.b64decode(item["z"]["B"], validate=True),
    )


def _check_event(event: JsonObject) -> None:
    """That an event has what is read of it. Raises what MISSHAPEN names."""
    name = _text(event["event"])
    if name == BEGUN:
        _text(event["data"]["conversation"]["id"])
    if name in (RECEIVED, SENT):
        (event["data"]["message"]["meta"] or {}).get("persona")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _number(value: object) -> int | None:
    if value is not None and not isinstance(value, int):
        raise TypeError("no number")
    return value
