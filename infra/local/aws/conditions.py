"""Condition and filter expressions by the rules of the DynamoDB developer guide ("Condition and filter expressions,
operators, and functions").

moto's own parser ends in HTTP 500 for an expression it does not understand, takes a missing attribute for an equal of
NULL and compares values of different types; conditional writes are what this platform's correctness rests on, so they
are evaluated here. An expression has no side effects and is total: a missing attribute or a value of another type
makes a comparison false, never an error.
"""

import base64
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

MAX_IN_OPERANDS: Final = 100
"""DynamoDB: IN takes up to 100 values."""

_TOKEN: Final = re.compile(r"\s*(?:(<>|<=|>=|[=<>(),.\[\]])|([:#]?[A-Za-z0-9_]+)|(\S))")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FUNCTIONS: Final = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}
_TYPES: Final = ("S", "N", "B", "SS", "NS", "BS", "BOOL", "NULL", "L", "M")
_ORDERED_TYPES: Final = ("S", "N", "B")
_ORDERINGS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}

Test = Callable[[Any], bool]
"""Takes the item (None: there is none) and says whether the condition holds."""


class ExpressionError(ValueError):
    """An expression that the service refuses; the text is the service's, without its "Invalid ...Expression:"."""


class Operand(NamedTuple):
    """One side of a comparison. `value` takes an item and gives a DynamoType, or None when there is nothing."""

    value: Callable[[Any], Any]
    path: tuple[str | int, ...] = ()
    literal_type: str | None = None


class Condition:
    """A parsed expression. `expr` is the name moto calls it by."""

    def __init__(self, test: Test, names: list[str], values: list[str], attributes: set[str]) -> None:
        self.expr = test
        self.names = names
        self.values = values
        self.attributes = attributes
        """Top-level attributes that the expression reads: a filter may not read a key."""


ALWAYS: Final = Condition(lambda _item: True, [], [], set())


def parse(text: str, names: dict[str, str] | None, values: dict[str, Any] | None) -> Condition:
    """Parses an expression with its ExpressionAttributeNames and ExpressionAttributeValues. Raises ExpressionError."""
    if not text.strip():
        raise ExpressionError("The expression can not be empty;")
    return _Parser(text, names or {}, values or {}).parse()


class _Parser:
    """Recursive descent: or > and > not > (parentheses, function, comparison)."""

    def __init__(self, text: str, names: dict[str, str], values: dict[str, Any]) -> None:
        self._tokens = [match.group().strip() for match in _TOKEN.finditer(text) if match.group().strip()]
        self._position = 0
        self._names = names
        self._values = values
        self._used_names: list[str] = []
        self._used_values: list[str] = []
        self._attributes: set[str] = set()

    def parse(self) -> Condition:
        test = self._or()
        if self._position < len(self._tokens):
            raise self._syntax_error()
        return Condition(test, self._used_names, self._used_values, self._attributes)

    def _peek(self, ahead: int = 0) -> str:
        position = self._position + ahead
        return self._tokens[position] if position < len(self._tokens) else "<EOF>"

    def _next(self) -> str:
        token = self._peek()
        self._position += 1
        return token

    def _take(self, token: str) -> bool:
        if self._peek().upper() != token:
            return False
        self._position += 1
        return True

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise self._syntax_error()

    def _syntax_error(self) -> ExpressionError:
        near = " ".join(self._tokens[max(0, self._position - 1) : self._position + 2])
        return ExpressionError(f'Syntax error; token: "{self._peek()}", near: "{near}"')

    def _or(self) -> Test:
        tests = [self._and()]
        while self._take("OR"):
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else lambda item: any(test(item) for test in tests)

    def _and(self) -> Test:
        tests = [self._not()]
        while self._take("AND"):
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else lambda item: all(test(item) for test in tests)

    def _not(self) -> Test:
        if self._take("NOT"):
            test = self._not()
            return lambda item: not test(item)
        return self._primary()

    def _primary(self) -> Test:
        if self._take("("):
            start = self._position
            test = self._or()
            self._expect(")")
            if self._tokens[start] == "(" and self._closing(start) == self._position - 2:
                raise ExpressionError("The expression has redundant parentheses;")
            return test
        if self._peek(1) == "(" and self._peek() != "size":
            return self._function()
        return self._comparison()

    def _closing(self, opening: int) -> int:
        depth = 0
        for position in range(opening, len(self._tokens)):
            depth += {"(": 1, ")": -1}.get(self._tokens[position], 0)
            if depth == 0:
                return position
        raise self._syntax_error()

    def _function(self) -> Test:
        name = self._next()
        if name not in _FUNCTIONS:
            raise ExpressionError(f"Invalid function name; function: {name}")
        arguments = self._operands()
        if len(arguments) != _FUNCTIONS[name]:
            raise ExpressionError(
                "Incorrect number of operands for operator or function; "
                f"operator or function: {name}, number of operands: {len(arguments)}"
            )
        first = arguments[0]
        if name in {"attribute_exists", "attribute_not_exists", "attribute_type"} and not first.path:
            raise ExpressionError(
                f"Operator or function requires a document path; operator or function: {name}",
            )
        if name == "attribute_exists":
            return lambda item: first.value(item) is not None
        if name == "attribute_not_exists":
            return lambda item: first.value(item) is None
        return self._two_operand_function(name, first, arguments[1])

    def _two_operand_function(self, name: str, first: Operand, second: Operand) -> Test:
        if name == "attribute_type":
            wanted = second.value(None)
            if second.literal_type != "S" or wanted.value not in _TYPES:
                raise ExpressionError("Invalid attribute type name found; type: " + str(getattr(wanted, "value", None)))
            return lambda item: (found := first.value(item)) is not None and found.type == wanted.value
        if name == "begins_with":
            if second.literal_type not in {None, "S", "B"}:
                raise _wrong_type(name, str(second.literal_type))
            return lambda item: _begins_with(first.value(item), second.value(item))
        return lambda item: _contains(first.value(item), second.value(item))

    def _comparison(self) -> Test:
        left = self._operand()
        if self._take("BETWEEN"):
            low = self._ordered_operand("BETWEEN")
            self._expect("AND")
            high = self._ordered_operand("BETWEEN")
            return lambda item: (
                _ordered(">=", left.value(item), low.value(item)) and _ordered("<=", left.value(item), high.value(item))
            )
        if self._take("IN"):
            choices = self._operands()
            if len(choices) > MAX_IN_OPERANDS:
                raise ExpressionError(f"Too many operands for operator: IN, number of operands: {len(choices)}")
            return lambda item: any(_equal(left.value(item), choice.value(item)) for choice in choices)
        operator = self._peek()
        if operator not in {"=", "<>", *_ORDERINGS}:
            raise self._syntax_error()
        self._position += 1
        if operator == "=":
            right = self._operand()
            return lambda item: _equal(left.value(item), right.value(item))
        if operator == "<>":
            right = self._operand()
            return lambda item: not _equal(left.value(item), right.value(item))
        right = self._ordered_operand(operator)
        return lambda item: _ordered(operator, left.value(item), right.value(item))

    def _ordered_operand(self, operator: str) -> Operand:
        operand = self._operand()
        if operand.literal_type not in {None, *_ORDERED_TYPES}:
            raise _wrong_type(operator, str(operand.literal_type))
        return operand

    def _operands(self) -> list[Operand]:
        self._expect("(")
        operands = [self._operand()]
        while self._take(","):
            operands.append(self._operand())
        self._expect(")")
        return operands

    def _operand(self) -> Operand:
        word = self._peek()
        if word.startswith(":"):
            self._position += 1
            if word not in self._values:
                raise ExpressionError(
                    f"An expression attribute value used in expression is not defined; attribute value: {word}"
                )
            self._used_values.append(word)
            literal = DynamoType(self._values[word])
            return Operand(lambda _item: literal, literal_type=literal.type)
        if word == "size" and self._peek(1) == "(":
            self._position += 1
            (argument,) = self._operands()
            return Operand(lambda item: _size(argument.value(item)))
        path = self._path()
        self._attributes.add(str(path[0]))
        return Operand(lambda item: _lookup(item, path), path)

    def _path(self) -> tuple[str | int, ...]:
        path: list[str | int] = [self._path_name()]
        while True:
            if self._take("."):
                path.append(self._path_name())
            elif self._take("["):
                index = self._next()
                if not index.isdecimal():
                    raise self._syntax_error()
                path.append(int(index))
                self._expect("]")
            else:
                return tuple(path)

    def _path_name(self) -> str:
        token = self._peek()
        if token.startswith("#"):
            self._position += 1
            if token not in self._names:
                raise ExpressionError(
                    f"An expression attribute name used in the document path is not defined; attribute name: {token}"
                )
            self._used_names.append(token)
            return self._names[token]
        if not _NAME.fullmatch(token):
            raise self._syntax_error()
        if token.upper() in ReservedKeywords.get_reserved_keywords():
            raise ExpressionError(f"Attribute name is a reserved keyword; reserved keyword: {token}")
        self._position += 1
        return token


def _wrong_type(operator: str, operand_type: str) -> ExpressionError:
    return ExpressionError(
        "Incorrect operand type for operator or function; "
        f"operator or function: {operator}, operand type: {operand_type}"
    )


def _lookup(item: Any, path: Iterable[str | int]) -> Any:
    if item is None:
        return None
    found: Any = None
    for depth, step in enumerate(path):
        found = item.attrs.get(step) if depth == 0 else found.child_attr(step)
        if found is None:
            return None
    return found


def _equal(left: Any, right: Any) -> bool:
    return left is not None and right is not None and bool(left == right)


def _ordered(operator: str, left: Any, right: Any) -> bool:
    if left is None or right is None or left.type != right.type or left.type not in _ORDERED_TYPES:
        return False
    return _ORDERINGS[operator](_sort_key(left), _sort_key(right))


def _sort_key(value: Any) -> Any:
    return base64.b64decode(value.value) if value.type == "B" else value.cast_value


def _begins_with(value: Any, prefix: Any) -> bool:
    if value is None or prefix is None or value.type != prefix.type or value.type not in {"S", "B"}:
        return False
    return bool(_sort_key(value).startswith(_sort_key(prefix)))


def _contains(value: Any, part: Any) -> bool:
    if value is None or part is None:
        return False
    if value.type in {"S", "B"}:
        return value.type == part.type and _sort_key(part) in _sort_key(value)
    if value.is_set():
        return value.type == part.type + "S" and part.cast_value in value.cast_value
    return value.type == "L" and any(element == part for element in value.value)


def _size(value: Any) -> Any:
    """size(): characters of text, bytes of binary, members of sets, lists and maps; nothing for other types."""
    if value is None or value.type in {"N", "BOOL", "NULL"}:
        return None
    return DynamoType({"N": str(len(_sort_key(value) if value.type == "B" else value.value))})
