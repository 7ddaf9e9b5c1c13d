"""The helpers that templates call with parentheses: `{{JOSA(name, "을")}}`, `{{DATE(null, "YYYY.MM.DD")}}`.

Each module holds one of them as a plain function of the render environment and the arguments; a missing argument is
UNDEFINED. CALLS is how the renderer finds them; a module is imported with the first call, so that a cold start pays
only for what the bot uses.
"""

from functools import cache
from importlib import import_module
from typing import Any, Final

from shared.templates.environment import CallHelper, MaskedText, RenderEnvironment
from shared.templates.errors import TemplateError
from shared.values import to_text

__all__ = ["CALLS"]


@cache
def _function(module: str, name: str) -> Any:
    return getattr(import_module(f"{__name__}.{module}"), name)


def _helper(name: str, minimum: int, maximum: int | None, module: str, function: str) -> CallHelper:
    """Wraps a helper with what holds for all of them: what is made from masked text is masked, and a value that is
    nested beyond the interpreter's stack is a bad argument, not a crash."""

    def call(arguments: list[Any], environment: RenderEnvironment) -> Any:
        try:
            result = _function(module, function)(environment, *arguments)
            masked = [argument for argument in arguments if isinstance(argument, MaskedText)]
            return _function("mask", "mask_like")(masked, to_text(result)) if masked else result
        except RecursionError as error:
            message = f"{name} was given a value that is nested too deeply"
            raise TemplateError(message) from error

    return CallHelper(name, minimum, maximum, call)


CALLS: Final[dict[str, CallHelper]] = {
    helper.name: helper
    for helper in (
        _helper("RAND", 1, None, "rand", "rand"),
        _helper("JOSA", 2, 2, "josa", "josa"),
        _helper("QUOTE", 1, 2, "quote", "quote"),
        _helper("ESCAPE", 1, 1, "escape", "escape"),
        _helper("FORMAT", 1, 2, "format", "format_number"),
        _helper("TRUNCATE", 2, 3, "truncate", "truncate"),
        _helper("DATE", 0, 3, "date", "date"),
        _helper("MASK", 1, 2, "mask", "mask"),
    )
}
