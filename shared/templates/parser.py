"""Tokens to a tree by recursive descent over Handlebars' grammar, with our calls, subscripts and the forgiven `)`.

Partials and decorators are refused: a bot's texts have no other templates to include and no code to run.
"""

import re
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple, Never

from shared.templates.errors import TemplateSyntaxError, TemplateWarning
from shared.templates.lexer import Kind, Token, tokenize
from shared.templates.limits import MAX_CHAIN, MAX_DEPTH, MAX_EXPANSIONS
from shared.templates.tree import (
    Block,
    Call,
    Comment,
    Content,
    ExpandedIndex,
    Expression,
    Literal,
    Mustache,
    Path,
    Program,
    Segment,
    Statement,
    Tildes,
)
from shared.templates.whitespace import control_whitespace
from shared.values import MAX_INDEX_DIGITS, UNDEFINED, WHITESPACE, number_text

MAX_SHOWN: Final = 30
"""Characters of the source that an error message quotes."""

LARGEST_EXACT_NUMBER: Final = 2**53

_VALUE: Final = "a name, a text in quotes, a number or a call"
_SUBSCRIPT: Final = "a number, a name in quotes, i or a range such as 0..5 in the brackets"
_QUOTED_CHARACTER: Final = re.compile(r"\\(.)", re.DOTALL)
_COMMENT_MARKS: Final = re.compile(r"\A\{\{~?!-?-?|-?-?~?\}\}\Z")
_WAYS: Final = frozenset({"..", ".", "this"})
_LITERALS: Final = frozenset({Kind.STRING, Kind.NUMBER, Kind.BOOLEAN, Kind.UNDEFINED, Kind.NULL})
_BEGINS_VALUE: Final = _LITERALS | {Kind.ID, Kind.DATA, Kind.OPEN_SEXPR}
_PARTIALS: Final = frozenset({Kind.OPEN_PARTIAL, Kind.OPEN_PARTIAL_BLOCK})


def position(source: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of an offset."""
    return source.count("\n", 0, offset) + 1, offset - source.rfind("\n", 0, offset)


def syntax_error(source: str, offset: int, found: str, expected: str) -> TemplateSyntaxError:
    line, column = position(source, offset)
    return TemplateSyntaxError(found, expected, line=line, column=column)


def parse(source: str) -> "Parser":
    """Parses a template whole; the parser keeps what was found. Raises TemplateSyntaxError."""
    parser = Parser(source)
    parser.parse()
    return parser


class Parser:
    """After `parse`: program (white space control done), warnings, and the expansions with their offsets."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.warnings: list[TemplateWarning] = []
        self.expansions: list[tuple[ExpandedIndex, int]] = []
        self.program = Program([])
        self._tokens = tokenize(source)
        self._index = 0
        self._depth = 0
        self._chain = 0

    def parse(self) -> None:
        self.program = self._program()
        if not self._is(Kind.END):
            self._fail("text or a tag that stands on its own")
        control_whitespace(self.program)

    # Tokens.

    @property
    def _kind(self) -> Kind:
        return self._tokens[self._index].kind

    def _is(self, kind: Kind) -> bool:
        return self._tokens[self._index].kind is kind

    def _next(self) -> Token:
        token = self._tokens[self._index]
        self._index += 1
        return token

    def _expect(self, kind: Kind, expected: str) -> Token:
        if not self._is(kind):
            self._fail(expected)
        return self._next()

    def _fail(self, expected: str) -> Never:
        token = self._tokens[self._index]
        raise syntax_error(self.source, token.start, self._shown(token), expected)

    def _shown(self, token: Token) -> str:
        if token.kind is Kind.END:
            return "the end of the text"
        text = self.source[token.start : token.end]
        return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"

    def _tildes(self, opening: Token, closing: Token) -> Tildes:
        return Tildes(
            self.source.startswith("~", opening.start + 2),
            self.source.startswith("~", closing.end - 3),
        )

    def _descend(self) -> None:
        if self._depth >= MAX_DEPTH:
            self._fail(f"at most {MAX_DEPTH} blocks and calls inside one another")
        self._depth += 1

    def _ascend(self) -> None:
        self._depth -= 1

    # Statements.

    def _program(self) -> Program:
        body: list[Statement] = []
        while (read := self._STATEMENTS.get(self._kind)) is not None:
            body.append(read(self))
        if self._kind in _PARTIALS:
            self._fail("no partial")
        return Program(body)

    def _content(self) -> Content:
        return Content(self._next().text)

    def _comment(self) -> Comment:
        token = self._next()
        return Comment(_COMMENT_MARKS.sub("", token.text), self._tildes(token, token))

    def _mustache(self) -> Mustache:
        opening = self._opening()
        is_unescaped = opening.kind is Kind.OPEN_UNESCAPED
        call = self._call()
        closing = self._expect(
            Kind.CLOSE_UNESCAPED if is_unescaped else Kind.CLOSE, "}}}" if is_unescaped else f"}}}} or {_VALUE}"
        )
        return Mustache(call, not (is_unescaped or opening.text.endswith("&")), self._tildes(opening, closing))

    def _opening(self) -> Token:
        if self._tokens[self._index].text.endswith("*"):
            self._fail("no decorator")
        return self._next()

    def _block(self) -> Block:
        self._descend()
        is_inverted = self._is(Kind.OPEN_INVERSE)
        head = self._block_head()
        program = self._branch(head)
        links: list[tuple[_Head, Program]] = []
        while self._is(Kind.OPEN_INVERSE_CHAIN) and not is_inverted:
            links.append(self._link())
        inverse = self._inverse()
        end = self._end_tag(head)
        self._chain -= len(links)
        self._ascend()
        for link, branch in reversed(links):
            inverse = _chained(link, branch, inverse)
        block = _block(head, program, inverse, end)
        if is_inverted:
            block.program, block.inverse = block.inverse, block.program
        return block

    def _block_head(self) -> "_Head":
        opening = self._opening()
        call = self._call()
        parameters: list[str] = []
        if self._is(Kind.OPEN_BLOCK_PARAMS):
            self._next()
            parameters.append(self._expect(Kind.ID, "a name").text)
            while self._is(Kind.ID):
                parameters.append(self._next().text)
            self._expect(Kind.CLOSE_BLOCK_PARAMS, "a name or |")
        closing = self._expect(Kind.CLOSE, f"}}}}, as | or {_VALUE}")
        return _Head(call, tuple(parameters), self._tildes(opening, closing))

    def _branch(self, head: "_Head") -> Program:
        program = self._program()
        program.parameters = head.parameters
        return program

    def _link(self) -> "tuple[_Head, Program]":
        if self._chain >= MAX_CHAIN:
            self._fail(f"at most {MAX_CHAIN} else branches")
        self._chain += 1
        head = self._block_head()
        return head, self._branch(head)

    def _inverse(self) -> "_Inverse | None":
        if not self._is(Kind.INVERSE):
            return None
        token = self._next()
        return _Inverse(self._program(), self._tildes(token, token))

    def _end_tag(self, head: "_Head") -> Tildes:
        name = head.call.name.original
        opening = self._expect(Kind.OPEN_ENDBLOCK, f"{{{{/{name}}}}}")
        end = self._name()
        if end.original != name:
            raise syntax_error(self.source, opening.start, f"{{{{/{end.original}", f"{{{{/{name}}}}}")
        return self._tildes(opening, self._expect(Kind.CLOSE, "}}"))

    def _raw_block(self) -> Block:
        self._next()
        call = self._call()
        self._expect(Kind.CLOSE_RAW_BLOCK, f"}}}}}}}} or {_VALUE}")
        body: list[Statement] = []
        while self._is(Kind.CONTENT):
            body.append(self._content())
        expected = f"{{{{{{{{/{call.name.original}}}}}}}}}"
        if self._tokens[self._index].text != call.name.original:
            self._fail(expected)
        self._expect(Kind.END_RAW_BLOCK, expected)
        return Block(call, Program(body), None, Tildes(), Tildes(), Tildes(), is_raw=True)

    _STATEMENTS: ClassVar[dict[Kind, Callable[["Parser"], Statement]]] = {
        Kind.CONTENT: _content,
        Kind.COMMENT: _comment,
        Kind.OPEN: _mustache,
        Kind.OPEN_UNESCAPED: _mustache,
        Kind.OPEN_BLOCK: _block,
        Kind.OPEN_INVERSE: _block,
        Kind.OPEN_RAW_BLOCK: _raw_block,
    }

    # Expressions.

    def _call(self) -> Call:
        name = self._name()
        if self._is(Kind.CALL):
            return self._parenthesised(name)
        arguments: list[Expression] = []
        while self._kind in _BEGINS_VALUE and not self._is_named():
            arguments.append(self._value())
        named: dict[str, Expression] = {}
        while self._is_named():
            key = self._next().text
            self._next()
            named[_without_brackets(key)] = self._value()
        return Call(name, arguments, named, has_parentheses=False)

    def _is_named(self) -> bool:
        return self._is(Kind.ID) and self._tokens[self._index + 1].kind is Kind.EQUALS

    def _parenthesised(self, name: Path | Literal) -> Call:
        """The rest of `name(a, b)` from its parenthesis on."""
        self._descend()
        opening = self._next()
        arguments: list[Expression] = []
        if self._kind in _BEGINS_VALUE:
            arguments.append(self._value())
            while self._is(Kind.COMMA):
                self._next()
                arguments.append(self._value())
        self._close_parenthesis(opening, ", or )")
        self._ascend()
        return Call(name, arguments, {}, has_parentheses=True)

    def _sub_expression(self) -> Call:
        self._descend()
        opening = self._next()
        call = self._call()
        call.has_parentheses = True
        self._close_parenthesis(opening, f") or {_VALUE}")
        self._ascend()
        return call

    def _close_parenthesis(self, opening: Token, expected: str) -> None:
        if self._kind in (Kind.CLOSE, Kind.CLOSE_UNESCAPED):
            line, column = position(self.source, opening.start)
            self.warnings.append(TemplateWarning(line, column, "this ( has no ) before }}"))
            return
        self._expect(Kind.CLOSE_SEXPR, expected)

    def _value(self) -> Expression:
        if self._is(Kind.OPEN_SEXPR):
            return self._sub_expression()
        name = self._name()
        return self._parenthesised(name) if self._is(Kind.CALL) else name

    def _name(self) -> Path | Literal:
        if self._kind in _LITERALS:
            return _literal(self._next())
        if self._is(Kind.DATA):
            return self._path(self._next().start, is_data=True)
        if self._is(Kind.ID):
            return self._path(self._tokens[self._index].start, is_data=False)
        return self._fail(_VALUE)

    def _path(self, offset: int, *, is_data: bool) -> Path:
        original = ["@"] if is_data else []
        segments: list[Segment] = []
        depth, is_scoped = 0, False
        while True:
            token = self._expect(Kind.ID, "a name")
            text = _without_brackets(token.text)
            original.append(text)
            if text != token.text or text not in _WAYS:
                segments.append(text)
            elif segments:
                raise syntax_error(self.source, token.start, f"{text} inside a path", "a name")
            else:
                depth += text == ".."
                is_scoped = is_scoped or text != ".."
            while self._is(Kind.SUBSCRIPT):
                original.append(self._tokens[self._index].text)
                segments.append(self._subscript(segments, is_data=is_data, depth=depth))
            if not self._is(Kind.SEP):
                break
            original.append(self._next().text)
        if self._is(Kind.INVALID) and self._tokens[self._index].text.startswith("["):
            self._fail(_SUBSCRIPT)
        return Path("".join(original), tuple(segments), depth, is_data, is_scoped, offset)

    def _subscript(self, segments: list[Segment], *, is_data: bool, depth: int) -> Segment:
        text = self._tokens[self._index].text[1:-1].strip(WHITESPACE)
        if text[0] in "\"'":
            segment: Segment = _QUOTED_CHARACTER.sub(r"\1", text[1:-1])
        elif text.isdecimal():
            segment = _digits(text)
        else:
            if depth or (is_data and segments[:1] != ["root"]):
                self._fail("a number, or a path from the context before an array expansion")
            if sum(isinstance(segment, ExpandedIndex) for segment in segments) >= MAX_EXPANSIONS:
                self._fail(f"at most {MAX_EXPANSIONS} array expansions in a path")
            first, _, last = text.partition("..")
            list_path = tuple(segments[1:] if is_data else segments)
            segment = (
                ExpandedIndex(list_path, int(_digits(first)), int(_digits(last))) if last else ExpandedIndex(list_path)
            )
            self.expansions.append((segment, self._tokens[self._index].start))
        self._next()
        return segment


class _Head(NamedTuple):
    """An opening tag: of a block, or of an `else if`."""

    call: Call
    parameters: tuple[str, ...]
    tildes: Tildes


class _Inverse(NamedTuple):
    """What follows an `else`, and the tildes of the tag that began it."""

    program: Program
    tildes: Tildes


def _chained(link: _Head, branch: Program, inverse: _Inverse | None) -> _Inverse:
    """An `else if` as an inverse that holds nothing but a block of its own."""
    # Such a block has no end tag: for its white space Handlebars lets the next branch's tag close it.
    block = _block(link, branch, inverse, inverse.tildes if inverse else Tildes())
    return _Inverse(Program([block], chained=block), link.tildes)


def _block(head: _Head, program: Program, inverse: _Inverse | None, close: Tildes) -> Block:
    if inverse is None:
        return Block(head.call, program, None, head.tildes, Tildes(), close)
    if inverse.program.chained is not None:
        inverse.program.chained.close_tildes = close
    return Block(head.call, program, inverse.program, head.tildes, inverse.tildes, close)


def _without_brackets(text: str) -> str:
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text


def _digits(text: str) -> str:
    """A whole number as a property name: without leading zeros, and no longer than any index."""
    return text.lstrip("0")[: MAX_INDEX_DIGITS + 1] or "0"


def _literal(token: Token) -> Literal:
    kind, text, offset, _ = token
    if kind is Kind.STRING:
        return Literal(text, text, offset)
    if kind is Kind.NUMBER:
        number = float(text)
        is_exact = number.is_integer() and abs(number) <= LARGEST_EXACT_NUMBER
        return Literal(int(number) if is_exact else number, number_text(number), offset)
    if kind is Kind.BOOLEAN:
        return Literal(text == "true", text, offset)
    return Literal(UNDEFINED if kind is Kind.UNDEFINED else None, text, offset)
