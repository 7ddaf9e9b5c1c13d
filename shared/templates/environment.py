"""What a rendering template is given besides its data, and what it gives back: the words that the renderer and the
call helpers share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class RenderEnvironment:
    """The world as far as templates may see it, so that the same inputs always render the same text.

    now_ms: the time of the turn in epoch milliseconds. random: a number in [0, 1). language: the bot's, "ko" or "en".
    """

    now_ms: int
    random: Callable[[], float]
    language: str = "ko"


class Mask(NamedTuple):
    """The code points `start` to `end` (exclusive) of a text, hidden from everybody but the end user.

    after_ms: hidden from that many milliseconds after sending on; None: at once.
    """

    start: int
    end: int
    after_ms: int | None


class MaskedText(str):
    """Text of which some ranges are for the end user only. It is the clear text: whoever shows it to anybody else
    replaces the ranges of `masks` (ascending, apart from each other)."""

    __slots__ = ("masks",)

    masks: tuple[Mask, ...]

    def __new__(cls, text: str, masks: tuple[Mask, ...]) -> "MaskedText":
        masked = super().__new__(cls, text)
        masked.masks = masks
        return masked


@dataclass(frozen=True, slots=True)
class CallHelper:
    """A helper that is called with parentheses: `{{JOSA(name, "을")}}`.

    max_arguments None: any number. `call` is given JSON values (missing ones are UNDEFINED) and returns one; it raises
    TemplateError for what it cannot use. Wrong numbers of arguments are syntax errors and never reach it.
    """

    name: str
    min_arguments: int
    max_arguments: int | None
    call: Callable[[list[Any], RenderEnvironment], Any]
