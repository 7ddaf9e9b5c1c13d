"""The tree of a template to Python closures over JSON values: what is known beforehand is decided once, here.

A closure takes a Scope. Nothing in it can reach an attribute of a Python object: values are only looked up with
`dict.get` and `shared.values.member`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Never

from shared.templates.environment import CallHelper
from shared.templates.errors import TemplateError, TemplateWarning
from shared.templates.limits import MAX_LOOP_ITEMS, MAX_OUTPUT_BYTES
from shared.templates.masks import escape_html
from shared.templates.operators import OPERATORS, ORDERS
from shared.templates.parser import Parser, position, syntax_error
from shared.templates.runtime import Loop, Run, Scope, out_of_steps, too_long
from shared.templates.tree import (
    Block,
    Call,
    Content,
    ExpandedIndex,
    Expression,
    Literal,
    Mustache,
    Path,
    Program,
    Segment,
)
from shared.values import UNDEFINED, is_truthy, member, own_keys

Evaluate = Callable[[Scope], Any]
Render = Callable[[Scope], str]
Helpers = Mapping[str, CallHelper]

BLOCK_HELPERS: Final = frozenset({"if", "unless", "each", "with"})

FEW_PIECES: Final = 8
"""So many pieces are joined before their length is looked at: that is faster and still costs little memory."""

_LOOP_VALUES: Final[dict[str, Callable[[Loop], Any]]] = {
    "index": lambda loop: loop.index,
    "key": lambda loop: loop.key,
    "first": lambda loop: loop.index == 0,
    "last": lambda loop: loop.index == loop.last,
}


def compile_program(parsed: Parser, calls: Helpers, *, is_html: bool) -> str | Render:
    """A parsed template as a closure, or as its text when that is always the same.

    Warnings are added to `parsed.warnings`. Raises TemplateSyntaxError for unknown helpers and wrong arguments.
    """
    return _Compiler(parsed, calls, is_html=is_html).program(parsed.program)


def compile_path(segments: tuple[Segment, ...]) -> Evaluate:
    """A path from the context as a closure."""
    head = segments[0] if segments else None
    return _follow(_name(head, 0), segments[1:]) if isinstance(head, str) else _follow(_this(0), segments)


class _Compiler:
    def __init__(self, parsed: Parser, calls: Helpers, *, is_html: bool) -> None:
        self.source = parsed.source
        self.warnings = parsed.warnings
        self.calls = calls
        self.is_html = is_html
        self.steps = 0
        self.parameters: list[dict[str, int]] = []
        """The block parameters in sight with their places, the innermost block's first."""

    # Statements.

    def program(self, program: Program) -> str | Render:
        outer_steps, self.steps = self.steps, 1
        if program.parameters:
            # Of two parameters with one name the first counts.
            self.parameters.insert(0, {name: place for place, name in reversed([*enumerate(program.parameters)])})
        parts: list[str | Render] = []
        for statement in program.body:
            if isinstance(statement, Content):
                if statement.text:
                    parts.append(statement.text)
            elif isinstance(statement, Mustache):
                parts.append(self.mustache(statement))
            elif isinstance(statement, Block):
                parts.append(self.block(statement))
        if program.parameters:
            self.parameters.pop(0)
        steps, self.steps = self.steps, outer_steps
        return _sequence(parts, steps)

    def mustache(self, mustache: Mustache) -> Render:
        call = mustache.call
        value = self.call(call) if call.is_certain else self.lookup(call)
        if self.is_html and mustache.is_escaped:
            return lambda scope: escape_html(scope.run.text_of(value(scope)))

        def text(scope: Scope) -> str:
            found = value(scope)
            return found if type(found) is str else scope.run.text_of(found)

        return text

    def block(self, block: Block) -> Render:
        call = block.call
        body, inverse = self.branch(block.program), self.branch(block.inverse)
        name = call.name.original if isinstance(call.name, Literal) or call.name.is_name else ""
        if block.is_raw and name == "raw" and not call.is_certain:
            return body.keep
        if name in BLOCK_HELPERS and not self.is_parameter(call.name):
            return self.block_helper(name, call, body, inverse)
        if call.is_certain or name in OPERATORS:
            self.fail(call.name.offset, call.name.original, "#if, #unless, #each, #with or the name of a value")
        return _section(self.lookup(call), body, inverse.keep)

    def branch(self, program: Program | None) -> "_Branch":
        render = "" if program is None else self.program(program)
        return _Branch(
            (lambda _scope: render) if isinstance(render, str) else render,
            has_parameters=program is not None and bool(program.parameters),
        )

    def block_helper(self, name: str, call: Call, body: "_Branch", inverse: "_Branch") -> Render:
        if len(call.arguments) != 1:
            self.fail(call.name.offset, f"{len(call.arguments)} arguments of #{name}", "one")
        argument = self.expression(call.arguments[0])
        include_zero = call.named.get("includeZero") if name in ("if", "unless") else None
        for key in call.named:
            if include_zero is None or key != "includeZero":
                self.warn(call.name.offset, f"{key}= has no effect in #{name}")
        if name == "each":
            return lambda scope: _iterate(scope, argument(scope), body, inverse.keep)
        if name == "with":
            return _with(argument, body, inverse.keep)
        if include_zero is not None:
            argument = _or_zero(argument, self.expression(include_zero))
        return _if(argument, body.keep, inverse.keep) if name == "if" else _if(argument, inverse.keep, body.keep)

    # Expressions.

    def expression(self, expression: Expression) -> Evaluate:
        self.steps += 1
        if isinstance(expression, Path):
            return self.path(expression)
        if isinstance(expression, Call):
            return self.call(expression)
        value = expression.value
        return lambda _scope: value

    def lookup(self, call: Call) -> Evaluate:
        """The value of a tag that is nothing but a name; a literal there is a name too (`{{"foo bar"}}`)."""
        name = call.name
        self.steps += 1
        if isinstance(name, Literal):
            name = Path(name.original, (name.original,), 0, is_data=False, is_scoped=False, offset=name.offset)
        elif name.is_name and name.original in BLOCK_HELPERS and not self.is_parameter(name):
            self.fail(name.offset, name.original, f"{{{{#{name.original} …}}}}")
        return self.path(name)

    def call(self, call: Call) -> Evaluate:
        self.steps += 1
        helper = self.helper(call)
        arguments = [self.expression(argument) for argument in call.arguments]
        if helper.name in OPERATORS and helper.name not in ORDERS:
            operate = helper.call
            return lambda scope: operate([argument(scope) for argument in arguments], scope.run.environment)
        return lambda scope: scope.run.call(helper, [argument(scope) for argument in arguments])

    def helper(self, call: Call) -> CallHelper:
        name = call.name.original
        is_name = isinstance(call.name, Literal) or call.name.is_name
        helper = OPERATORS.get(name) or self.calls.get(name)
        if helper is None or not is_name or self.is_parameter(call.name):
            expected = (
                f"{{{{#{name} …}}}}" if name in BLOCK_HELPERS else f"one of {', '.join([*self.calls, *OPERATORS])}"
            )
            self.fail(call.name.offset, f"the unknown helper {name}", expected)
        for key in call.named:
            self.fail(call.name.offset, f"{key}= in {name}", "no named arguments")
        least, most, count = helper.min_arguments, helper.max_arguments, len(call.arguments)
        if count < least or (most is not None and count > most):
            bounds = f"at least {least}" if most is None else f"{least}" if least == most else f"{least} to {most}"
            self.fail(call.name.offset, f"{count} arguments of {name}", bounds)
        return helper

    def is_parameter(self, name: Path | Literal) -> bool:
        return self.parameter_position(name) is not None

    def parameter_position(self, name: Path | Literal) -> tuple[int, int] | None:
        """How many blocks out, and at which place there, a path's first name is a block parameter."""
        if isinstance(name, Literal) or name.is_data or name.is_scoped or name.depth or not name.segments:
            return None
        head = name.segments[0]
        for level, places in enumerate(self.parameters):
            if isinstance(head, str) and head in places:
                return level, places[head]
        return None

    def path(self, path: Path) -> Evaluate:
        if path.is_data:
            return _follow_true(_data(path), path.segments[1:])
        position = self.parameter_position(path)
        if position is not None:
            if any(isinstance(segment, ExpandedIndex) for segment in path.segments):
                self.fail(path.offset, path.original, "a path from the context before an array expansion")
            return _follow(_parameter(*position), path.segments[1:])
        if not path.segments:
            return _this(path.depth)
        head = path.segments[0]
        if path.is_scoped or not isinstance(head, str):
            return _follow(_this(path.depth), path.segments)
        return _follow(_name(head, path.depth), path.segments[1:])

    # Problems.

    def fail(self, offset: int, found: str, expected: str) -> Never:
        raise syntax_error(self.source, offset, found, expected)

    def warn(self, offset: int, message: str) -> None:
        line, column = position(self.source, offset)
        self.warnings.append(TemplateWarning(line, column, message))


class _Branch:
    """One branch of a block. A block that changes the current value calls `render` with a scope of its own, in which
    it has set the branch's parameters; one that keeps it calls `keep`."""

    __slots__ = ("has_parameters", "keep", "render")

    def __init__(self, render: Render, *, has_parameters: bool) -> None:
        self.render = render
        self.has_parameters = has_parameters
        self.keep = self._with_unset_parameters if has_parameters else render

    def _with_unset_parameters(self, scope: Scope) -> str:
        return self.render(Scope(scope.this, scope.outer, scope.loop, ((), scope.parameters), scope.run))


def _sequence(parts: list[str | Render], steps: int) -> str | Render:
    """Parts in a row as one closure that pays for them."""
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) == len(parts):
        return "".join(texts)
    first = parts[0]
    if len(parts) == 1 and not isinstance(first, str):
        return _alone(first, steps)

    def render(scope: Scope) -> str:
        run = scope.run
        run.steps -= steps
        if run.steps < 0:
            raise out_of_steps()
        pieces = [part if isinstance(part, str) else part(scope) for part in parts]
        if run.is_masked or len(pieces) > FEW_PIECES:
            return run.join(pieces)
        text = "".join(pieces)
        if len(text) > MAX_OUTPUT_BYTES:
            raise too_long()
        return text

    return render


def _alone(part: Render, steps: int) -> Render:
    def render(scope: Scope) -> str:
        scope.run.spend(steps)
        return part(scope)

    return render


# Blocks.


def _if(test: Evaluate, body: Render, inverse: Render) -> Render:
    return lambda scope: body(scope) if is_truthy(test(scope)) else inverse(scope)


def _or_zero(value: Evaluate, include_zero: Evaluate) -> Evaluate:
    """For #if and #unless with includeZero=true: 0 counts as true."""

    def test(scope: Scope) -> bool:
        found = value(scope)
        return is_truthy(found) or (_is_zero(found) and is_truthy(include_zero(scope)))

    return test


def _is_zero(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == 0


def _with(value: Evaluate, body: _Branch, inverse: Render) -> Render:
    def render(scope: Scope) -> str:
        found = value(scope)
        if not (is_truthy(found) or _is_zero(found)):
            return inverse(scope)
        parameters = ((found,), scope.parameters) if body.has_parameters else scope.parameters
        return body.render(Scope(found, scope.around(found), scope.loop, parameters, scope.run))

    return render


def _section(value: Evaluate, body: _Branch, inverse: Render) -> Render:
    """`{{#name}}`: a list is walked, true shows the block, anything else that is there becomes the current value."""

    def render(scope: Scope) -> str:
        found = value(scope)
        if found is True:
            return body.keep(scope)
        if found is None or found is UNDEFINED or found is False:
            return inverse(scope)
        if isinstance(found, list):
            return _iterate(scope, found, body, inverse)
        parameters = ((), scope.parameters) if body.has_parameters else scope.parameters
        return body.render(Scope(found, scope.around(found), scope.loop, parameters, scope.run))

    return render


def _iterate(scope: Scope, value: Any, body: _Branch, inverse: Render) -> str:
    if not (value and isinstance(value, list | dict)):
        return inverse(scope)
    count = len(value)
    if count > MAX_LOOP_ITEMS:
        message = f"a loop over {count} items, more than {MAX_LOOP_ITEMS}"
        raise TemplateError(message)
    run, render, has_parameters = scope.run, body.render, body.has_parameters
    run.spend(count)
    # One scope serves all items: nothing keeps it beyond its item.
    loop = Loop(scope.loop, count)
    inner = Scope(None, None, loop, scope.parameters, run)
    pieces: list[str] = []
    length = 0
    keys: Iterable[Any] = range(count) if isinstance(value, list) else own_keys(value)
    for loop.index, key in enumerate(keys):
        loop.key = key
        inner.this = item = value[key]
        inner.outer = scope.around(item)
        if has_parameters:
            inner.parameters = ((item, key), scope.parameters)
        piece = render(inner)
        length += len(piece)
        if length > MAX_OUTPUT_BYTES:
            raise too_long()
        pieces.append(piece)
    return run.join(pieces)


# Paths.


def _this(depth: int) -> Evaluate:
    if not depth:
        return lambda scope: scope.this

    def value(scope: Scope) -> Any:
        found = _ancestor(scope, depth)
        return UNDEFINED if found is None else found.this

    return value


def _ancestor(scope: Scope | None, depth: int) -> Scope | None:
    while depth and scope is not None:
        scope = scope.outer
        depth -= 1
    return scope


def _name(name: str, depth: int) -> Evaluate:
    """A bare name: of the current value; in the context itself, of `params` too."""

    def value(scope: Scope) -> Any:
        this = scope.this
        found = this.get(name, UNDEFINED) if type(this) is dict else member(this, name)
        if found is UNDEFINED and this is scope.run.root:
            return member(member(this, "params"), name)
        return found

    if not depth:
        return value

    def outer_value(scope: Scope) -> Any:
        found = _ancestor(scope, depth)
        return UNDEFINED if found is None else value(found)

    return outer_value


def _parameter(level: int, index: int) -> Evaluate:
    def value(scope: Scope) -> Any:
        parameters = scope.parameters
        for _ in range(level):
            parameters = parameters[1] if parameters else None
        values = parameters[0] if parameters else ()
        return values[index] if index < len(values) else UNDEFINED

    return value


def _data(path: Path) -> Evaluate:
    """`@root`, or one of the loop's own values; any other is missing."""
    name = path.segments[0] if path.segments else ""
    if name == "root":
        return lambda scope: scope.run.root
    read = _LOOP_VALUES.get(name) if isinstance(name, str) else None
    depth = path.depth

    def value(scope: Scope) -> Any:
        loop = scope.loop
        for _ in range(depth):
            loop = loop.outer if loop else None
        return read(loop) if loop and read else UNDEFINED

    return value


def _follow(start: Evaluate, segments: tuple[Segment, ...]) -> Evaluate:
    """The value that a path leads to from where it starts."""
    if not segments:
        return start
    only = segments[0]
    if len(segments) == 1 and isinstance(only, str):

        def child(scope: Scope) -> Any:
            value = start(scope)
            return value.get(only, UNDEFINED) if type(value) is dict else member(value, only)

        return child

    def descendant(scope: Scope) -> Any:
        value = start(scope)
        for segment in segments:
            if value is UNDEFINED:
                break
            value = member(value, segment) if isinstance(segment, str) else _item(value, scope.run, segment)
        return value

    return descendant


def _follow_true(start: Evaluate, segments: tuple[Segment, ...]) -> Evaluate:
    """As `_follow`, for paths written with @: there Handlebars ends at a value that is false, and prints it."""
    if not segments:
        return start

    def descendant(scope: Scope) -> Any:
        value = start(scope)
        for segment in segments:
            if not value and not isinstance(value, list | dict):
                break
            value = member(value, segment) if isinstance(segment, str) else _item(value, scope.run, segment)
        return value

    return descendant


def _item(value: Any, run: Run, expansion: ExpandedIndex) -> Any:
    """The item that an array expansion stands for now; another expansion of the same list may have bound it."""
    index = run.indices.get(expansion, run.indices.get(id(value)))
    return value[index] if index is not None and isinstance(value, list) and index < len(value) else UNDEFINED
