"""The helpers that templates call with parentheses: `{{JOSA(name, "을")}}`, `{{DATE(null, "YYYY.MM.DD")}}`.

Each module holds one of them as a plain function of the render environment and the arguments; a missing argument is
UNDEFINED. CALLS is how the renderer finds them.
"""

from collections.abc import Callable
from typing import Any, Final

from shared.templates.environment import CallHelper, MaskedText, RenderEnvironment
from shared.templates.errors import TemplateError
from shared.templates.functions.date import date
from shared.templates.functions.escape import escape
from shared.templates.functions.format import format_number
from shared.templates.functions.josa import josa
from shared.templates.functions.mask import mask, mask_like
from shared.templates.functions.quote import quote
from shared.templates.functions.rand import rand
from shared.templates.functions.truncate import truncate
from shared.values import to_text

__all__ = ["CALLS"]


def _helper(name: str, minimum: int, maximum: int | None, function: Callable[..., Any]) -> CallHelper:
    """Wraps a helper with what holds for all of them: what is made from masked text is masked, and a value that is
    nested beyond the interpreter's stack is a bad argument, not a crash."""

    def call(arguments: list[Any], environment: RenderEnvironment) -> Any:
        try:
            result = function(environment, *arguments)
            masked = [argument for argument in arguments if isinstance(argument, MaskedText)]
            return mask_like(masked, to_text(result)) if masked else result
        except RecursionError as error:
            message = f"{name} was given a value that is nested too deeply"
            raise TemplateError(message) from error

    return CallHelper(name, minimum, maximum, call)


CALLS: Final[dict[str, CallHelper]] = {
    helper.name: helper
    for helper in (
        _helper("RAND", 1, None, rand),
        _helper("JOSA", 2, 2, josa),
        _helper("QUOTE", 1, 2, quote),
        _helper("ESCAPE", 1, 1, escape),
        _helper("FORMAT", 1, 2, format_number),
        _helper("TRUNCATE", 2, 3, truncate),
        _helper("DATE", 0, 3, date),
        _helper("MASK", 1, 2, mask),
    )
}
