"""Conditions of edges (`where`): parsed once with the bot, tested at every message.

`{path: {operator: operand}, path2: {...}}`: all must hold; a bare operand means equals. Groups and/all/every,
or/any/some, with or without `$`, hold a list of conditions and nest. A group is recognised only when its operand is
a list: `{"or": {"equals": "x"}}` tests a parameter named `or` (one compared with a list is written `params.or`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from shared.conditions.limits import MAX_TEXT, RegexSyntaxError
from shared.conditions.operators import OPERATORS, Operator, equals, numeric, operator_name
from shared.conditions.paths import parse_path
from shared.errors import InvalidInput
from shared.values import UNDEFINED, to_text

if TYPE_CHECKING:
    from shared.conditions.javascript_regex import JavaScriptRegex

MAX_GROUP_DEPTH: Final = 20
"""Groups inside groups; authors use two."""

RENDERED_REGEXES: Final = 256
"""Expressions made by templates that are kept compiled."""

Resolve = Callable[[tuple[str, ...]], Any]
Render = Callable[[str], str]
Notes = list[str] | None
Test = Callable[[Resolve, Render, Notes], bool]

_GROUPS: Final = {"and": True, "all": True, "every": True, "or": False, "any": False, "some": False}


class ConditionError(InvalidInput):
    """A `where` that cannot be read; `path` is the place inside it, to be appended to the place of the `where`."""

    code = "invalid_condition"

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message, path=path)
        self.path = path


@dataclass(frozen=True, slots=True)
class ConditionProblem:
    """What lint says about a condition. `path` is the place inside the `where` object (`['message.text'].regex`,
    `.or[0].age.gt`), to be appended to the place of the `where`."""

    path: str
    message: str
    severity: Literal["error", "warning"]


class Condition:
    """A parsed `where`; immutable, shared by all conversations of a bot version."""

    __slots__ = ("_found", "_problems", "_regexes", "_test", "single_conditions")

    def __init__(
        self,
        test: Test,
        single_conditions: int,
        problems: tuple[ConditionProblem, ...],
        regexes: tuple["_RegexTest", ...],
    ) -> None:
        self._test = test
        self.single_conditions = single_conditions
        """Single operator tests in it: among edges of equal priority the one with more wins."""
        self._found = problems
        self._regexes = regexes
        self._problems: tuple[ConditionProblem, ...] | None = None

    @property
    def problems(self) -> tuple[ConditionProblem, ...]:
        """Everything lint should say. Compiles the expressions, which `holds` alone puts off to their first use."""
        if self._problems is None:
            compiled = [(test.place, test.compiled()) for test in self._regexes]
            refused = [
                ConditionProblem(place, f"the expression is refused: {error}", "error")
                for place, error in compiled
                if isinstance(error, RegexSyntaxError)
            ]
            self._problems = (*self._found, *refused)
        return self._problems

    def holds(self, resolve: Resolve, render: Render, notes: Notes = None) -> bool:
        """Whether the condition is true.

        `resolve` gives the value of a left path (UNDEFINED when missing), `render` the text of an operand that holds
        `{{`; what they raise passes through. `notes` collects sentences for the trace.
        """
        try:
            return self._test(resolve, render, notes)
        except RecursionError:
            # Data from outside (an HTTP answer) may nest deeper than it can be compared or printed.
            _note(notes, "A value nests too deeply to be compared: the condition does not hold.")
            return False


def parse_condition(where: Any) -> Condition:
    """Reads a `where`. Raises ConditionError when it is not an object, a group holds something else than objects, or
    groups nest too deeply; everything else is read, and what is wrong with it is in `problems`."""
    parser = _Parser()
    test = parser.condition(where, "", 0)
    return Condition(test, parser.single_conditions, tuple(parser.problems), tuple(parser.regexes))


class _Parser:
    def __init__(self) -> None:
        self.single_conditions = 0
        self.problems: list[ConditionProblem] = []
        self.regexes: list[_RegexTest] = []

    def condition(self, where: Any, place: str, depth: int) -> Test:
        if not isinstance(where, dict):
            raise ConditionError(place, "a condition is an object of paths and groups")
        if depth > MAX_GROUP_DEPTH:
            raise ConditionError(place, f"groups nest deeper than {MAX_GROUP_DEPTH}")
        tests: list[Test] = []
        for key, operand in where.items():
            here = place + _step(key)
            all_of = _GROUPS.get(key.removeprefix("$"))
            if all_of is not None and isinstance(operand, list):
                tests.append(self._group(operand, here, depth, all_of=all_of))
                continue
            if all_of is not None and key.startswith("$"):
                self._warn(here, f"the group {key} needs a list; this is read as a path")
            tests.extend(self._path_tests(key, operand, here))
        return _all(tests)

    def _group(self, members: list[Any], place: str, depth: int, *, all_of: bool) -> Test:
        if not members:
            self._warn(place, f"an empty group {'always' if all_of else 'never'} holds")
        tests = [self.condition(member, f"{place}[{index}]", depth + 1) for index, member in enumerate(members)]
        return _all(tests) if all_of else _any(tests)

    def _path_tests(self, text: str, operand: Any, place: str) -> list[Test]:
        try:
            path = parse_path(text)
        except InvalidInput as error:
            self.single_conditions += 1
            self.problems.append(ConditionProblem(place, f"{error}; the condition never holds", "error"))
            return [_never(f"{place} is not a path; it never holds.")]
        if not isinstance(operand, dict):
            return [self._single(path, "equals", operand, place)]
        if not operand:
            self._warn(place, "no operator: this always holds")
        return [self._single(path, name, value, place + _step(name)) for name, value in operand.items()]

    def _single(self, path: tuple[str, ...], written: str, operand: Any, place: str) -> Test:
        self.single_conditions += 1
        name = operator_name(written)
        if name is None:
            self._warn(place, f"unknown operator '{written}'; the condition never holds")
            return _never(f"{place}: there is no operator '{written}'; it never holds.")
        if name == "regex":
            return self._regex(path, operand, place)
        if not _has_template(operand):
            self._check_operand(name, operand, place)
            return _compare_with(path, OPERATORS[name], operand)
        return _compare_with_rendered(path, OPERATORS[name], operand)

    def _regex(self, path: tuple[str, ...], operand: Any, place: str) -> Test:
        if not isinstance(operand, str):
            self.problems.append(ConditionProblem(place, "an expression is text; this never holds", "error"))
            return _never(f"{place}: the expression is not text; it never holds.")
        if _has_template(operand):
            return _rendered_regex(path, operand, place)
        test = _RegexTest(path, operand, place)
        self.regexes.append(test)
        return test

    def _check_operand(self, name: str, operand: Any, place: str) -> None:
        if name in ("exists", "notExists") and not (isinstance(operand, bool) or operand in ("true", "false")):
            self._warn(place, f"{name} needs true or false")
        elif name in ("in", "notIn") and not isinstance(operand, list | str):
            self._warn(place, f"{name} needs a list")
        elif name in ("gt", "gte", "lt", "lte") and numeric(operand) is None:
            self._warn(place, f"{name} needs a number; the condition never holds")

    def _warn(self, place: str, message: str) -> None:
        self.problems.append(ConditionProblem(place, message, "warning"))


class _RegexTest:
    """A fixed expression, compiled on first use."""

    __slots__ = ("_compiled", "_path", "_source", "place")

    def __init__(self, path: tuple[str, ...], source: str, place: str) -> None:
        self._path = path
        self._source = source
        self.place = place
        self._compiled: JavaScriptRegex | RegexSyntaxError | None = None

    def compiled(self) -> "JavaScriptRegex | RegexSyntaxError":
        """The expression, or why it is refused."""
        if self._compiled is None:
            try:
                self._compiled = _compile(self._source)
            except RegexSyntaxError as error:
                self._compiled = error
        return self._compiled

    def __call__(self, resolve: Resolve, _render: Render, notes: Notes) -> bool:
        return _search(self.compiled(), resolve(self._path), self.place, notes)


def _compile(source: str) -> "JavaScriptRegex":
    from shared.conditions.javascript_regex import compile_javascript_regex  # noqa: PLC0415 - only bots with regexes wait

    return compile_javascript_regex(source)


_compile_rendered = lru_cache(maxsize=RENDERED_REGEXES)(_compile)


def _rendered_regex(path: tuple[str, ...], operand: str, place: str) -> Test:
    def test(resolve: Resolve, render: Render, notes: Notes) -> bool:
        expression: JavaScriptRegex | RegexSyntaxError
        try:
            expression = _compile_rendered(render(operand))
        except RegexSyntaxError as error:
            expression = error
        return _search(expression, resolve(path), place, notes)

    return test


def _search(expression: "JavaScriptRegex | RegexSyntaxError", value: Any, place: str, notes: Notes) -> bool:
    if isinstance(expression, RegexSyntaxError):
        _note(notes, f"{place}: {expression}; it does not hold.")
        return False
    if value is UNDEFINED or value is None:
        return False
    text = to_text(value)
    if len(text) > MAX_TEXT:
        _note(notes, f"{place}: only the first {MAX_TEXT} characters of {len(text)} are searched.")
    try:
        return expression.test(text)
    except TimeoutError:
        _note(notes, f"{place}: the expression ran out of time; it does not hold.")
        return False


def _compare_with(path: tuple[str, ...], compare: Operator, operand: Any) -> Test:
    if compare is equals and isinstance(operand, str):
        return _equals_text(path, operand)
    return lambda resolve, _render, _notes: compare(resolve(path), operand)


def _equals_text(path: tuple[str, ...], operand: str) -> Test:
    """Most conditions of a bot: a button's label against the message's text."""

    def test(resolve: Resolve, _render: Render, _notes: Notes) -> bool:
        left = resolve(path)
        return left == operand if type(left) is str else equals(left, operand)

    return test


def _compare_with_rendered(path: tuple[str, ...], compare: Operator, operand: Any) -> Test:
    return lambda resolve, render, _notes: compare(resolve(path), _rendered(operand, render))


def _rendered(operand: Any, render: Render) -> Any:
    if isinstance(operand, list):
        return [_rendered(item, render) if _has_template(item) else item for item in operand]
    return render(operand)


def _has_template(operand: Any) -> bool:
    """Text that holds `{{`, or a list with such text in it."""
    if isinstance(operand, list):
        return any(isinstance(item, str) and "{{" in item for item in operand)
    return isinstance(operand, str) and "{{" in operand


def _never(note: str) -> Test:
    def test(_resolve: Resolve, _render: Render, notes: Notes) -> bool:
        _note(notes, note)
        return False

    return test


def _all(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    together = tuple(tests)

    def test(resolve: Resolve, render: Render, notes: Notes) -> bool:
        for each in together:  # noqa: SIM110 - a loop costs half of all() with a generator
            if not each(resolve, render, notes):
                return False
        return True

    return test


def _any(tests: list[Test]) -> Test:
    together = tuple(tests)

    def test(resolve: Resolve, render: Render, notes: Notes) -> bool:
        for each in together:  # noqa: SIM110 - as above
            if each(resolve, render, notes):
                return True
        return False

    return test


def _note(notes: Notes, sentence: str) -> None:
    if notes is not None:
        notes.append(sentence)


def _step(key: str) -> str:
    """One step of a place inside the `where` object: `.age`, `['message.text']`."""
    if key.removeprefix("$").isidentifier() and key.isascii():
        return f".{key}"
    escaped = key.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"
