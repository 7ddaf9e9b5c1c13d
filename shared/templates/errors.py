"""What can be wrong with a template: its text (found when a bot is saved) or its run (over a budget, a bad call)."""

from dataclasses import dataclass

from shared.errors import InvalidInput, MalgilError


class TemplateError(MalgilError):
    """A template failed while it rendered: a budget was exceeded or a helper was given what it cannot use.

    It fails the node that asked for the text, never the process.
    """

    code = "template_error"


class TemplateSyntaxError(InvalidInput):
    """A text is not a template. `line` and `column` count from 1; `expected` says what could have stood there."""

    code = "template_syntax"

    def __init__(self, found: str, expected: str, *, line: int, column: int) -> None:
        super().__init__(
            f"line {line}, column {column}: found {found}, expected {expected}",
            line=line,
            column=column,
            expected=expected,
        )
        self.line = line
        self.column = column
        self.expected = expected


@dataclass(frozen=True, slots=True)
class TemplateWarning:
    """Something that renders but that its author should look at; `line` and `column` count from 1."""

    line: int
    column: int
    message: str
