"""Handlebars' white space control: `~` trims, and a block tag, an else or a comment alone on its line takes the line.

The rules, their order and their quirks are those of Handlebars 4.7, because bots' texts show every line break.
"""

from typing import Final

from shared.templates.tree import Block, Comment, Content, Mustache, Program, Statement
from shared.values import WHITESPACE

_INDENTATION: Final = " \t"


def control_whitespace(program: Program) -> None:
    """Trims the contents of a whole template in place."""
    _control_program(program, is_root=True)


def _control_program(program: Program, *, is_root: bool) -> None:
    body = program.body
    for index, statement in enumerate(body):
        if isinstance(statement, Block):
            _control_block_in(body, index, statement, is_root=is_root)
        elif isinstance(statement, Comment):
            _trim_around(body, index, before=statement.tildes.before, after=statement.tildes.after)
            if _ends_line(body, index, is_root=is_root) and _begins_line(body, index, is_root=is_root):
                _omit_line_end(body, index + 1)
                _omit_indentation(body, index - 1)
        elif isinstance(statement, Mustache):
            _trim_around(body, index, before=statement.tildes.before, after=statement.tildes.after)


def _control_block_in(body: list[Statement], index: int, block: Block, *, is_root: bool) -> None:
    branches = [branch for branch in (block.program, block.inverse) if branch is not None]
    for branch in branches:
        _control_program(branch, is_root=False)
    first, last = branches[0], branches[-1]
    end = _first_inverse(block) or first
    opens_line = _begins_line(first.body, -1) and _ends_line(body, index, is_root=is_root)
    closes_line = _ends_line(end.body, len(end.body)) and _begins_line(body, index, is_root=is_root)
    _control_inside(block, first)
    _trim_around(body, index, before=block.open_tildes.before, after=block.close_tildes.after)
    if opens_line:
        _omit_line_end(first.body, 0)
        _omit_indentation(body, index - 1)
    if closes_line:
        _omit_line_end(body, index + 1)
        _omit_indentation(last.body, len(last.body) - 1)


def _first_inverse(block: Block) -> Program | None:
    """The text after the first else of a block that has two branches."""
    if block.program is None or block.inverse is None:
        return None
    return block.inverse.chained.program if block.inverse.chained else block.inverse


def _last_inverse(inverse: Program) -> Program:
    while inverse.chained is not None and inverse.chained.program is not None:
        inverse = inverse.chained.program
    return inverse


def _control_inside(block: Block, first: Program) -> None:
    """The inner sides of a block's own tags."""
    first_inverse = _first_inverse(block)
    if block.open_tildes.after:
        _trim_start(first.body, 0)
    if first_inverse is None or block.inverse is None:
        if block.close_tildes.before:
            _trim_end(first.body, len(first.body) - 1)
        return
    if block.inverse_tildes.before:
        _trim_end(first.body, len(first.body) - 1)
    if block.inverse_tildes.after:
        _trim_start(first_inverse.body, 0)
    if block.close_tildes.before:
        last = _last_inverse(block.inverse)
        _trim_end(last.body, len(last.body) - 1)
    if _ends_line(first.body, len(first.body)) and _begins_line(first_inverse.body, -1):
        _omit_indentation(first.body, len(first.body) - 1)
        _omit_line_end(first_inverse.body, 0)


def _content(body: list[Statement], index: int) -> Content | None:
    statement = body[index] if 0 <= index < len(body) else None
    return statement if isinstance(statement, Content) else None


def _ends_line(body: list[Statement], index: int, *, is_root: bool = False) -> bool:
    """Whether nothing but white space stands between the last line break and the statement at `index`."""
    if index == 0:
        return is_root
    content = _content(body, index - 1)
    if content is None:
        return False
    text = content.original
    visible = text.rstrip(WHITESPACE)
    return "\n" in text[len(visible) :] or (is_root and index == 1 and not visible)


def _begins_line(body: list[Statement], index: int, *, is_root: bool = False) -> bool:
    """Whether nothing but white space stands between the statement at `index` and the next line break."""
    if index + 1 >= len(body):
        return is_root
    content = _content(body, index + 1)
    if content is None:
        return False
    text = content.original
    visible = text.lstrip(WHITESPACE)
    return "\n" in text[: len(text) - len(visible)] or (is_root and index + 2 == len(body) and not visible)


def _trim_around(body: list[Statement], index: int, *, before: bool, after: bool) -> None:
    if after:
        _trim_start(body, index + 1)
    if before:
        _trim_end(body, index - 1)


def _trim_start(body: list[Statement], index: int) -> None:
    content = _content(body, index)
    if content is not None:
        text = content.text.lstrip(WHITESPACE)
        content.is_trimmed_right = text != content.text
        content.text = text


def _trim_end(body: list[Statement], index: int) -> None:
    content = _content(body, index)
    if content is not None:
        text = content.text.rstrip(WHITESPACE)
        content.is_trimmed_left = text != content.text
        content.text = text


def _omit_line_end(body: list[Statement], index: int) -> None:
    """Takes the rest of the line at the start of a content away, once."""
    content = _content(body, index)
    if content is not None and not content.is_trimmed_right:
        text = content.text.lstrip(_INDENTATION).removeprefix("\r").removeprefix("\n")
        content.is_trimmed_right = text != content.text
        content.text = text


def _omit_indentation(body: list[Statement], index: int) -> None:
    """Takes the white space before a tag away, once."""
    content = _content(body, index)
    if content is not None and not content.is_trimmed_left:
        text = content.text.rstrip(_INDENTATION)
        content.is_trimmed_left = text != content.text
        content.text = text
