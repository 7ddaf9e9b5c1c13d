"""What closures of a compiled template work on while it renders: the scope of a block, and the run with its budget."""

from typing import Any, Final

from shared.templates.environment import CallHelper, MaskedText, RenderEnvironment
from shared.templates.errors import TemplateError
from shared.templates.limits import MAX_OUTPUT_BYTES, MAX_STEPS, PRINTED_CHARACTERS_PER_STEP, READ_CHARACTERS_PER_STEP
from shared.templates.masks import join_texts
from shared.templates.operators import comparable
from shared.templates.tree import ExpandedIndex
from shared.values import UNDEFINED, to_number, to_text

NO_INDICES: Final[dict[ExpandedIndex | int, int]] = {}
"""Shared and never changed: an expansion begins a dict of its own."""


class Run:
    """One rendering of a template, or of all the templates of a node's data: what is left of the budget.

    indices: the item that each array expansion stands for now, by expansion and by the id() of its list.
    is_masked: some text of this run has masks, so that joining must look for them.
    """

    steps: int = MAX_STEPS
    is_masked: bool = False
    indices: dict[ExpandedIndex | int, int] = NO_INDICES

    def __init__(self, root: Any, environment: RenderEnvironment) -> None:
        self.root = root
        self.environment = environment

    def spend(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise out_of_steps()

    def text_of(self, value: Any) -> str:
        """A value as it prints; lists and objects cost steps for their length."""
        if isinstance(value, str):
            self.is_masked = self.is_masked or isinstance(value, MaskedText)
            return value
        text = to_text(value)
        if len(text) >= PRINTED_CHARACTERS_PER_STEP:
            self.spend(len(text) // PRINTED_CHARACTERS_PER_STEP)
        return text

    def read(self, value: Any) -> Any:
        """A value that is about to be read as a whole, which costs steps for its length."""
        value = comparable(value)
        if isinstance(value, str):
            self.spend(len(value) // READ_CHARACTERS_PER_STEP)
        elif isinstance(value, list | dict):
            self.text_of(value)
        return value

    def join(self, pieces: list[str]) -> str:
        if sum(map(len, pieces)) > MAX_OUTPUT_BYTES:
            raise too_long()
        return join_texts(pieces) if self.is_masked else "".join(pieces)

    def call(self, helper: CallHelper, arguments: list[Any]) -> Any:
        """What a helper makes of JSON values; it may not be longer than an output."""
        result = helper.call([self.read(argument) for argument in arguments], self.environment)
        if isinstance(result, str) and len(result) > MAX_OUTPUT_BYTES:
            raise too_long()
        return result


class Loop:
    """What `@index`, `@key`, `@first` and `@last` read inside #each; `outer` is the loop around it (`@../index`)."""

    __slots__ = ("index", "key", "last", "outer")

    def __init__(self, outer: "Loop | None", count: int) -> None:
        self.outer = outer
        self.last = count - 1
        self.index = 0
        self.key: str | int = 0


Parameters = tuple[tuple[Any, ...], Any]
"""Values of a block's `as |a b|`, and the Parameters around them (None outside of all)."""


class Scope:
    """Where an expression is evaluated. `this`: the current value; `outer`: the scope that `../` leads to."""

    __slots__ = ("loop", "outer", "parameters", "run", "this")

    def __init__(
        self, this: Any, outer: "Scope | None", loop: Loop | None, parameters: Parameters | None, run: Run
    ) -> None:
        self.this = this
        self.outer = outer
        self.loop = loop
        self.parameters = parameters
        self.run = run

    def around(self, this: Any) -> "Scope | None":
        """What `../` means inside a block that sets the current value to `this`: a block that keeps it is no step."""
        return self.outer if _is_same(this, self.this) else self


def _is_same(value: Any, other: Any) -> bool:
    """As `==` of JavaScript decides, on which Handlebars relies; objects are the same only as themselves."""
    if value is other:
        return True
    if isinstance(value, list | dict) or isinstance(other, list | dict):
        return False
    if value is None or value is UNDEFINED or other is None or other is UNDEFINED:
        return not value and not other and {type(value), type(other)} <= {type(None), type(UNDEFINED)}
    if isinstance(value, str) and isinstance(other, str):
        return value == other
    return to_number(value) == to_number(other)


def out_of_steps() -> TemplateError:
    return TemplateError(f"the template needs more than {MAX_STEPS} steps")


def too_long() -> TemplateError:
    return TemplateError(f"the text becomes longer than {MAX_OUTPUT_BYTES} bytes")
