r"""Regular expressions as JavaScript reads them, run by the `regex` module, whose searches can be given a time limit.

Authors wrote and tested their expressions in JavaScript (ECMAScript with Annex B, as browsers and Node have it), so an
expression is parsed by that grammar and re-written with the same meaning:

* Without the `u` flag JavaScript searches UTF-16 units. Text and pattern are split into units, so `^.$` does not match
  an emoji and `[😀]` matches half of one, as in JavaScript. With `u` they are code points.
* `i` compares canonical spellings (see javascript_case), so the `regex` module never folds case itself.
* Sets are spelled out: `\d` is 0-9, `\w` is ASCII, `\s` has U+FEFF and U+3000.

Known differences, none of them met in chat bots:

* JavaScript forgets the captures inside a repeated group at each repetition, `regex` keeps them: `(?:(a)|b)*\1`.
* Refused though JavaScript allows it: the `v` flag, modifiers `(?i:...)`, escapes inside group names, `\p{Lu}` and its
  cased kin together with `i`, and what exceeds the limits below.
* `\p{...}` follows the Unicode version of the `regex` module, and accepts a few looser spellings of a name.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from shared.conditions.javascript_case import case_table
from shared.conditions.limits import MAX_TEXT, RegexSyntaxError

MAX_PATTERN: Final = 1_000
"""Characters of an expression: the longest e-mail expressions have 500."""


TIME_LIMIT: Final = 0.1
"""Seconds for one search."""

MAX_GROUP_DEPTH: Final = 50
"""Groups inside groups; both this parser and the `regex` module's recurse."""

MAX_WEIGHT: Final = 10_000
"""Characters of a pattern with its minimum repeats written out, which is what the `regex` module does in memory:
`(?:a{1000}){1000}` takes 280 MB and half a second to compile."""

MAX_TRANSLATION: Final = 20_000
"""Characters after translation: word edges and case-insensitive classes grow."""

_REPEAT_BOUND: Final = 2 * MAX_TEXT + 1
"""More repeats than units in any text: a higher bound means the same."""

_FLAGS: Final = frozenset("dgimsuy")
_LITERAL: Final = re.compile(r"/(.*)/([A-Za-z]*)", re.DOTALL)

_LINE_ENDS: Final = "\\n\\r\u2028\u2029"
_DIGITS: Final = "0-9"
_WORD: Final = "A-Za-z0-9_"
_SPACES: Final = "\\t\\n\\v\\f\\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_SETS: Final = {"d": _DIGITS, "w": _WORD, "s": _SPACES}

_WORD_EDGE: Final = f"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))"
_NO_WORD_EDGE: Final = f"(?:(?<=[{_WORD}])(?=[{_WORD}])|(?<![{_WORD}])(?![{_WORD}]))"

_ANYTHING: Final = "(?s:.)"
_NOTHING: Final = "(?:(?!))"
_EMPTY: Final = "(?:)"

_CONTROLS: Final = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_SYNTAX_CHARACTERS: Final = "^$\\.*+?()[]{}|/"
_SPECIAL_OUTSIDE: Final = frozenset("^$\\.*+?()[]{}|#&-~ ")
_SPECIAL_IN_CLASS: Final = frozenset("[]\\^-&|~")

_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{([0-9]+)(?:(,)([0-9]*))?\})(\??)")
_CAPTURES: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]?|(?P<plain>\((?!\?))|\(\?<(?![=!])(?P<name>[^>]*)>", re.DOTALL)
_LOOKAROUND: Final = re.compile(r"\(\?(<?)[=!]")
_HEX: Final = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})")
_CODE_POINT: Final = re.compile(r"u\{([0-9A-Fa-f]+)\}|u([Dd][89ABab][0-9A-Fa-f]{2})\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})")
_OCTAL: Final = re.compile(r"[0-3][0-7]{0,2}|[4-7][0-7]?")
_NUMBER: Final = re.compile(r"[1-9][0-9]*")
_NAME: Final = re.compile(r"<([^>]*)>")
_PROPERTY: Final = re.compile(
    r"[pP]\{(?:(General_Category|gc|Script|sc|Script_Extensions|scx)=)?([A-Z][A-Za-z0-9_]*)\}",
)
_CASED_PROPERTY: Final = re.compile(r"L[ultC]|(?:(?:Upper|Lower|Title)case|Cased)_Letter|(?:Upper|Lower)(?:case)?")


class JavaScriptRegex:
    """A compiled expression."""

    __slots__ = ("_ignore_case", "_search", "_unicode", "flags", "source")

    def __init__(self, source: str, flags: str) -> None:
        self.source = source
        self.flags = flags
        self._unicode = "u" in flags
        self._ignore_case = "i" in flags
        import regex  # noqa: PLC0415 - only bots with regexes wait for it

        try:
            # ASCII is for \b alone, and would take all else from \p, which only `u` has.
            mode = regex.V1 if self._unicode else regex.V1 | regex.ASCII
            compiled = regex.compile(_Translator(source, flags).translate(), mode, cache_pattern=False)
        except regex.error as error:
            raise RegexSyntaxError(f"the expression cannot be run: {error}") from error
        self._search: Callable[..., object] = compiled.match if "y" in flags else compiled.search

    def test(self, text: str) -> bool:
        """Whether the expression matches somewhere in the first MAX_TEXT characters; raises TimeoutError."""
        text = text[:MAX_TEXT]
        if not self._unicode:
            text = utf16_units(text)
        if self._ignore_case:
            text = case_table(unicode=self._unicode).text(text)
        return self._search(text, timeout=TIME_LIMIT) is not None


def compile_javascript_regex(source: str) -> JavaScriptRegex:
    """Compiles `/pattern/flags` or a bare pattern (no flags); raises RegexSyntaxError.

    `g` and `d` change nothing for a single test, `y` pins it to the start of the text.
    """
    if len(source) > MAX_PATTERN:
        raise RegexSyntaxError(f"the expression has {len(source)} characters, more than {MAX_PATTERN}")
    literal = _LITERAL.fullmatch(source)
    pattern, flags = literal.groups() if literal else (source, "")
    unknown = sorted(set(flags) - _FLAGS)
    if unknown or len(set(flags)) < len(flags):
        raise RegexSyntaxError(f"invalid flags '{flags}' after the expression")
    return JavaScriptRegex(pattern, flags)


def utf16_units(text: str) -> str:
    """The text with every character outside the Basic Multilingual Plane as its two surrogates."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    encoded = text.encode("utf-16-be", "surrogatepass")
    return "".join([chr(encoded[at] << 8 | encoded[at + 1]) for at in range(0, len(encoded), 2)])


class _Piece(NamedTuple):
    text: str
    weight: int = 1


class _Translator:
    """Recursive-descent parser of ECMAScript's Pattern; each method returns what it read in `regex` syntax."""

    def __init__(self, source: str, flags: str) -> None:
        self._unicode = "u" in flags
        self._source = source if self._unicode else utf16_units(source)
        self._at = 0
        self._case = case_table(unicode=self._unicode) if "i" in flags else None
        line_start, line_end = f"(?<![^{_LINE_ENDS}])", f"(?![^{_LINE_ENDS}])"
        self._edges = {"^": line_start, "$": line_end} if "m" in flags else {"^": r"\A", "$": r"\Z"}
        self._dot = _ANYTHING if "s" in flags else f"[^{_LINE_ENDS}]"
        captures = [match for match in _CAPTURES.finditer(self._source) if match.lastgroup]
        self._names: dict[str, list[int]] = {}
        for number, match in enumerate(captures, start=1):
            if match["name"] is not None:
                self._names.setdefault(match["name"], []).append(number)
        self._capture_count = len(captures)
        self._opened = 0
        self._open: list[int] = []
        self._depth = 0
        self._behind = 0
        self._disjunctions = 0
        self._branch: tuple[tuple[int, int], ...] = ()
        self._branch_of_name: dict[str, list[tuple[tuple[int, int], ...]]] = {}

    def translate(self) -> str:
        piece = self._disjunction()
        if self._at < len(self._source):
            raise self._refused("unmatched ')'")
        if len(piece.text) > MAX_TRANSLATION:
            raise RegexSyntaxError("the expression is too large")
        return piece.text

    def _refused(self, reason: str) -> RegexSyntaxError:
        return RegexSyntaxError(f"{reason} at character {self._at + 1}", position=self._at)

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _take(self, text: str) -> bool:
        taken = self._source.startswith(text, self._at)
        if taken:
            self._at += len(text)
        return taken

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._source, self._at)
        if match:
            self._at = match.end()
        return match

    def _heavier(self, text: str, weight: int) -> _Piece:
        if weight > MAX_WEIGHT:
            raise RegexSyntaxError("the expression repeats too much")
        return _Piece(text, weight)

    def _disjunction(self) -> _Piece:
        self._disjunctions += 1
        outer, own = self._branch, self._disjunctions
        alternatives: list[_Piece] = []
        while not alternatives or self._take("|"):
            self._branch = (*outer, (own, len(alternatives)))
            alternatives.append(self._alternative())
        self._branch = outer
        return self._heavier(
            "|".join([piece.text for piece in alternatives]), sum(piece.weight for piece in alternatives)
        )

    def _alternative(self) -> _Piece:
        terms: list[_Piece] = []
        while self._at < len(self._source) and self._peek() not in "|)":
            terms.append(self._term())
        return self._heavier("".join([piece.text for piece in terms]), 1 + sum(piece.weight for piece in terms))

    def _term(self) -> _Piece:
        assertion = self._assertion()
        if assertion:
            return assertion
        if _QUANTIFIER.match(self._source, self._at):
            raise self._refused("nothing to repeat")
        if self._unicode and self._peek() in "{}]":
            raise self._refused(f"a lone '{self._peek()}'")
        return self._quantified(self._atom())

    def _assertion(self) -> _Piece | None:
        character = self._peek()
        if character in self._edges:
            self._at += 1
            return _Piece(self._edges[character])
        if self._take("\\b"):
            return _Piece(_WORD_EDGE if self._unicode else r"\b")
        if self._take("\\B"):
            return _Piece(_NO_WORD_EDGE if self._unicode else r"\B")
        lookaround = self._match(_LOOKAROUND)
        if not lookaround:
            return None
        if not lookaround[1]:
            inner = self._group(lookaround[0])
            # Annex B: without `u` a lookahead may be repeated.
            return inner if self._unicode else self._quantified(_Piece(f"(?:{inner.text})", inner.weight))
        self._behind += 1
        inner = self._group(lookaround[0])
        self._behind -= 1
        return inner

    def _quantified(self, atom: _Piece) -> _Piece:
        quantifier = self._match(_QUANTIFIER)
        if not quantifier:
            return atom
        least, comma, most, lazy = quantifier.groups()
        if least is None:
            return _Piece(atom.text + quantifier[0], atom.weight)
        low = min(int(least), _REPEAT_BOUND)
        if most and int(most) < int(least):
            raise self._refused("numbers out of order in {} quantifier")
        if not comma:
            bounds = f"{{{low}}}"
        elif not most or int(most) > _REPEAT_BOUND:
            bounds = f"{{{low},}}"
        else:
            bounds = f"{{{low},{int(most)}}}"
        return self._heavier(f"{atom.text}{bounds}{lazy}", atom.weight * max(low, 1))

    def _atom(self) -> _Piece:
        character = self._peek()
        if character == "(":
            return self._group(self._group_opening())
        self._at += 1
        if character == ".":
            return _Piece(self._dot)
        if character == "[":
            return _Piece(self._class())
        if character == "\\":
            return _Piece(self._escape())
        return _Piece(self._literal(ord(character)))

    def _literal(self, code: int) -> str:
        character = chr(self._case.code(code) if self._case else code)
        return f"\\{character}" if character in _SPECIAL_OUTSIDE else character

    def _group_opening(self) -> str:
        self._at += 1
        if not self._take("?"):
            return "("
        if self._take(":"):
            return "(?:"
        name = self._match(_NAME)
        if not name:
            raise self._refused("invalid group")
        if not name[1].replace("$", "_").isidentifier():
            raise self._refused("invalid capture group name")
        for branch in self._branch_of_name.get(name[1], []):
            if not _apart(branch, self._branch):
                raise self._refused("duplicate capture group name")
        self._branch_of_name.setdefault(name[1], []).append(self._branch)
        return "("

    def _group(self, opening: str) -> _Piece:
        self._depth += 1
        if self._depth > MAX_GROUP_DEPTH:
            raise self._refused(f"groups nest deeper than {MAX_GROUP_DEPTH}")
        captures = opening == "("
        if captures:
            self._opened += 1
            self._open.append(self._opened)
        inner = self._disjunction()
        if not self._take(")"):
            raise self._refused("unterminated group")
        if captures:
            self._open.pop()
        self._depth -= 1
        return _Piece(f"{opening}{inner.text})", inner.weight)

    def _reference(self, number: int) -> str:
        # A group that has not matched (yet) is empty in JavaScript and fails in `regex`.
        if number in self._open or (number > self._opened and not self._behind):
            return _EMPTY
        return f"(?:(?({number})\\{number}|))"

    def _escape(self) -> str:
        """What follows a backslash, outside a class."""
        character = self._peek()
        if character.lower() in _SETS and character:
            self._at += 1
            return f"[{'' if character.islower() else '^'}{_SETS[character.lower()]}]"
        if character == "k" and (self._names or self._unicode):
            self._at += 1
            name = self._match(_NAME)
            if not name or name[1] not in self._names:
                raise self._refused("invalid named reference")
            return f"(?:{''.join([self._reference(number) for number in self._names[name[1]]])})"
        number = _NUMBER.match(self._source, self._at)
        if number and (self._unicode or int(number[0]) <= self._capture_count):
            self._at = number.end()
            if int(number[0]) > self._capture_count:
                raise self._refused("a reference to a group that is not there")
            return self._reference(int(number[0]))
        if self._unicode and character in ("p", "P"):
            return self._property()
        return self._literal(self._character_escape(in_class=False))

    def _property(self) -> str:
        found = self._match(_PROPERTY)
        if not found:
            raise self._refused("invalid property name")
        kind, value = found.groups()
        if self._case and _CASED_PROPERTY.fullmatch(value):
            raise self._refused(f"\\p{{{value}}} cannot be combined with the flag i")
        if value == "ASCII" and not kind:  # unknown to `regex`
            return "[\\x00-\\x7f]" if found[0][0] == "p" else "[^\\x00-\\x7f]"
        import regex  # noqa: PLC0415 - as above

        candidates = [f"{kind}={value}"] if kind else [f"gc={value}", f"{value}=Yes"]
        for candidate in candidates:
            text = f"\\{found[0][0]}{{{candidate}}}"
            try:
                regex.compile(text, regex.V1)
            except regex.error:
                continue
            return text
        raise self._refused("invalid property name")

    def _character_escape(self, *, in_class: bool) -> int:
        """The code of the one character that the escape after a backslash stands for."""
        character = self._peek()
        if not character:
            raise self._refused("\\ at the end")
        if self._unicode and (pair := self._match(_CODE_POINT)):
            return self._code_point(pair)
        if number := self._match(_HEX):
            return int(number[1] or number[2], 16)
        if character == "c":
            return self._control_escape(in_class=in_class)
        if character.isdigit() and character.isascii():
            return self._digit_escape(character)
        if self._unicode and character not in _SYNTAX_CHARACTERS + "tnvfr" + ("-b" if in_class else ""):
            raise self._refused("invalid escape")
        self._at += 1
        return ord(_CONTROLS.get(character, "\b" if in_class and character == "b" else character))

    def _code_point(self, found: re.Match[str]) -> int:
        if found[1] is None:
            high, low = int(found[2], 16), int(found[3], 16)
            return 0x10000 + ((high - 0xD800) << 10) + low - 0xDC00
        code = int(found[1], 16)
        if code > 0x10FFFF:  # noqa: PLR2004 - the last code point
            raise self._refused("invalid Unicode escape")
        return code

    def _control_escape(self, *, in_class: bool) -> int:
        control = self._source[self._at + 1 : self._at + 2]
        annex_b = in_class and not self._unicode and (control == "_" or (control.isdigit() and control.isascii()))
        if annex_b or (control.isascii() and control.isalpha()):
            self._at += 2
            return ord(control) % 32
        if self._unicode:
            raise self._refused("invalid escape")
        return ord("\\")

    def _digit_escape(self, character: str) -> int:
        if self._unicode:
            following = self._source[self._at + 1 : self._at + 2]
            if character != "0" or (following.isdigit() and following.isascii()):
                raise self._refused("invalid decimal escape")
        octal = self._match(_OCTAL)
        if octal:
            return int(octal[0], 8)
        self._at += 1
        return ord(character)

    def _class(self) -> str:
        """A character class, from behind its opening bracket."""
        negated = self._take("^")
        ranges: list[tuple[int, int]] = []
        sets: list[str] = []
        while not self._take("]"):
            low = self._class_atom()
            if self._peek() != "-" or self._source.startswith("-]", self._at):
                self._add(low, ranges, sets)
                continue
            self._at += 1
            high = self._class_atom()
            if isinstance(low, int) and isinstance(high, int):
                if low > high:
                    raise self._refused("range out of order in character class")
                ranges.append((low, high))
                continue
            if self._unicode:
                raise self._refused("invalid character class")
            for item in (low, ord("-"), high):
                self._add(item, ranges, sets)
        return self._class_text(ranges, sets, negated=negated)

    @staticmethod
    def _add(item: int | str, ranges: list[tuple[int, int]], sets: list[str]) -> None:
        if isinstance(item, int):
            ranges.append((item, item))
        else:
            sets.append(item)

    def _class_atom(self) -> int | str:
        """The code of a character, or the text of a set such as `0-9`."""
        character = self._peek()
        if not character:
            raise self._refused("unterminated character class")
        self._at += 1
        if character != "\\":
            return ord(character)
        letter = self._peek()
        if letter and letter.lower() in _SETS:
            self._at += 1
            members = _SETS[letter.lower()]
            return members if letter.islower() else f"[^{members}]"
        if self._unicode and letter in ("p", "P"):
            return self._property()
        return self._character_escape(in_class=True)

    def _class_text(self, ranges: list[tuple[int, int]], sets: list[str], *, negated: bool) -> str:
        if not ranges and not sets:
            return _ANYTHING if negated else _NOTHING
        if self._case:
            more = {code for low, high in ranges for code in self._case.closure(low, high)}
            ranges = ranges + [(code, code) for code in sorted(more)]
        members = [_set_range(low, high) for low, high in ranges]
        return f"[{'^' if negated else ''}{''.join(members)}{''.join(sets)}]"


def _set_range(low: int, high: int) -> str:
    first, last = [f"\\{end}" if end in _SPECIAL_IN_CLASS else end for end in (chr(low), chr(high))]
    return first if low == high else f"{first}-{last}"


def _apart(one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]) -> bool:
    """Whether two places of a pattern lie in different alternatives of one disjunction and cannot both match."""
    indexes = dict(one)
    return any(own in indexes and indexes[own] != index for own, index in other)
