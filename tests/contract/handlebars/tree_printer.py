"""A template's tree in the notation of Handlebars' own parser tests."""

from shared.templates.tree import Block, Call, Comment, Content, Expression, Literal, Path, Program, Statement
from shared.values import number_text


def print_tree(program: Program) -> str:
    return "".join(f"{line}\n" for line in _program(program))


def _program(program: Program) -> list[str]:
    lines = [f"BLOCK PARAMS: [ {' '.join(program.parameters)} ]"] if program.parameters else []
    for statement in program.body:
        lines += _statement(statement)
    return lines


def _statement(statement: Statement) -> list[str]:
    if isinstance(statement, Content):
        return [f"CONTENT[ '{statement.text}' ]"]
    if isinstance(statement, Comment):
        return [f"{{{{! '{statement.text}' }}}}"]
    if isinstance(statement, Block):
        lines = ["BLOCK:", f"  {_call(statement.call)}"]
        if statement.program is not None:
            lines += ["  PROGRAM:", *_indent(_program(statement.program))]
        if statement.inverse is not None:
            lines += ["  {{^}}", *_indent(_program(statement.inverse))]
        return lines
    return [f"{{{{ {_call(statement.call)} }}}}"]


def _indent(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _call(call: Call) -> str:
    named = ", ".join(f"{key}={_expression(value)}" for key, value in call.named.items())
    arguments = ", ".join(map(_expression, call.arguments))
    return f"{_expression(call.name)} [{arguments}]" + (f" HASH{{{named}}}" if named else "")


def _expression(expression: Expression) -> str:
    if isinstance(expression, Call):
        return _call(expression)
    if isinstance(expression, Path):
        return ("@" if expression.is_data else "") + "PATH:" + "/".join(map(str, expression.segments))
    return _literal(expression)


def _literal(literal: Literal) -> str:
    value = literal.value
    if isinstance(value, bool):
        return f"BOOLEAN{{{literal.original}}}"
    if isinstance(value, int | float):
        return f"NUMBER{{{number_text(value)}}}"
    return f'"{value}"' if isinstance(value, str) else literal.original.upper()
