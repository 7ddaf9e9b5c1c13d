"""Whatever the text and the data: the errors are the documented ones, and user text stays text."""

from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.templates import RenderEnvironment, TemplateError, TemplateSyntaxError, compile_data, parse_template

ENVIRONMENT = RenderEnvironment(now_ms=0, random=lambda: 0.5)

PIECES = st.sampled_from(
    [
        *(
            "{{",
            "}}",
            "{{{",
            "}}}",
            "{{{{",
            "}}}}",
            "{{{{/raw}}}}",
            "{{#if ",
            "{{/if}}",
            "{{else}}",
            "{{else if ",
            "{{^}}",
        ),
        *(
            "{{#each ",
            "{{/each}}",
            "{{#with ",
            "{{/with}}",
            "{{!",
            "{{!--",
            "--}}",
            "~",
            "\\",
            "\\{{",
            "as |",
            "|",
            "=",
        ),
        *(
            "name",
            "list",
            "a.b",
            "this",
            "../",
            "@root",
            "@index",
            "[0]",
            "[i]",
            "[0..5]",
            '["',
            '"]',
            "(",
            ")",
            ",",
            ".",
            "/",
        ),
        *(
            "$eq",
            "RAND(",
            "MASK(",
            "lookup",
            "raw",
            '"',
            "'",
            "1",
            "-2.5",
            "true",
            "null",
            " ",
            "\n",
            "가",
            "😀",
            "\x00",
            "\ud800",
        ),
    ]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=30).map("".join))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=5), children, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(["name", "list", "a", "b", "params", "i", "0"])
TEMPLATES = [
    "{{name}}{{{list}}}{{#each list}}{{@key}}{{this}}{{a.b}}{{../name}}{{else}}-{{/each}}",
    "{{#with a}}{{b}}{{#b}}{{.}}{{/b}}{{^b}}none{{/b}}{{/with}}{{#list as |x|}}{{x}}{{/list}}",
    "{{#if ($lt a list)}}{{$or name b}}{{/if}}{{lookup list name}}{{lookup name 0}}{{params[0].length}}",
    "{{QUOTE(name)}}{{ESCAPE(a)}}{{JOSA(b, '을')}}{{FORMAT(list, '0,0')}}{{TRUNCATE(name, 3)}}",
    "{{MASK(a)}}{{RAND(1, b)}}{{DATE(i, name)}}",
]


def outcome(function: Callable[[], Any]) -> Any:
    """What a function returns, or which of the documented errors it raises; any other error is the test's."""
    try:
        return function()
    except (TemplateSyntaxError, TemplateError) as error:
        return error


@given(TEXTS)
def test_any_text_is_a_template_or_a_syntax_error(text: str):
    template = outcome(lambda: parse_template(text))
    if isinstance(template, TemplateSyntaxError):
        assert 1 <= template.line <= text.count("\n") + 1
        assert template.column >= 1
    else:
        rendered = outcome(lambda: template.render({"name": "x", "list": [1, {"a": 2}]}, ENVIRONMENT))
        assert isinstance(rendered, str | TemplateError)


@given(st.dictionaries(NAMES, JSON))
def test_any_context_renders_or_is_over_a_budget(context: dict[str, Any]):
    for source in TEMPLATES:
        template = parse_template(source)
        assert isinstance(outcome(partial(template.render, context, ENVIRONMENT)), str | TemplateError)


@given(TEXTS)
def test_text_in_the_context_comes_out_unchanged(text: str):
    source = "{{name}}{{#each list}}{{this}}{{/each}}{{#with o}}{{name}}{{/with}}"
    context = {"name": text, "list": [text], "o": {"name": text}}
    assert parse_template(source).render(context, ENVIRONMENT) == text * 3


@given(JSON, st.dictionaries(NAMES, JSON))
def test_data_without_tags_is_given_back_as_it_is(data: Any, context: dict[str, Any]):
    template = compile_data(data)
    if template.is_constant:
        assert template.render(context, ENVIRONMENT) is data


@given(
    st.recursive(TEXTS, lambda children: st.lists(children, max_size=3) | st.dictionaries(NAMES, children, max_size=3))
)
def test_any_data_is_rendered_or_refused_with_a_problem(data: Any):
    template = compile_data(data)
    errors = [problem for _, problem in template.problems if isinstance(problem, TemplateSyntaxError)]
    rendered = outcome(lambda: template.render({"name": "x", "list": [1, {"a": 2}]}, ENVIRONMENT))
    if errors:
        assert rendered is errors[0]
    else:
        assert isinstance(rendered, TemplateError | str | type(data))
