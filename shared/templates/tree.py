"""The tree of a template: what the parser makes, white space control trims and the compiler reads.

Offsets are code points from the start of the source, for error messages.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from shared.values import Undefined


class Tildes(NamedTuple):
    """Whether a tag asks to trim the white space before and after it (`{{~name~}}`)."""

    before: bool = False
    after: bool = False


@dataclass(frozen=True, slots=True)
class ExpandedIndex:
    """The `[i]` or `[0..5]` of an array expansion: whichever item its list element in the node data stands for.

    list_path: the way to the list from the context. first and last: the range, or None for `[i]`.
    """

    list_path: "tuple[Segment, ...]"
    first: int | None = None
    last: int | None = None


Segment = str | ExpandedIndex


@dataclass(slots=True)
class Path:
    """`../a.b[0]`: depth 1, segments a, b, 0. `original` is its text as blocks compare it with their end tag.

    is_data: written with @. is_scoped: begins with `this` or `.`, so that only the current value is looked at.
    """

    original: str
    segments: tuple[Segment, ...]
    depth: int
    is_data: bool
    is_scoped: bool
    offset: int

    @property
    def is_name(self) -> bool:
        """Whether it is one bare name, which may be a helper's."""
        return len(self.segments) == 1 and not (self.depth or self.is_data or self.is_scoped)


@dataclass(slots=True)
class Literal:
    """A text, number, truth value, null or undefined; `original` is its text where it stands for a name."""

    value: str | float | bool | Undefined | None
    original: str
    offset: int


@dataclass(slots=True)
class Call:
    """A name with what follows it: the inside of a tag, a sub-expression `(a b)` or a call `a(b, c)`.

    is_certain: it has parentheses or arguments, so that the name can only be a helper's.
    """

    name: Path | Literal
    arguments: "list[Expression]"
    named: "dict[str, Expression]"
    has_parentheses: bool

    @property
    def is_certain(self) -> bool:
        return self.has_parentheses or bool(self.arguments or self.named)


Expression = Path | Literal | Call


@dataclass(slots=True)
class Content:
    """Text between tags. `text` shrinks under white space control, `original` stays."""

    text: str
    original: str = field(init=False)
    is_trimmed_left: bool = False
    is_trimmed_right: bool = False

    def __post_init__(self) -> None:
        self.original = self.text


@dataclass(slots=True)
class Comment:
    text: str
    tildes: Tildes


@dataclass(slots=True)
class Mustache:
    """A tag that prints a value. is_escaped: by `{{ }}`, to be escaped where the template makes HTML."""

    call: Call
    is_escaped: bool
    tildes: Tildes


@dataclass(slots=True)
class Program:
    """Statements in a row: a whole template or one branch of a block.

    parameters: the names of `as |a b|`. chained: the block of an `else if`, which is then all of the body.
    """

    body: "list[Statement]"
    parameters: tuple[str, ...] = ()
    chained: "Block | None" = None


@dataclass(slots=True)
class Block:
    """`{{#name}}program{{else}}inverse{{/name}}`; `{{^name}}` has only an inverse, is_raw stands for four braces."""

    call: Call
    program: Program | None
    inverse: Program | None
    open_tildes: Tildes
    inverse_tildes: Tildes
    close_tildes: Tildes
    is_raw: bool = False


Statement = Content | Comment | Mustache | Block
