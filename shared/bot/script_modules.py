"""Which modules an author's script asks for, read from its text alone: what to ship with it, what cannot work, and
whether running it a second time could do something to the world a second time.

Comments and texts count as code. So the answer is sometimes too wide, and for plainly written scripts never too narrow;
what the text does not name is not shipped, so that a script cannot do what was not seen here.
"""

import re
from dataclasses import dataclass
from typing import Final

HTTP_MODULES: Final = frozenset(
    {"axios", "fetch", "node-fetch", "request", "request-promise", "request-promise-native", "superagent"}
)
PURE_MODULES: Final = frozenset(
    {
        *("assert", "buffer", "crypto", "events", "path", "querystring", "stream", "string_decoder", "url", "util"),
        *("bluebird", "cheerio", "csv-parse", "csv-parse/lib/sync", "iconv-lite", "jsonwebtoken", "lodash", "moment"),
        *("moment-timezone", "underscore", "uuid", "xml2js"),
    }
)
AVAILABLE: Final = HTTP_MODULES | PURE_MODULES

GLOBALS: Final = {
    "Buffer": "buffer",
    "TextDecoder": "util",
    "TextEncoder": "util",
    "URL": "url",
    "URLSearchParams": "url",
    "atob": "buffer",
    "btoa": "buffer",
    "fetch": "node-fetch",
}
"""Names that a script uses without requiring them -> the module that they come from."""

_REQUIRE: Final = re.compile(r"""\brequire\b(?:\s*\(\s*(?:'([^'\\\n]*)'|"([^"\\\n]*)"|`([^`\\$\n]*)`)\s*,?\s*\))?""")
_GLOBAL: Final = re.compile(rf"\b(?:{'|'.join(GLOBALS)})\b")
_WORLD: Final = re.compile(r"\b(?:fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon)\b|\bimport\s*\(")
_PART: Final = re.compile(r"(lodash|uuid|moment)/.+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptModules:
    """`names` as the script writes them; `dynamic` when some name is only known when it runs."""

    names: frozenset[str]
    dynamic: bool


def required_modules(script: str) -> ScriptModules:
    """What `script` requires."""
    found = [match.group(1, 2, 3) for match in _REQUIRE.finditer(script)]
    given = [next((name for name in names if name is not None), None) for names in found]
    return ScriptModules(names=frozenset(name for name in given if name is not None), dynamic=None in given)


def module_of(name: str) -> str:
    """The module that a required name belongs to: `lodash/get` is a part of lodash, `node:url` is url."""
    plain = name.removeprefix("node:").removesuffix("/")
    if plain == "csv-parse/sync":
        return "csv-parse/lib/sync"
    part = _PART.fullmatch(plain)
    return part[1] if part else plain


def used_modules(script: str) -> frozenset[str]:
    """The available modules that `script` can use: required, behind a global, or all when a name is not written out."""
    required = required_modules(script)
    if required.dynamic:
        return AVAILABLE
    named = {module_of(name) for name in required.names} | {GLOBALS[word] for word in _GLOBAL.findall(script)}
    return AVAILABLE & named


def may_call_the_world(script: str) -> bool:
    """Whether `script` could send an HTTP request; False means that running it twice harms nobody."""
    return bool(_WORLD.search(script)) or not HTTP_MODULES.isdisjoint(used_modules(script))
