"""CLOSER's own receiver, told again: what it takes of a body, what it keeps, what it answers.

Rules read in `sini-company/closer-event-dashboard` at commit 5c802b8: server/app.go, server/database.go, db/init.sql
and nginx/conf.d/app.conf. That repository has no licence, so nothing is copied from it: these are its facts in our own
code, with the rules of Go's encoding/json that it rests on.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

JsonObject = dict[str, Any]

PATH: Final = "/webhook-endpoint"
MAX_BODY_BYTES: Final = 1024 * 1024
"""nginx before it has no client_max_body_size: the default is 1 MB."""
INT64: Final = range(-(2**63), 2**63)
GO_WRITES_DIGITS_BELOW: Final = 1e21
"""Go's JSON writes a float64 as a whole number up to here, later with an exponent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is asked of the table `events`; columns as they are called there. `timestamp` has whole seconds: RFC 3339 is
    written without fractions."""

    id: str
    source_id: str
    source_type: str
    event: str
    data: JsonObject | None
    timestamp: str


@dataclass(slots=True)
class Decoded:
    """A body as Go decodes it: a value of a wrong type leaves its field empty, and the rest is read nevertheless."""

    id: str = ""
    webhook_id: str = ""
    webhook_url: str = ""
    rows: list[Row] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def decode(raw: bytes) -> Decoded:
    """The first JSON value of the body. `faults` are places that Go's decoder complains of; the receiver then answers
    400 and keeps what it could read."""
    decoded = Decoded()
    text = raw.decode("utf-8", "replace").lstrip(" \t\r\n")
    try:
        value, _ = json.JSONDecoder(parse_constant=_no_constant).raw_decode(text)
    except ValueError as exc:
        decoded.faults.append(str(exc))
        return decoded
    fields = _Fields(value, "", decoded.faults)
    decoded.id = fields.text("id")
    decoded.webhook_id = fields.text("webhookId")
    decoded.webhook_url = fields.text("webhookUrl")
    decoded.rows = [_row(item, f"messages[{index}]", decoded.faults) for index, item in enumerate(fields.array())]
    return decoded


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _row(value: Any, place: str, faults: list[str]) -> Row:
    fields = _Fields(value, place, faults)
    at_ms = fields.integer("timestamp")
    return Row(
        id=fields.text("id"),
        source_id=fields.text("sourceId"),
        source_type=fields.text("sourceType"),
        event=fields.text("event"),
        data=fields.object("data"),
        timestamp=datetime.fromtimestamp(at_ms // 1000, UTC).isoformat(),
    )


class _Fields:
    """A JSON object read into a struct of Go: names match in any case, the last one counts, null and what is missing
    leave the field empty, unknown names are passed over."""

    def __init__(self, value: Any, place: str, faults: list[str]) -> None:
        self._place = place
        self._faults = faults
        if value is not None and not isinstance(value, dict):
            self._complain("")
            value = None
        self._values: JsonObject = {name.casefold(): found for name, found in (value or {}).items()}

    def text(self, name: str) -> str:
        value = self._values.get(name.casefold())
        if isinstance(value, str):
            return go_text(value)
        return self._empty(name, value, "")

    def integer(self, name: str) -> int:
        value = self._values.get(name.casefold())
        if type(value) is int and value in INT64:
            return value
        return self._empty(name, value, 0)

    def object(self, name: str) -> JsonObject | None:
        value = self._values.get(name.casefold())
        if isinstance(value, dict):
            try:
                found: JsonObject = go_value(value)
            except OverflowError:
                return self._empty(name, value, {})
            return found
        return self._empty(name, value, None)

    def array(self, name: str = "messages") -> list[Any]:
        value = self._values.get(name.casefold())
        if isinstance(value, list):
            return value
        return self._empty(name, value, [])

    def _empty(self, name: str, value: Any, empty: Any) -> Any:
        if value is not None:
            self._complain(name)
        return empty

    def _complain(self, name: str) -> None:
        self._faults.append(".".join(part for part in (self._place, name) if part) or "the body")


def go_text(text: str) -> str:
    """Half of a surrogate pair is no character to Go."""
    return "".join("\ufffd" if 0xD800 <= ord(letter) <= 0xDFFF else letter for letter in text)


def go_value(value: Any) -> Any:
    """What comes out of a map[string]interface{} again: every number was a float64 meanwhile."""
    if isinstance(value, dict):
        return {go_text(key): go_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [go_value(item) for item in value]
    if isinstance(value, str):
        return go_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        if math.isinf(number):
            raise OverflowError("no float64")
        return int(number) if number.is_integer() and abs(number) < GO_WRITES_DIGITS_BELOW else number
    return value


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str = ""


@dataclass(slots=True)
class Receiver:
    """`insert` stores a row and raises what the database says against it; `taken` are the bodies it read."""

    insert: Callable[[Row], None]
    is_duplicate: Callable[[Exception], bool]
    taken: list[Decoded] = field(default_factory=list)
    lost: list[tuple[Row, str]] = field(default_factory=list)
    """Rows that the table did not take. The receiver prints why and answers 200 all the same."""

    def answer(self, method: str, url: str, body: bytes = b"") -> Answer:
        """As over the network: plain http on port 80 is all that listens."""
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.port not in (None, 80):
            raise ConnectionRefusedError(url)
        if len(body) > MAX_BODY_BYTES:
            return Answer(413)
        if method == "GET" and parts.path == "/health":
            return Answer(200, "OK")
        if method != "POST" or parts.path != PATH:
            return Answer(404, "404 not found")
        decoded = decode(body)
        self.taken.append(decoded)
        for row in decoded.rows:
            self._store(row)
        return Answer(400, "400 bad request\nOK") if decoded.faults else Answer(200, "OK")

    def _store(self, row: Row) -> None:
        try:
            self.insert(row)
        except Exception as exc:  # noqa: BLE001 - whatever the database says is printed, and the next row follows
            if not self.is_duplicate(exc):
                self.lost.append((row, str(exc)))
