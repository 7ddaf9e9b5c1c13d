"""Handlebars' own test suite, every case but those of skipped_cases.txt."""

import re

import pytest

from shared.templates import RenderEnvironment, TemplateError, TemplateSyntaxError, parse_template
from shared.templates.lexer import Kind, tokenize
from shared.templates.parser import parse
from tests.contract.handlebars.spec_cases import FILES, PACKAGE, Case, read_cases, read_skipped, reason_to_skip
from tests.contract.handlebars.tree_printer import print_tree

ENVIRONMENT = RenderEnvironment(now_ms=0, random=lambda: 0.5)
SKIPPED = read_skipped()


def running(*files: str) -> pytest.MarkDecorator:
    cases = [case for case in read_cases(*files) if case.name not in SKIPPED]
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def check_line(case: Case, error: TemplateSyntaxError) -> None:
    line = re.search(r"on line (\d+)", str(case.fields["exception"]))
    assert line is None or error.line == int(line[1])


def test_the_cases_are_installed():
    assert PACKAGE.exists(), "run `npm ci` in tests/peers first: handlebars-spec is not installed"


@running(*(file for file in FILES if file not in ("parser", "tokenizer")))
def test_a_template_renders_as_in_handlebars(case: Case):
    if case.fails:
        with pytest.raises((TemplateSyntaxError, TemplateError)):
            parse_template(case.template, escape_html=True).render(case.fields["data"], ENVIRONMENT)
    else:
        text = parse_template(case.template, escape_html=True).render(case.fields["data"], ENVIRONMENT)
        assert text == case.fields["expected"]


@running("parser")
def test_a_template_has_the_tree_that_handlebars_makes(case: Case):
    if case.fails:
        with pytest.raises(TemplateSyntaxError) as caught:
            parse(case.template)
        check_line(case, caught.value)
    else:
        assert print_tree(parse(case.template).program) == case.fields["expected"]


@running("tokenizer")
def test_a_template_has_the_tokens_that_handlebars_reads(case: Case):
    tokens = [token for token in tokenize(case.template) if token.kind not in (Kind.END, Kind.INVALID)]
    assert [(token.kind.value, token.text) for token in tokens] == [
        (token["name"], token["text"]) for token in case.fields["expected"]
    ]


def test_every_skipped_case_exists():
    assert SKIPPED.keys() <= {case.name for case in read_cases(*FILES)}


def test_the_list_gives_the_reason_that_the_case_itself_shows():
    shown = {case.name: reason_to_skip(case) for case in read_cases(*FILES)}
    assert {name: SKIPPED.get(name) for name, reason in shown.items() if reason} == {
        name: reason for name, reason in shown.items() if reason
    }


def test_a_case_is_skipped_for_an_option_only_if_it_is_compiled_with_it():
    options = {case.name: case.fields.get("compileOptions") or {} for case in read_cases(*FILES)}
    asked = {name: reason.removeprefix("option ") for name, reason in SKIPPED.items() if reason.startswith("option ")}
    assert {name for name, reason in asked.items() if not set(reason.split(", ")) <= options[name].keys()} == set()


def test_a_skipped_case_needs_what_we_do_not_have_or_differs_on_purpose():
    kinds = ("partials", "decorators", "JavaScript ", "@-values ", "option ", "dialect: ")
    assert [name for name, reason in SKIPPED.items() if not reason.startswith(kinds)] == []
