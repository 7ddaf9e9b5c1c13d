"""A turn out of a record of the turns table's stream, as Lambda hands it over: binary values are base64."""

import base64
import binascii
import json
import uuid
import zlib
from typing import Any

from shared.errors import InvalidInput, Unavailable
from shared.ids import BOT_ID
from shared.storage import keys, turn_codec
from shared.webhooks.grouping import StreamedTurn

JsonObject = dict[str, Any]


class UnreadableTurn(InvalidInput):
    """A record that holds no turn of a format that is known here."""

    code = "unreadable_turn"


def read_turn(record: JsonObject) -> StreamedTurn:
    """The turn with its complete events; its state is not looked at. Raises UnreadableTurn."""
    try:
        change = record["dynamodb"]
        item = change["NewImage"]
        partition, sort = item["pk"]["S"], item["sk"]["S"]
        prefix, bot_id, _log = partition.split("#", 2)
        commit = str(uuid.UUID(bytes=base64.b64decode(item["c"]["B"], validate=True)))
        events = turn_codec.decode_events(
            base64.b64decode(item["z"]["B"], validate=True),
            int(item["f"]["N"]),
            turn_codec.hints(bot_id, commit, int(item["t"]["N"])),
            commit,
        )
        sequence_number = str(change["SequenceNumber"])
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error, zlib.error, Unavailable) as exc:
        raise UnreadableTurn(f"a record of the stream holds no turn: {type(exc).__name__}") from exc
    is_turn = prefix == "C" and sort.startswith(keys.TURN_PREFIX) and BOT_ID.fullmatch(bot_id)
    if not is_turn:
        raise UnreadableTurn("a record of the stream holds something else than a turn")
    return StreamedTurn(bot_id=bot_id, partition=partition, sort=sort, sequence_number=sequence_number, events=events)


def set_aside_text(row: JsonObject, reason: str) -> str:
    """What the queue of set-aside records holds: the row's key, never its content."""
    return json.dumps({"reason": reason, "keys": {name: row[name] for name in ("pk", "sk") if name in row}})
