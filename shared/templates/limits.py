"""How much one template may be and do. Authors' templates run beside other people's data, so everything is bounded.

Over a bound of the text itself is a TemplateSyntaxError, over a bound of the run a TemplateError.
"""

from typing import Final

MAX_SOURCE_BYTES: Final = 32 * 1024
"""UTF-8 bytes of a template's text."""

MAX_OUTPUT_BYTES: Final = 64 * 1024
"""UTF-8 bytes of a rendered text, and of every text that a helper makes on the way."""

MAX_DATA_OUTPUT_BYTES: Final = 1024 * 1024
"""UTF-8 bytes of all the texts of one node's data together."""

MAX_STEPS: Final = 10_000
"""Evaluated expressions and entered blocks of a template, or of all the templates of one node's data together."""

READ_CHARACTERS_PER_STEP: Final = 256
"""A call that reads a text pays a step for so many characters more."""

PRINTED_CHARACTERS_PER_STEP: Final = 32
"""A list or an object that is turned into text costs a step for so many characters."""

MAX_DEPTH: Final = 20
"""Blocks and sub-expressions inside one another."""

MAX_CHAIN: Final = 64
"""`else if` branches open at a place: they nest in the tree, so that recursion over it needs a bound."""

MAX_EXPANSIONS: Final = 4
"""Array expansions in one path: `{{a[i].b[i].c}}` has two."""

MAX_LOOP_ITEMS: Final = 1_000
"""Items of one #each, and clones of one element of a list in node data."""

MAX_DATA_DEPTH: Final = 64
"""Lists and objects inside one another in node data."""

MAX_IMPLICIT_CLONES: Final = 10
"""`{{list[i].x}}` clones an element at most so often; `{{list[0..20].x}}` says how many it wants."""


def exceeds(text: str, limit: int) -> bool:
    """Whether a text has more UTF-8 bytes than `limit`; encodes only where counting characters cannot tell."""
    if len(text) * 4 <= limit:
        return False
    return len(text) > limit or (not text.isascii() and len(text.encode("utf-8", "surrogatepass")) > limit)
