"""Text of a template to tokens: Handlebars' own tokens under their own names, and three of ours.

CALL (a parenthesis glued to a name), SUBSCRIPT (`[0]`, `["b c"]`, `[i]`, `[0..5]` glued to a path) and COMMA are no
tokens in Handlebars, so no template of Handlebars changes its meaning. Time is linear in the text: a pattern that may
scan far ahead ends the lexing when it does not match.
"""

import re
from enum import StrEnum
from typing import Final, NamedTuple

from shared.values import WHITESPACE


class Kind(StrEnum):
    """Token kinds; the names are those of Handlebars' grammar."""

    CONTENT = "CONTENT"
    COMMENT = "COMMENT"
    OPEN = "OPEN"
    OPEN_UNESCAPED = "OPEN_UNESCAPED"
    OPEN_BLOCK = "OPEN_BLOCK"
    OPEN_INVERSE = "OPEN_INVERSE"
    OPEN_INVERSE_CHAIN = "OPEN_INVERSE_CHAIN"
    INVERSE = "INVERSE"
    OPEN_ENDBLOCK = "OPEN_ENDBLOCK"
    OPEN_PARTIAL = "OPEN_PARTIAL"
    OPEN_PARTIAL_BLOCK = "OPEN_PARTIAL_BLOCK"
    OPEN_RAW_BLOCK = "OPEN_RAW_BLOCK"
    CLOSE_RAW_BLOCK = "CLOSE_RAW_BLOCK"
    END_RAW_BLOCK = "END_RAW_BLOCK"
    CLOSE = "CLOSE"
    CLOSE_UNESCAPED = "CLOSE_UNESCAPED"
    OPEN_SEXPR = "OPEN_SEXPR"
    CLOSE_SEXPR = "CLOSE_SEXPR"
    OPEN_BLOCK_PARAMS = "OPEN_BLOCK_PARAMS"
    CLOSE_BLOCK_PARAMS = "CLOSE_BLOCK_PARAMS"
    EQUALS = "EQUALS"
    SEP = "SEP"
    DATA = "DATA"
    ID = "ID"
    STRING = "STRING"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    UNDEFINED = "UNDEFINED"
    NULL = "NULL"
    CALL = "CALL"
    SUBSCRIPT = "SUBSCRIPT"
    COMMA = "COMMA"
    INVALID = "INVALID"
    END = "END"


_KINDS: Final = {kind.value: kind for kind in Kind}


class Token(NamedTuple):
    """`text` is what the token means (a string without its quotes), `start` and `end` where it stands."""

    kind: Kind
    text: str
    start: int
    end: int


_SPACE: Final = f"[{WHITESPACE}]"
_NAME: Final = rf"[^{WHITESPACE}!\"#%-,./;->@\[-\^`{{-~]+"
_AFTER_NAME: Final = rf"(?=[=~}}{WHITESPACE}/.)|\[(,])"
_AFTER_LITERAL: Final = rf"(?=[~}}{WHITESPACE}),])"

# Earlier rows win, as in Handlebars' own lexer.
_TAG_ROWS: Final = (
    ("OPEN_RAW_BLOCK", r"\{\{\{\{"),
    ("CLOSE_RAW_BLOCK", r"\}\}\}\}"),
    ("OPEN_PARTIAL", r"\{\{~?>"),
    ("OPEN_PARTIAL_BLOCK", r"\{\{~?#>"),
    ("OPEN_BLOCK", r"\{\{~?#\*?"),
    ("OPEN_ENDBLOCK", r"\{\{~?/"),
    ("INVERSE", rf"\{{\{{~?(?:\^|{_SPACE}*else){_SPACE}*~?\}}\}}"),
    ("OPEN_INVERSE", r"\{\{~?\^"),
    ("OPEN_INVERSE_CHAIN", rf"\{{\{{~?{_SPACE}*else(?![A-Za-z0-9_])"),
    ("OPEN_UNESCAPED", r"\{\{~?\{"),
    ("COMMENT", r"\{\{~?!(?:(?=--)[\s\S]*?--~?\}\}|(?!--)[\s\S]*?\}\})"),
    ("OPEN", r"\{\{~?(?:&|\*)?"),
    ("OPEN_SEXPR", r"\("),
    ("CLOSE_SEXPR", r"\)"),
    ("EQUALS", r"="),
    ("DOTS", r"\.\."),
    ("DOT", rf"\.(?=[=~}}{WHITESPACE}/.)|,])"),
    ("SEP", r"[/.]"),
    ("SPACE", rf"{_SPACE}+"),
    ("CLOSE_UNESCAPED", r"\}~?\}\}"),
    ("CLOSE", r"~?\}\}"),
    ("STRING", r"\"(?:\\\"|[^\"])*\"|'(?:\\'|[^'])*'"),
    ("DATA", r"@"),
    ("BOOLEAN", rf"(?:true|false){_AFTER_LITERAL}"),
    ("UNDEFINED", rf"undefined{_AFTER_LITERAL}"),
    ("NULL", rf"null{_AFTER_LITERAL}"),
    ("NUMBER", rf"-?[0-9]+(?:\.[0-9]+)?{_AFTER_LITERAL}"),
    ("OPEN_BLOCK_PARAMS", rf"as{_SPACE}+\|"),
    ("CLOSE_BLOCK_PARAMS", r"\|"),
    ("ID", rf"{_NAME}{_AFTER_NAME}"),
    ("BRACKETS", r"\[(?:\\\]|[^\]])*\]"),
    ("COMMA", r","),
)
_TAG: Final = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _TAG_ROWS))
_NAME_ALONE: Final = re.compile(_NAME)
_SUBSCRIPT: Final = re.compile(
    rf"\[{_SPACE}*(?:[0-9]+(?:\.\.[0-9]+)?|i|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'){_SPACE}*\]"
)
_ESCAPED_TEXT: Final = re.compile(r"[\s\S]{2,}?(?=\\{0,2}\{\{|\Z)")
_END_OF_RAW: Final = re.compile(rf"\{{\{{\{{\{{/({_NAME})\}}\}}\}}\}}")
_BRACKET_ESCAPE: Final = re.compile(r"\\([\\\]])")

_END_A_TAG: Final = frozenset({"CLOSE", "CLOSE_UNESCAPED", "INVERSE", "COMMENT"})


def tokenize(source: str) -> list[Token]:
    """All tokens, the last of kind END; what is no token at all is INVALID and the last but one."""
    return _Lexer(source).run()


class _Lexer:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.tokens: list[Token] = []

    def run(self) -> list[Token]:
        while self._text() and self._tag():
            pass
        self._push(Kind.END, "", self.at)
        return self.tokens

    def _push(self, kind: Kind, text: str, end: int) -> None:
        self.tokens.append(Token(kind, text, self.at, end))
        self.at = end

    def _text(self) -> bool:
        """Reads up to the next tag; False at the end of the source."""
        source = self.source
        while self.at < len(source):
            opening = source.find("{{", self.at)
            if opening < 0:
                self._push(Kind.CONTENT, source[self.at :], len(source))
                break
            has_backslash = source.endswith("\\", self.at, opening)
            # Of two backslashes the first only says that the second is one.
            is_escaped = has_backslash and not source.endswith("\\\\", self.at, opening)
            text = source[self.at : opening - has_backslash]
            if text:
                self._push(Kind.CONTENT, text, opening)
            self.at = opening
            if not is_escaped:
                return True
            escaped = _ESCAPED_TEXT.match(source, opening)
            if escaped is None:
                break
            self._push(Kind.CONTENT, escaped[0], escaped.end())
        return False

    def _tag(self) -> bool:
        """Reads the tokens of one tag; False when the source ends in it or nothing more can be read."""
        while self.at < len(self.source):
            match = self._subscript() or _TAG.match(self.source, self.at)
            if match is None:
                self._unknown()
                return False
            name = match.lastgroup or "SUBSCRIPT"
            if name == "SPACE":
                self.at = match.end()
                continue
            self._tag_token(name, match[0])
            if name == "CLOSE_RAW_BLOCK":
                return self._raw_text()
            if name in _END_A_TAG:
                return True
            if self.tokens[-1].kind is Kind.INVALID:
                return False
        return False

    def _unknown(self) -> None:
        name = _NAME_ALONE.match(self.source, self.at)
        if name is not None and name.end() == len(self.source):
            self._push(Kind.ID, name[0], name.end())
        else:
            self._push(Kind.INVALID, self.source[self.at], self.at + 1)

    def _is_glued(self) -> bool:
        """Whether a path ends right here, without a space."""
        last = self.tokens[-1]
        return last.end == self.at and last.kind in (Kind.ID, Kind.SUBSCRIPT)

    def _subscript(self) -> re.Match[str] | None:
        return _SUBSCRIPT.match(self.source, self.at) if self.source[self.at] == "[" and self._is_glued() else None

    def _tag_token(self, name: str, text: str) -> None:
        end = self.at + len(text)
        if name == "STRING":
            self._push(Kind.STRING, text[1:-1].replace("\\" + text[0], text[0]), end)
        elif name in ("DOT", "DOTS"):
            self._push(Kind.ID, text, end)
        elif name == "BRACKETS":
            if self._is_glued():
                self._push(Kind.INVALID, text, end)
            else:
                self._push(Kind.ID, _BRACKET_ESCAPE.sub(r"\1", text), end)
        elif name == "OPEN_SEXPR" and self._is_glued():
            self._push(Kind.CALL, text, end)
        else:
            self._push(_KINDS[name], text, end)

    def _raw_text(self) -> bool:
        """The inside of `{{{{name}}}}`, up to its end; blocks of the same form may nest in it."""
        source, depth = self.source, 1
        while depth:
            following = source.find("{{{{", self.at)
            if following < 0:
                self._push(Kind.CONTENT, source[self.at :], len(source))
                return False
            if following > self.at:
                self._push(Kind.CONTENT, source[self.at : following], following)
            end = _END_OF_RAW.match(source, self.at)
            if end is None:
                depth += 0 if source.startswith("/", following + 4) else 1
                self._push(Kind.CONTENT, "{{{{", following + 4)
                continue
            depth -= 1
            if depth:
                self._push(Kind.CONTENT, end[0], end.end())
            else:
                self._push(Kind.END_RAW_BLOCK, end[1], end.end())
        return True
