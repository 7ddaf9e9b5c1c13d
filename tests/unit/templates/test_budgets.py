"""A template cannot cost more than its budget, whatever its author or the data try; every bound has a test."""

import time
from contextlib import suppress

import pytest

from shared.errors import MalgilError
from shared.templates import RenderEnvironment, TemplateError, TemplateSyntaxError, compile_data, parse_template
from shared.templates.limits import (
    MAX_CHAIN,
    MAX_DATA_DEPTH,
    MAX_DATA_OUTPUT_BYTES,
    MAX_DEPTH,
    MAX_LOOP_ITEMS,
    MAX_OUTPUT_BYTES,
    MAX_SOURCE_BYTES,
    MAX_STEPS,
    PRINTED_CHARACTERS_PER_STEP,
    READ_CHARACTERS_PER_STEP,
)

ENVIRONMENT = RenderEnvironment(now_ms=0, random=lambda: 0.5)


def render(source: str, **context: object) -> str:
    return parse_template(source).render(context, ENVIRONMENT)


def refused(source: str, **context: object) -> str:
    with pytest.raises(TemplateError) as caught:
        render(source, **context)
    return str(caught.value)


def nested(depth: int) -> str:
    return "{{#if a}}" * depth + "x" + "{{/if}}" * depth


class TestSource:
    def test_a_source_of_32_kilobytes_parses(self):
        assert render("가" * (MAX_SOURCE_BYTES // 3)) == "가" * (MAX_SOURCE_BYTES // 3)

    @pytest.mark.parametrize("source", ["a" * (MAX_SOURCE_BYTES + 1), "가" * (MAX_SOURCE_BYTES // 3 + 1)])
    def test_a_longer_one_is_refused(self, source):
        with pytest.raises(TemplateSyntaxError, match="at most 32768 bytes"):
            parse_template(source)

    def test_blocks_nest_to_the_bound(self):
        assert render(nested(MAX_DEPTH), a=1) == "x"

    @pytest.mark.parametrize(
        "source",
        [
            nested(MAX_DEPTH + 1),
            nested(1_500),
            "{{#if a}}" * 3_000,
            "{{" + "QUOTE(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1) + "}}",
            "{{QUOTE " + "(QUOTE " * 4_000 + "a" + ")" * 4_000 + "}}",
            "{{QUOTE " + "(QUOTE " * 4_000,
            "{{#if a}}{{^if a}}" * 1_500,
        ],
    )
    def test_deeper_nesting_is_a_syntax_error(self, source):
        with pytest.raises(TemplateSyntaxError, match="at most 20 blocks and calls"):
            parse_template(source)

    def test_many_else_branches_are_no_nesting(self):
        source = (
            "{{#if a}}0" + "".join(f"{{{{else if ($eq n {n})}}}}{n}" for n in range(MAX_CHAIN)) + "{{else}}x{{/if}}"
        )
        assert render(source, n=MAX_CHAIN - 1) == str(MAX_CHAIN - 1)
        assert render(source) == "x"

    def test_too_many_else_branches_are_a_syntax_error(self):
        with pytest.raises(TemplateSyntaxError, match="at most 64 else branches"):
            parse_template("{{#if a}}" + "{{else if a}}" * 2_000 + "{{/if}}")

    def test_the_deepest_template_of_all_renders(self):
        chain = "{{else if b}}" * (MAX_CHAIN // MAX_DEPTH)
        source = f"{{{{#if a}}}}{chain}{{{{else}}}}" * MAX_DEPTH + "x" + "{{/if}}" * MAX_DEPTH
        assert render(source) == "x"

    @pytest.mark.parametrize(
        "piece",
        [
            *("{{!", "{{!--", "{{{{", "{{{{a}}}}", "{{{{/a}}}}", "\\{{", '{{"', "{{'\\'", "{{a[", '{{a["', "[", "[\\]"),
            *(
                "{{ else",
                "{{^ ",
                "as ",
                " ",
                "\n ",
                "{{~",
                "~}}",
                "{{a.",
                "{{a[0]",
                "a.",
                "[0]",
                "[i]",
                "9",
                "(",
                "a(",
                "}",
            ),
        ],
    )
    def test_a_hostile_source_takes_about_as_long_as_any_other(self, piece):
        def seconds(source: str) -> float:
            def once() -> float:
                start = time.process_time()
                with suppress(TemplateSyntaxError):
                    parse_template(source[:MAX_SOURCE_BYTES])
                return time.process_time() - start

            return min(once() for _ in range(3))

        # What takes time quadratic in the source takes hundreds of times as long.
        usual = seconds("{{name}} " * MAX_SOURCE_BYTES)
        assert seconds(piece * MAX_SOURCE_BYTES) < 10 * usual
        assert seconds("{{a " + piece * MAX_SOURCE_BYTES) < 10 * usual


class TestSteps:
    def test_every_expression_and_item_is_a_step(self):
        source = "{{#each l}}{{#each ../l}}{{a}}{{/each}}{{/each}}"
        assert render(source, l=[{}] * 40) == ""
        assert refused(source, l=[{}] * 80) == f"the template needs more than {MAX_STEPS} steps"

    def test_empty_loops_cost_steps_too(self):
        source = "{{#each l}}{{#each ../l}}{{#each ../l}}{{/each}}{{/each}}{{/each}}"
        assert "steps" in refused(source, l=[1] * MAX_LOOP_ITEMS)

    def test_calls_cost_steps(self):
        assert "steps" in refused("{{#each l}}" + "{{#if QUOTE('a')}}{{/if}}" * 10 + "{{/each}}", l=[1] * 1_000)

    def test_looking_into_a_long_list_costs_one_step(self):
        source = "{{#each l}}{{lookup ../items 1}}{{#if ($eq ../items 1)}}{{/if}}{{/each}}"
        assert render(source, l=[1] * 1_000, items=["ab"] * 10_000) == ("ab" * 1_000)

    def test_the_steps_of_a_run_are_its_own(self):
        template = parse_template("{{#each l}}{{a}}{{b}}{{c}}{{/each}}")
        assert [template.render({"l": [1] * 1_000}, ENVIRONMENT) for _ in range(5)] == [""] * 5

    def test_long_values_cost_steps_when_a_call_reads_them(self):
        text = "a" * READ_CHARACTERS_PER_STEP * 20
        assert "steps" in refused("{{#each l}}{{#if ($lt ../t ../t)}}{{/if}}{{/each}}", l=[1] * 400, t=text)

    def test_long_lists_cost_steps_when_they_print(self):
        items = [1] * PRINTED_CHARACTERS_PER_STEP * 20
        assert "steps" in refused("{{#each l}}{{#if ($lt ../t 1)}}{{/if}}{{/each}}", l=[1] * 400, t=items)


class TestOutput:
    def test_64_kilobytes_render(self):
        assert len(render("{{a}}{{a}}", a="x" * (MAX_OUTPUT_BYTES // 2))) == MAX_OUTPUT_BYTES

    @pytest.mark.parametrize(
        "source",
        [
            "{{a}}{{a}}!",
            "{{a}}" * 5_000,
            "{{#each l}}{{../a}}{{/each}}",
            "{{#each l}}{{#each ../l}}0123456789{{/each}}{{/each}}",
            "{{#with a}}{{this}}{{this}}{{/with}}!",
            "{{MASK(a)}}{{MASK(a)}}!",
        ],
    )
    def test_more_is_an_error(self, source):
        message = f"the text becomes longer than {MAX_OUTPUT_BYTES} bytes"
        assert refused(source, a="x" * (MAX_OUTPUT_BYTES // 2), l=[1] * 90) == message

    def test_bytes_count_and_not_characters(self):
        assert "longer" in refused("{{a}}", a="가" * (MAX_OUTPUT_BYTES // 3 + 1))

    def test_a_long_list_is_refused_as_text(self):
        assert "longer" in refused("{{a}}", a=["0123456789"] * 10_000)

    def test_calls_cannot_grow_a_text_beyond_the_bound(self):
        quotes = "{{TRUNCATE(" + "QUOTE(" * 15 + "a" + ")" * 15 + ", 1)}}"
        assert "longer" in refused(quotes, a='"' * 1_000)

    def test_a_value_nested_beyond_the_stack_is_an_error(self):
        value: list[object] = []
        for _ in range(5_000):
            value = [value]
        assert refused("{{a}}", a=value) == "a value is nested too deeply to be printed"


class TestLoops:
    def test_a_thousand_items_are_walked(self):
        assert render("{{#each l}}.{{/each}}", l=[1] * MAX_LOOP_ITEMS) == "." * MAX_LOOP_ITEMS

    @pytest.mark.parametrize("source", ["{{#each l}}.{{/each}}", "{{#l}}.{{/l}}"])
    def test_more_are_an_error(self, source):
        assert refused(source, l=[1] * (MAX_LOOP_ITEMS + 1)) == "a loop over 1001 items, more than 1000"

    def test_objects_are_counted_too(self):
        assert "1001 items" in refused("{{#each o}}.{{/each}}", o={str(n): n for n in range(1_001)})


class TestData:
    def render(self, data: object, **context: object) -> object:
        return compile_data(data).render(context, ENVIRONMENT)

    def test_the_texts_of_a_node_share_their_steps(self):
        loop = "{{#each l}}{{a}}{{/each}}"
        with pytest.raises(TemplateError, match="steps"):
            self.render([loop] * 10, l=[1] * 900)

    def test_the_texts_of_a_node_share_their_length(self):
        with pytest.raises(TemplateError, match=str(MAX_DATA_OUTPUT_BYTES)):
            self.render(["{{a}}"] * 20, a="x" * MAX_OUTPUT_BYTES)

    def test_an_element_is_not_repeated_without_end(self):
        with pytest.raises(TemplateError, match="more than 1000"):
            self.render(["{{l[0..99999].x}}"], l=[{}] * 1_001)

    def test_repeated_elements_cost_steps(self):
        data = [{"a": "{{l[0..999].x}}", "b": ["{{k[0..999]}}"]}]
        with pytest.raises(TemplateError, match="steps"):
            self.render(data, l=[{}] * 500, k=[1] * 500)

    def test_data_nested_too_deeply_is_a_problem_and_no_crash(self):
        data: object = "{{a}}"
        for _ in range(MAX_DATA_DEPTH + 5_000):
            data = [data]
        with pytest.raises(TemplateSyntaxError, match="at most 64 levels"):
            self.render(data)


def test_an_exceeded_budget_is_a_template_error_of_the_platform():
    with pytest.raises(MalgilError) as caught:
        render("{{#each l}}{{/each}}", l=[1] * 1_001)
    assert caught.value.code == "template_error"
