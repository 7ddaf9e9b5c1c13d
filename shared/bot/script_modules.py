"""What an author's script asks of its surroundings, read from its text."""

import re
from typing import Final

AVAILABLE: Final[frozenset[str]] = frozenset(
    {"axios", "crypto", "lodash", "moment", "moment-timezone", "request", "superagent", "underscore", "uuid"}
)
"""Modules that a script can require."""
NETWORK: Final[frozenset[str]] = frozenset({"axios", "fetch", "http", "https", "request", "superagent"})

_REQUIRE: Final = re.compile(r"""\brequire\s*\(\s*(?:(["'`])([^"'`$]*)\1\s*\))?""")
_FETCH: Final = re.compile(r"\b(?:fetch|XMLHttpRequest)\b")


def required_modules(script: str) -> tuple[frozenset[str], bool]:
    """The modules that a script names in `require`, and whether it also requires one that only its run decides."""
    found = _REQUIRE.findall(script)
    return frozenset(name for quote, name in found if quote), any(not quote for quote, _ in found)


def may_call_the_world(script: str) -> bool:
    """Whether running the script again could do something twice; when in doubt it could."""
    names, is_dynamic = required_modules(script)
    return is_dynamic or not names <= AVAILABLE - NETWORK or _FETCH.search(script) is not None
