"""Left paths of conditions: `message.payload.flowId`, `list[0].x`, `a["b c"]`, as templates write them."""

import re
from typing import Final

from shared.errors import InvalidInput

MAX_PATH: Final = 1_000
"""Characters of a path."""

_SEGMENT: Final = re.compile(
    r"""(?P<dot>\.)?(?:\[(?:(?P<index>[0-9]+)|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<literal>[^\]\["']+))\]"""
    r"""|(?P<name>[^.\[\]\s"']+))""",
)


def parse_path(text: str) -> tuple[str, ...]:
    """The keys of a path, list indexes as text; raises InvalidInput for what is not a path.

    `[words]` without quotes needs a dot before it unless it begins the path, as in Handlebars (`a.[b c]`).
    """
    text = text.strip()
    if not text or len(text) > MAX_PATH:
        raise InvalidInput("a path is empty" if not text else f"a path is longer than {MAX_PATH} characters")
    parts: list[str] = []
    at = 0
    while at < len(text):
        segment = _SEGMENT.match(text, at)
        if not segment or not _joins(segment, first=at == 0):
            raise InvalidInput(f"'{text}' is not a path: unexpected '{text[at]}' at character {at + 1}")
        key = next(
            segment[kind] for kind in ("index", "double", "single", "literal", "name") if segment[kind] is not None
        )
        parts.append(key)
        at = segment.end()
    return tuple(parts)


def _joins(segment: re.Match[str], *, first: bool) -> bool:
    """A name or `[literal]` stands behind a dot, an index or quoted key may; nothing begins with a dot."""
    if first:
        return segment["dot"] is None
    return segment["dot"] is not None or (segment["name"] is None and segment["literal"] is None)
