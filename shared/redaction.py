"""Secrets in what is logged or shown to authors: known by the name that stands before them, shown as stars."""

import re
from typing import Any, Final

_WORDS: Final = r"authorization|cookie|token|secret|passw(?:or)?d|passphrase|(?:api|access|service|private)[-_]?key"
SECRET_KEY: Final = re.compile(rf"(?i){_WORDS}")
STARS: Final = "***"

_COUNT_KEY: Final = re.compile(r"(?i)tokens$")
"""maxTokens, inputTokens: a number behind such a name counts tokens of a language model."""
_IN_QUERY: Final = re.compile(
    rf"""(?ix) ( (?:^|[?&;]) (?= [\w.%\[\]-]{{0,60}}? (?:{_WORDS}) | (?:key|sig|signature|auth|pwd?)= )
    [\w.%\[\]-]{{1,100}}+ = ) [^&#\s"'<>]++"""
)
"""In addresses and forms; data.go.kr's serviceKey is one of them."""
_IN_ADDRESS: Final = re.compile(r"(://)[^/?#\s\"]+@")
_BEARER: Final = re.compile(r"(?i)(\bbearer\s+)[\w.~+/=-]{8,}")
_IN_JSON: Final = re.compile(
    rf"""(?isx) ( " (?= [^"\\]{{0,60}}? (?:{_WORDS}) ) [^"\\]*+ "\s*+:\s*+ )
    ( "(?:[^"\\]++|\\.)*+"? | [\[{{].* | [^\s,}}\]"]++ )"""
)
"""Also where the text was cut off; behind a list or an object under such a name nothing is shown."""
_IN_JSON_IN_TEXT: Final = re.compile(
    rf"""(?isx) ( (?<!\\)\\++" (?= [^"\\]{{0,60}}? (?:{_WORDS}) ) [^"\\]*+ \\++"\s*+:\s*+ )
    ( \\++"[^"]*+"? | [\[{{].* | [^\s,}}\]"\\]++ )"""
)
"""JSON that is a text in JSON: its quotes have backslashes."""

_CREDENTIAL: Final = re.compile(
    r"""(?x) \s*\{ | .*-----BEGIN | (?i:bearer|basic)\s | (?:sk|pk|rk)[-_][\w-]{16} | AIza[\w-]{30} | ya29\. | GOCSPX-
    | (?:AKIA|ASIA)[A-Z0-9]{12} | xox[abeprs]- | gh[opsu]_\w{20} | eyJ[\w-]{10}
    | (?=[A-Za-z+/]*\d)(?=[\d+/]*[A-Za-z])[A-Za-z\d+/]{32,}={0,2}\Z""",
    re.DOTALL,
)


def without_secrets(value: Any) -> Any:
    """A copy of a JSON value in which stars stand for whatever a key, a row's key or a name inside a text calls a
    secret, and for a secret where the name of a credential belongs."""
    if isinstance(value, dict):
        row_key = value.get("key", value.get("name"))
        is_secret_row = isinstance(row_key, str) and SECRET_KEY.search(row_key) is not None
        return {
            key: STARS if _is_secret(str(key), item) or (is_secret_row and key == "value") else without_secrets(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return text_without_secrets(value) if isinstance(value, str) else value


def text_without_secrets(text: str) -> str:
    """A text in which stars stand for secrets in the query, the form, the address or the JSON that it may hold."""
    text = _IN_QUERY.sub(rf"\1{STARS}", text)
    text = _BEARER.sub(rf"\1{STARS}", _IN_ADDRESS.sub(rf"\1{STARS}@", text))
    return _IN_JSON_IN_TEXT.sub(_hidden, _IN_JSON.sub(_hidden, text))


def looks_like_secret(text: str) -> bool:
    """Whether a text where the name of a credential belongs is rather a key, a token or a key file itself."""
    return _CREDENTIAL.match(text) is not None


def _is_secret(key: str, value: Any) -> bool:
    if key == "credential":
        return isinstance(value, str) and looks_like_secret(value)
    return SECRET_KEY.search(key) is not None and not (_COUNT_KEY.search(key) and isinstance(value, int | float))


def _hidden(found: re.Match[str]) -> str:
    name, value = found[1], found[2]
    if _COUNT_KEY.search(name.rstrip(' \t\r\n:"\\')) and value.isdigit():
        return found[0]
    quote = name[: name.index('"') + 1]
    return f"{name}{quote}{STARS}{quote}"
