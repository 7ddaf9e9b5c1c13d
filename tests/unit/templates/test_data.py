"""Node data: every text is a template, and elements of lists are repeated by array expansion."""

from typing import Any

import pytest

from shared.templates import RenderEnvironment, TemplateSyntaxError, TemplateWarning, compile_data

ENVIRONMENT = RenderEnvironment(now_ms=0, random=lambda: 0.5)

CARTS = [{"name": "사과", "n": 1}, {"name": "포도", "n": 2}, {"name": "망고", "n": 4}]


def render(data: Any, **context: Any) -> Any:
    return compile_data(data).render(context, ENVIRONMENT)


class TestTexts:
    def test_every_text_at_every_depth_is_a_template(self):
        data = {"a": "{{x}}", "b": [{"c": ["{{x}}!", 1, None, True]}], "{{x}}": "key"}
        assert render(data, x=5) == {"a": "5", "b": [{"c": ["5!", 1, None, True]}], "{{x}}": "key"}

    def test_a_value_becomes_text_whatever_its_type(self):
        assert render({"flowId": "{{params.flow}}"}, params={"flow": 3}) == {"flowId": "3"}

    def test_a_text_alone_is_data_too(self):
        assert render("{{x}}", x=1) == "1"

    def test_what_has_no_template_is_returned_as_it_is(self):
        data = {"constant": {"list": [1, {"a": "\\ }} b"}]}, "text": "{{x}}"}
        result = render(data)
        assert result["constant"] is data["constant"]

    def test_what_has_templates_is_fresh_every_time(self):
        template = compile_data({"list": [{"text": "{{x}}"}]})
        first, second = template.render({}, ENVIRONMENT), template.render({}, ENVIRONMENT)
        assert first == second
        assert first["list"] is not second["list"]
        assert first["list"][0] is not second["list"][0]

    @pytest.mark.parametrize(
        ("data", "is_constant"),
        [
            ({"a": ["b", 1, {"c": "{ {d}"}]}, True),
            ("", True),
            (None, True),
            ("{{a}}", False),
            ([{"b": ["{{a}}"]}], False),
        ],
    )
    def test_data_is_constant_when_no_text_in_it_has_a_tag(self, data, is_constant):
        assert compile_data(data).is_constant is is_constant


class TestProblems:
    def test_all_problems_are_told_with_their_paths(self):
        data = {
            "message": {"cards": [{"title": "{{#if}}"}, {"title": "ok {{a}}", "buttons": [{"label": "{{nope 1}}"}]}]},
            "headers": {"Content-Type": "{{JOSA(a, '을'}}"},
            "text": "{{list[i].x}}",
        }
        problems = compile_data(data).problems
        assert [(path, type(problem)) for path, problem in problems] == [
            ("message.cards[0].title", TemplateSyntaxError),
            ("message.cards[1].buttons[0].label", TemplateSyntaxError),
            ('headers["Content-Type"]', TemplateWarning),
            ("text", TemplateSyntaxError),
        ]

    def test_data_without_problems_tells_none(self):
        assert compile_data({"cards": [{"title": "{{list[i].x}}"}]}).problems == []

    def test_a_broken_text_fails_the_rendering(self):
        template = compile_data({"a": "{{x}}", "b": "\n{{#if x}}"})
        for _ in range(2):
            with pytest.raises(TemplateSyntaxError, match="line 2, column 10"):
                template.render({}, ENVIRONMENT)

    def test_a_warning_does_not(self):
        assert render({"a": "{{JOSA(x, '을'}}"}, x="달") == {"a": "달을"}

    def test_nothing_is_parsed_before_it_is_used(self, monkeypatch):
        monkeypatch.setattr("shared.templates.data.Template", None)
        compile_data({"a": "{{x}}"})


class TestExpansion:
    def test_an_element_is_cloned_once_for_every_item(self):
        data = {"cards": [{"title": "{{carts[i].name}}", "description": "{{carts[i].n}}개"}, {"title": "끝"}]}
        assert render(data, carts=CARTS) == {
            "cards": [
                {"title": "사과", "description": "1개"},
                {"title": "포도", "description": "2개"},
                {"title": "망고", "description": "4개"},
                {"title": "끝"},
            ]
        }

    def test_ten_items_at_most(self):
        assert render(["{{l[i]}}"], l=list(range(12))) == [str(n) for n in range(10)]

    def test_a_range_takes_those_that_are_there(self):
        assert render(["{{l[1..3]}}"], l=list("abcde")) == ["b", "c", "d"]
        assert render(["{{l[3..9]}}"], l=list("abcde")) == ["d", "e"]
        assert render(["{{l[7..9]}}"], l=list("abcde")) == []
        assert render(["{{l[3..1]}}"], l=list("abcde")) == []

    def test_a_range_has_no_limit_of_ten(self):
        assert len(render(["{{l[0..99]}}"], l=list(range(50)))) == 50

    @pytest.mark.parametrize("items", [None, [], "text", {"0": "a"}, 5])
    def test_no_list_gives_no_element(self, items):
        assert render([{"a": "{{l[i].x}}"}, {"a": "{{l[0..5].x}}"}, {"a": "b"}], l=items) == [{"a": "b"}]

    def test_a_missing_list_gives_no_element(self):
        assert render([{"a": "{{l[i].x}}"}]) == []

    def test_texts_in_objects_of_the_element_are_its_own(self):
        data = [{"media": {"uri": "{{l[i]}}", "sizes": {"big": "{{l[i]}}!"}}}]
        assert [card["media"]["sizes"]["big"] for card in render(data, l=["a", "b"])] == ["a!", "b!"]

    def test_the_index_holds_in_nested_lists(self):
        data = [{"title": "{{carts[i].name}}", "buttons": [{"label": "{{carts[i].name}} 담기"}, {"label": "뒤로"}]}]
        assert [[button["label"] for button in card["buttons"]] for card in render(data, carts=CARTS[:2])] == [
            ["사과 담기", "뒤로"],
            ["포도 담기", "뒤로"],
        ]

    def test_a_list_in_an_element_does_not_clone_the_element(self):
        data = {"cards": [{"title": "목록", "buttons": [{"label": "{{carts[i].name}}"}]}]}
        assert render(data, carts=CARTS[:2]) == {
            "cards": [{"title": "목록", "buttons": [{"label": "사과"}, {"label": "포도"}]}]
        }

    def test_a_nested_element_is_cloned_only_by_a_list_that_nothing_around_it_walks(self):
        data = [{"title": "{{carts[i].name}}", "buttons": [{"label": "{{carts[0..1].name}} {{others[i]}}"}]}]
        assert render(data, carts=CARTS[:2], others=["x", "y"]) == [
            {"title": "사과", "buttons": [{"label": "사과 x"}, {"label": "사과 y"}]},
            {"title": "포도", "buttons": [{"label": "포도 x"}, {"label": "포도 y"}]},
        ]

    def test_a_list_is_the_same_under_another_name(self):
        data = [{"title": "{{l[i]}}", "buttons": ["{{params.l[i]}} {{this.params.l[i]}} {{@root.params.l[i]}}"]}]
        assert render(data, params={"l": ["a", "b"]}) == [
            {"title": "a", "buttons": ["a a a"]},
            {"title": "b", "buttons": ["b b b"]},
        ]

    def test_a_nested_list_may_be_one_of_the_item(self):
        data = [{"title": "{{menu[i].name}}", "buttons": [{"label": "{{menu[i].sizes[i]}}"}]}]
        menu = [{"name": "커피", "sizes": ["S", "L"]}, {"name": "차", "sizes": []}]
        assert render(data, menu=menu) == [
            {"title": "커피", "buttons": [{"label": "S"}, {"label": "L"}]},
            {"title": "차", "buttons": []},
        ]

    def test_lists_of_one_element_walk_together_and_the_shorter_ends_it(self):
        assert render(["{{a[i]}}{{b[i]}}"], a=[1, 2, 3], b=["x", "y"]) == ["1x", "2y"]
        assert render(["{{a[1..2]}}{{b[i]}}"], a=[1, 2, 3], b=["x", "y", "z"]) == ["2x", "3y"]
        assert render(["{{a[i]}}{{b[i]}}"], a=[1, 2, 3]) == []

    def test_two_ranges_of_a_list_walk_together(self):
        assert render(["{{a[0..1]}}{{a[2..3]}}"], a=[1, 2, 3, 4]) == ["13", "24"]

    def test_expansions_stand_in_blocks_and_calls(self):
        data = ["{{#if ($eq l[i].a 1)}}{{JOSA(l[i].name, '은')}}{{else}}-{{/if}}"]
        assert render(data, l=[{"a": 1, "name": "달"}, {"a": 2}]) == ["달은", "-"]

    def test_the_list_may_lie_deep_or_in_params(self):
        assert render(["{{fetch.data[0].rows[i].x}}"], fetch={"data": [{"rows": [{"x": 1}, {"x": 2}]}]}) == ["1", "2"]
        assert render(["{{rows[i]}}"], params={"rows": ["a"]}) == ["a"]

    def test_elements_after_an_expanded_one_are_their_own(self):
        assert render([{"a": "{{l[i]}}"}, {"a": "{{l[i]}}!", "b": ["{{l[i]}}"]}], l=["x"]) == [
            {"a": "x"},
            {"a": "x!", "b": ["x"]},
        ]

    def test_a_dot_before_the_bracket_means_the_key_i(self):
        assert render(["{{l.[i]}}"], l={"i": "key"}) == ["key"]


def test_texts_that_become_html_escape_what_they_print_and_no_others_do() -> None:
    data = compile_data(
        {"body": "{{a}}{{{a}}}{{&a}}", "subject": "{{a}}", "in": {"body": "{{a}}"}}, frozenset({"body"})
    )
    rendered = data.render({"a": "<&"}, RenderEnvironment(now_ms=0, random=lambda: 0.0))
    assert rendered == {"body": "&lt;&amp;<&<&", "subject": "<&", "in": {"body": "<&"}}
