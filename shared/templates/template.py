"""One text as a template: parsed and compiled once, rendered often."""

from typing import Any, Final

from shared.templates.compiler import Helpers, compile_program
from shared.templates.environment import RenderEnvironment
from shared.templates.errors import TemplateError, TemplateSyntaxError, TemplateWarning
from shared.templates.functions import CALLS
from shared.templates.limits import MAX_OUTPUT_BYTES, MAX_SOURCE_BYTES, exceeds
from shared.templates.parser import parse, syntax_error
from shared.templates.runtime import Run, Scope, too_long
from shared.templates.tree import ExpandedIndex

SURELY_SHORT: Final = MAX_OUTPUT_BYTES // 4
"""So many code points are never too many bytes."""


class Template:
    """A parsed template. `warnings` are what its author should look at though it renders."""

    __slots__ = ("_render", "expansions", "warnings")

    def __init__(self, source: str, *, escape_html: bool, calls: Helpers) -> None:
        if exceeds(source, MAX_SOURCE_BYTES):
            raise TemplateSyntaxError(
                f"a text of {len(source)} characters", f"at most {MAX_SOURCE_BYTES} bytes", line=1, column=1
            )
        parsed = parse(source)
        self._render = compile_program(parsed, calls, is_html=escape_html)
        self.warnings: tuple[TemplateWarning, ...] = tuple(parsed.warnings)
        self.expansions: tuple[tuple[ExpandedIndex, int], ...] = tuple(parsed.expansions)

    def render(self, context: dict[str, Any], environment: RenderEnvironment) -> str:
        """The text; a MaskedText when MASK hid some of it. Raises TemplateError over a budget or for a bad call."""
        return self.render_in(Run(context, environment))

    def render_in(self, run: Run) -> str:
        """As `render`, as part of a run whose budget other templates share."""
        render = self._render
        if isinstance(render, str):
            return render
        try:
            text = render(Scope(run.root, None, None, None, run))
        except RecursionError:
            message = "a value is nested too deeply to be printed"
            raise TemplateError(message) from None
        if len(text) > SURELY_SHORT and exceeds(text, MAX_OUTPUT_BYTES):
            raise too_long()
        return text


def parse_template(source: str, *, escape_html: bool = False, calls: Helpers = CALLS) -> Template:
    """A text as a template. escape_html: `{{ }}` escapes what it prints, for places that make HTML.

    Raises TemplateSyntaxError, with line, column and what was expected.
    """
    template = Template(source, escape_html=escape_html, calls=calls)
    for expansion, offset in template.expansions:
        raise outside_list(source, expansion, offset)
    return template


def outside_list(source: str, expansion: ExpandedIndex, offset: int) -> TemplateSyntaxError:
    """The error for an array expansion that no list element of the node data repeats."""
    written = "[i]" if expansion.first is None else f"[{expansion.first}..{expansion.last}]"
    return syntax_error(source, offset, written, "a number: only an element of a list can be repeated")
