"""Where a replay of all logs of a bot is, and what it reads of each: a chunk of turns at a time.

People are listed by the hour in which they were last seen, so that one who says something meanwhile jumps over the
place at which the list is being read. A pass over the list is therefore followed by another over those seen since it
began. The last one is a pass over the current hour alone that ends within it: inside of an hour nobody jumps.
"""

import base64
import json
import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from shared.errors import InvalidInput
from shared.services.people_ports import Identities
from shared.services.webhook_ports import StoredTurns

JsonObject = dict[str, Any]

SYSTEM_LOG: Final = "_sys"
CHUNK: Final = 50
"""Turns. Chunks begin at fixed revisions, so that the same request finds the same events together again."""
LOGS_A_PAGE: Final = 20
HOUR_MS: Final = 3_600_000
CLOCK_SLACK_MS: Final = 10 * 60_000
"""Turns of a log are written by many machines; their clocks differ by less."""
INDEX_LAG_MS: Final = 60_000
"""The list of people is behind the logs by less."""
SEEN_SLACK_MS: Final = 86_400_000
"""A log may go on after its end user was last seen, when a slow answer comes."""
MAX_CURSOR: Final = 4_096
MAX_NUMBER: Final = 10**15

_LOG: Final = re.compile(rf"{SYSTEM_LOG}|[a-z2-7]{{16}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Events of [from, until), in epoch milliseconds."""

    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkOfLog:
    """`reads` is how many turns were read for it; `following` the number of the next chunk, None at the end."""

    events: list[JsonObject]
    reads: int
    following: int | None = None


def read_chunk(turns: StoredTurns, bot_id: str, log: str, wanted: Range, chunk: int | None) -> ChunkOfLog:
    """Events of a log in the range out of one chunk of its turns; None is the first chunk that can have any."""
    newest = turns.newest(bot_id, log)
    if newest is None or newest.at_ms < wanted.from_ms - CLOCK_SLACK_MS:
        return ChunkOfLog(events=[], reads=1)
    reads = 1
    if chunk is None:
        chunk, reads = _first_chunk(turns, bot_id, log, newest.revision, wanted)
    last = min(newest.revision, (chunk + 1) * CHUNK)
    events: list[JsonObject] = []
    is_over = False
    for revision in range(chunk * CHUNK + 1, last + 1):
        turn = newest if revision == newest.revision else turns.get(bot_id, log, revision)
        reads += 1
        if turn is not None:
            events += [event for event in turn.events if wanted.from_ms <= event["timestamp"] < wanted.until_ms]
            is_over = turn.at_ms >= wanted.until_ms + CLOCK_SLACK_MS
    is_last = is_over or last == newest.revision or last < chunk * CHUNK + 1
    return ChunkOfLog(events=events, reads=reads, following=None if is_last else chunk + 1)


def _first_chunk(turns: StoredTurns, bot_id: str, log: str, newest: int, wanted: Range) -> tuple[int, int]:
    """The last chunk that begins before the range, by halving; and how many turns were read."""
    low, high, reads = 0, (newest - 1) // CHUNK, 1
    while low < high:
        middle = (low + high + 1) // 2
        turn = turns.get(bot_id, log, middle * CHUNK + 1)
        reads += 1
        if turn is None or turn.at_ms < wanted.from_ms - CLOCK_SLACK_MS:
            low = middle
        else:
            high = middle - 1
    return low, reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """`logs` are to do, from `chunk` of the first on; after them those of `people`, a cursor, if `more` are listed."""

    logs: tuple[str, ...]
    chunk: int | None
    people: str | None
    more: bool
    seen_from_ms: int
    began_ms: int


def beginning(wanted: Range, now_ms: int) -> Position:
    return Position(
        logs=(SYSTEM_LOG,),
        chunk=None,
        people=None,
        more=True,
        seen_from_ms=_hour(wanted.from_ms - SEEN_SLACK_MS),
        began_ms=now_ms,
    )


def after_chunk(position: Position, following: int | None) -> Position:
    if following is not None:
        return replace(position, chunk=following)
    return replace(position, logs=position.logs[1:], chunk=None)


def after_logs(position: Position, identities: Identities, bot_id: str, now_ms: int) -> Position | None:
    """The next people, or the next pass; None when all was done."""
    if position.more:
        page = identities.page(
            bot_id, "end_user", limit=LOGS_A_PAGE, cursor=position.people, from_ms=position.seen_from_ms
        )
        logs = tuple([identity.log for identity in page.items])
        return replace(position, logs=logs, people=page.cursor, more=page.cursor is not None)
    if position.seen_from_ms == _hour(now_ms):
        return None
    seen_from = _hour(position.began_ms - INDEX_LAG_MS)
    return replace(position, people=None, more=True, seen_from_ms=seen_from, began_ms=now_ms)


def to_text(position: Position) -> str:
    """A cursor. Who has it may change it: all it can name are logs of the bot that is asked for."""
    return base64.urlsafe_b64encode(json.dumps(asdict(position), separators=(",", ":")).encode()).decode()


def from_text(cursor: str) -> Position:
    """Raises InvalidInput for what is no cursor."""
    position = _parsed(cursor) if len(cursor) <= MAX_CURSOR else None
    if position is None:
        raise InvalidInput("cursor: the one of the part before is expected")
    return position


def _parsed(cursor: str) -> Position | None:
    try:
        data: Any = json.loads(base64.b64decode(cursor.encode("ascii"), b"-_", validate=True))
        logs, people = data["logs"], data["people"]
        well_formed = (
            len(logs) <= LOGS_A_PAGE
            and all(_LOG.fullmatch(log) for log in logs)
            and (people is None or isinstance(people, str))
            and isinstance(data["more"], bool)
            and all(_is_number(data[name]) for name in ("seen_from_ms", "began_ms"))
            and (data["chunk"] is None or _is_number(data["chunk"]))
        )
        return Position(**{**data, "logs": tuple(logs)}) if well_formed else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value <= MAX_NUMBER


def _hour(at_ms: int) -> int:
    return max(0, at_ms - at_ms % HOUR_MS)
