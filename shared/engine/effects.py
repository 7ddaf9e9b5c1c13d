"""What a walk asks of the world, and what the world answers. The engine only names it; somebody else does it.

Every effect says `timeout_ms` (what its node allows; the caller may give it less), `repeatable` (doing it again harms
nobody) and `slow` (its author expects it to take long). Credentials are names: whoever carries the effect out looks
them up, so that no secret is in a bot, a turn or a trace.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from shared.errors import InvalidInput
from shared.json_input import plain_json
from shared.redaction import without_secrets

JsonObject = dict[str, Any]

BODY_SHOWN: Final = 2_000
"""Characters of a body that the trace shows."""
MOST_BYTES_A_CHARACTER: Final = 4
"""In UTF-8."""


def _described(shown: JsonObject) -> JsonObject:
    """As the trace shows it: without secrets, and nothing that JSON cannot carry."""
    try:
        plain: JsonObject = without_secrets(plain_json(shown))
    except InvalidInput as exc:
        return {"hidden": str(exc)}
    return plain


def _shown(body: bytes) -> str:
    return body[: MOST_BYTES_A_CHARACTER * BODY_SHOWN].decode("utf-8", "replace")[:BODY_SHOWN]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """One HTTP request of a fetch node."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout_ms: int
    repeatable: bool
    slow: bool = False

    @property
    def target(self) -> str:
        """Whom it depends on; who hangs is not asked for a while."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}".lower()

    def describe(self) -> JsonObject:
        body = {"body": _shown(self.body)} if self.body else {}
        return _described({"method": self.method, "url": self.url, "headers": self.headers, **body})


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptRun:
    """An author's script with what it may see; both are plain JSON to it."""

    script: str
    context: JsonObject
    timeout_ms: int
    repeatable: bool
    slow: bool = False
    target: str = "script"

    def describe(self) -> JsonObject:
        return _described({"context": self.context})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail to send; the sender is the installation's."""

    to: list[str]
    reply_to: list[str]
    subject: str
    html: str
    timeout_ms: int
    repeatable: bool = False
    slow: bool = False
    target: str = "mail"

    def describe(self) -> JsonObject:
        shown = {"to": self.to, "replyTo": self.reply_to, "subject": self.subject}
        return _described({**shown, "body": self.html[:BODY_SHOWN]})


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """A row to append to a Google sheet, by column name; the sheet and its columns are made when missing."""

    spreadsheet_id: str
    sheet_name: str
    columns: list[str]
    values: list[str]
    credential: str
    timeout_ms: int
    repeatable: bool = False
    slow: bool = False
    target: str = "google-sheets"

    def describe(self) -> JsonObject:
        row = dict(zip(self.columns, self.values, strict=False))
        return _described({"spreadsheetId": self.spreadsheet_id, "sheetName": self.sheet_name, "row": row})


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentQuery:
    """What did the end user mean? Asked of an NLP provider; `settings` are the provider's own, without secrets."""

    provider: str
    settings: JsonObject
    text: str
    session_id: str
    language: str
    credential: str
    timeout_ms: int
    repeatable: bool = True
    slow: bool = False

    @property
    def target(self) -> str:
        return f"nlp/{self.provider}"

    def describe(self) -> JsonObject:
        return _described({"provider": self.provider, "settings": self.settings, "text": self.text})


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallTalk:
    """A friendly answer to what was said, of a language model; at most `max_tokens` long."""

    provider: str
    settings: JsonObject
    instructions: str
    text: str
    max_tokens: int
    credential: str
    timeout_ms: int
    repeatable: bool = True
    slow: bool = False

    @property
    def target(self) -> str:
        return f"chitchat/{self.provider}"

    def describe(self) -> JsonObject:
        shown = {"provider": self.provider, "settings": self.settings, "instructions": self.instructions[:BODY_SHOWN]}
        return _described({**shown, "text": self.text, "maxTokens": self.max_tokens})


Effect = HttpCall | ScriptRun | Mail | SheetRow | IntentQuery | SmallTalk

EFFECTS: Final[dict[str, type[Effect]]] = {
    "fetch": HttpCall,
    "sandbox": ScriptRun,
    "email": Mail,
    "gsheet": SheetRow,
    "nlp": IntentQuery,
    "chitchat": SmallTalk,
}
"""Node type -> the effect that it asks for."""
_TYPES: Final = {effect: name for name, effect in EFFECTS.items()}
_PROPERTIES: Final = frozenset({"script"})


def effect_to_json(effect: Effect) -> JsonObject:
    """An effect as it is kept while it waits to be carried out; a script is left out, its bot version has it."""
    data = {key: value for key, value in asdict(effect).items() if key not in _PROPERTIES}
    if isinstance(effect, HttpCall):
        data["body"] = effect.body.decode("latin-1")
    return {"type": _TYPES[type(effect)], **data}


def effect_from_json(data: JsonObject, script: str) -> Effect:
    """Read back what effect_to_json wrote."""
    values = {key: value for key, value in data.items() if key != "type"}
    if data["type"] == "fetch":
        values["body"] = values["body"].encode("latin-1")
    elif data["type"] == "sandbox":
        values["script"] = script
    return EFFECTS[data["type"]](**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """An answer to an HttpCall arrived, whatever its status."""

    status: int
    url: str
    content_type: str
    body: bytes

    def describe(self) -> JsonObject:
        shown = {"statusCode": self.status, "url": self.url, "contentType": self.content_type}
        return _described({**shown, "body": _shown(self.body)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Any other effect was carried out: `result` is what its node's executor puts into the context. `notes` are lines
    for the trace: a script's console output, the calls that it made."""

    result: JsonObject
    notes: list[str] = field(default_factory=list)

    def describe(self) -> JsonObject:
        return _described(self.result)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectFailed:
    """It was not carried out, or nobody knows. `name` is a stable class (docs/bot-files.md: TimeoutError,
    BlockedAddressError, ...), `message` fit for the bot's author."""

    name: str
    message: str
    notes: list[str] = field(default_factory=list)

    def describe(self) -> JsonObject:
        return _described({"error": {"name": self.name, "message": self.message}})


EffectAnswer = HttpResponse | Answered | EffectFailed

TIMEOUT: Final = "TimeoutError"
"""The name of every failure by time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One carrying-out of an effect: for whom, under which idempotency key, and how long it may take. The same key
    always means the same effect of the same walk, however often it is tried."""

    bot_id: str
    idempotency_key: str
    timeout_ms: int
