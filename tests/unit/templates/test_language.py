"""What the language has beyond Handlebars: printing, names, indices, operators, calls, raw blocks."""

import pytest

from shared.templates import RenderEnvironment, parse_template
from shared.values import PrintsAs

ENVIRONMENT = RenderEnvironment(now_ms=0, random=lambda: 0.5)


def render(source: str, context: object = None, *, escape_html: bool = False) -> str:
    template = parse_template(source, escape_html=escape_html)
    return template.render({} if context is None else context, ENVIRONMENT)  # type: ignore[arg-type]


MESSAGE = PrintsAs({"type": "text", "text": "예"}, "text")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (1.5, "1.5"),
        (1.0, "1"),
        (1e21, "1e+21"),
        (None, ""),
        ([1, None, "b", [2, 3]], "1,,b,2,3"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        (MESSAGE, "예"),
    ],
)
def test_values_print_as_javascript_prints_them(value, text):
    assert render("{{value}}", {"value": value}) == text


def test_neighbours_are_concatenated_as_text():
    assert render("{{a}}{{b}}{{{a}}}{{{b}}}", {"a": 1, "b": 2}) == "1212"


def test_chat_text_is_not_escaped():
    assert render("{{name}}", {"name": "<b>&'"}) == "<b>&'"


def test_a_place_that_makes_html_escapes_what_double_braces_print():
    assert render("<i>{{x}}{{{x}}}{{&x}}", {"x": "<b>&\"'`="}, escape_html=True) == (
        "<i>&lt;b&gt;&amp;&quot;&#x27;&#x60;&#x3D;<b>&\"'`=<b>&\"'`="
    )


class TestNames:
    def test_the_context_comes_before_params(self):
        assert render("{{name}}", {"name": "a", "params": {"name": "b"}}) == "a"

    def test_a_name_that_the_context_has_not_is_looked_up_in_params(self):
        assert render("{{user.name}} {{if_any}}", {"params": {"user": {"name": "b"}}}) == "b "

    def test_a_null_of_the_context_hides_a_parameter(self):
        assert render("{{name}}", {"name": None, "params": {"name": "b"}}) == ""

    def test_blocks_that_keep_the_current_value_keep_the_rule(self):
        assert render("{{#if name}}{{name}}{{/if}}", {"params": {"name": "b"}}) == "b"

    def test_arguments_follow_the_rule(self):
        assert render('{{#if ($eq name "b")}}yes{{/if}}', {"params": {"name": "b"}}) == "yes"

    def test_inside_a_loop_only_the_item_is_looked_at(self):
        assert render("{{#each l}}{{name}}{{../name}}{{/each}}", {"l": [{}], "params": {"name": "b"}}) == "b"

    def test_params_of_an_item_are_not_the_parameters(self):
        assert render("{{#each l}}{{name}}{{/each}}", {"l": [{"params": {"name": "x"}}]}) == ""

    def test_this_and_root_mean_the_context_alone(self):
        assert render("{{this.name}}{{./name}}{{@root.name}}", {"params": {"name": "b"}}) == ""

    def test_root_is_the_context(self):
        assert render("{{#each l}}{{@root.params.name}}{{/each}}", {"l": [1], "params": {"name": "b"}}) == "b"


class TestIndices:
    CONTEXT = {  # noqa: RUF012
        "poets": ["윤동주", "김소월"],
        "fetch": {"data": {"path": [0, 1, {"your": {"object": "x"}}]}},
        "a": {"b c": 1, "0": "zero", "]": "bracket", 'q"': "quote"},
    }

    @pytest.mark.parametrize(
        ("source", "text"),
        [
            ("{{poets[0]}}", "윤동주"),
            ("{{poets[1]}}{{poets[2]}}", "김소월"),
            ("{{poets[ 0 ]}}", "윤동주"),
            ("{{poets[00]}}", "윤동주"),
            ("{{poets.[1]}}", "김소월"),
            ("{{poets[0][1]}}", "동"),
            ("{{poets.length}} {{poets[0].length}}", "2 3"),
            ("{{fetch.data.path[2].your.object}}", "x"),
            ('{{a["b c"]}}', "1"),
            ("{{a['b c']}}", "1"),
            ("{{a[0]}}", "zero"),
            ('{{a["]"]}}{{a["q\\""]}}', "bracketquote"),
            ("{{this['a'].[b c]}}", "1"),
            ('{{@root["poets"][0]}}', "윤동주"),
            ("{{#each poets}}{{../poets[1]}}{{/each}}", "김소월김소월"),
            ("{{poets[99999999999999999999]}}", ""),
        ],
    )
    def test_brackets_index_as_in_javascript(self, source, text):
        assert render(source, self.CONTEXT) == text


class TestNothingOfTheHost:
    @pytest.mark.parametrize(
        "path",
        [
            *(
                "__class__",
                "__proto__",
                "constructor",
                "toString",
                "hasOwnProperty",
                "__dict__",
                "keys",
                "items.append",
            ),
            *("name.__class__", "name.upper", "name.constructor", "items.__len__", "object.get", "object.__class__"),
            *("number.real", "object.length", "message.as_text", "message.text_key", "@root.__class__", "@index.real"),
            *("lookup object '__class__'", "lookup items 'append'", "lookup message 'text_key'", "this.__init__"),
        ],
    )
    def test_a_value_has_only_what_its_json_has(self, path):
        context = {"name": "a", "items": [1], "object": {}, "number": 1, "message": MESSAGE}
        assert render(f"{{{{#if true}}}}{{{{{path}}}}}{{{{/if}}}}", context) == ""

    def test_length_is_known_of_texts_and_lists(self):
        assert (
            render(
                "{{text.length}} {{list.length}} {{object.length}}",
                {
                    "text": "가😀",
                    "list": [1, 2],
                    "object": {"length": "own"},
                },
            )
            == "3 2 own"
        )


class TestOperators:
    @pytest.mark.parametrize(
        ("call", "text"),
        [
            ("$eq 1 1.0", "true"),
            ('$eq 1 "1"', "false"),
            ("$eq missing undefined", "true"),
            ("$eq missing null", "false"),
            ("$ne 1 2", "true"),
            ("$lt 2 10", "true"),
            ('$lt "2" "10"', "false"),
            ('$lt 2 "10"', "true"),
            ("$lte 2 2", "true"),
            ("$gt missing 1", "false"),
            ("$gte null 0", "true"),
            ("$and 1 0 missing", "0"),
            ("$and 1 2", "2"),
            ('$or "" list name', "철수"),
            ("$or 0 false", "false"),
            ("lookup object key", "v"),
            ("lookup items 1", "b"),
            ("lookup missing 1", ""),
        ],
    )
    def test_an_operator_gives_what_javascript_gives(self, call, text):
        context = {"name": "철수", "list": [], "object": {"k": "v"}, "key": "k", "items": ["a", "b"]}
        assert render(f"{{{{{call}}}}}", context) == text

    def test_operators_are_sub_expressions(self):
        source = '{{#if ($and ($eq platform "test") ($or a ($gt n 3)))}}yes{{else}}no{{/if}}'
        assert render(source, {"platform": "test", "n": 4}) == "yes"

    def test_operators_may_be_called_with_commas(self):
        assert render('{{#if $eq(platform, "test")}}yes{{/if}}', {"platform": "test"}) == "yes"

    def test_the_message_compares_as_its_text(self):
        assert render('{{#if ($eq message "예")}}{{message.type}}{{/if}}', {"message": MESSAGE}) == "text"

    def test_empty_lists_are_false(self):
        assert render("{{#if list}}a{{else}}b{{/if}}{{$or list 'c'}}", {"list": []}) == "bc"


class TestCalls:
    def test_a_call_takes_literals_paths_and_calls(self):
        source = '{{JOSA(TRUNCATE(user.names[0], 3, ""), "을")}}'
        assert render(source, {"user": {"names": ["떡볶이가게"]}}) == "떡볶이를"

    def test_spaces_around_arguments_mean_nothing(self):
        assert render("{{ JOSA( name , '은' ) }}", {"name": "달"}) == "달은"

    def test_a_call_may_be_written_as_a_helper_of_handlebars(self):
        assert render('{{JOSA name "은"}}{{#if ($eq (ESCAPE name) "%EB%8B%AC")}}!{{/if}}', {"name": "달"}) == "달은!"

    def test_a_call_needs_no_arguments_where_it_has_defaults(self):
        assert render("{{DATE()}}") == "1970-01-01T00:00:00.000Z"

    def test_a_name_alone_is_a_value_even_if_a_call_is_named_so(self):
        assert render("{{DATE}}", {"DATE": "x"}) == "x"

    def test_the_message_is_given_to_a_call_as_its_text(self):
        assert render("{{QUOTE(message)}}", {"message": MESSAGE}) == '"예"'

    def test_a_call_is_an_argument_of_a_block(self):
        assert render("{{#with (lookup users 0)}}{{name}}{{/with}}", {"users": [{"name": "a"}]}) == "a"

    def test_a_loop_calls_for_every_item(self):
        assert render("{{#each l}}{{JOSA(this, '이')}} {{/each}}", {"l": ["달", "해"]}) == "달이 해가 "


class TestRawBlocks:
    def test_a_raw_block_shows_its_text_as_it_is(self):
        assert render("a{{{{raw}}}} {{b}} {{#if}} {{{{/raw}}}}c", {"b": 1}) == "a {{b}} {{#if}} c"

    def test_a_backslash_shows_a_tag_as_it_is(self):
        assert render("\\{{b}} {{b}}", {"b": 1}) == "{{b}} 1"


class TestUserText:
    @pytest.mark.parametrize("text", ["{{name}}", "{{{{raw}}}}", "{{#if}}", "\\{{a}}", "}}", "{{MASK(1)}}"])
    def test_text_of_the_user_is_never_a_template(self, text):
        assert render("{{name}}", {"name": text}) == text


class TestForgivenParentheses:
    @pytest.mark.parametrize(
        ("source", "column"),
        [('{{JOSA(name, "은"}}', 7), ('{{#if ($eq name "달"}}달은{{/if}}', 7), ('{{{JOSA(name, "은"}}}', 8)],
    )
    def test_a_missing_parenthesis_before_the_end_is_a_warning(self, source, column):
        template = parse_template(source)
        assert template.render({"name": "달"}, ENVIRONMENT) == "달은"
        assert [(warning.line, warning.column) for warning in template.warnings] == [(1, column)]

    def test_every_missing_parenthesis_is_told(self):
        assert len(parse_template('{{QUOTE(JOSA(name, "은"}}').warnings) == 2


def test_a_named_argument_without_effect_is_a_warning():
    (warning,) = parse_template("\n{{#each a b=1}}{{/each}}").warnings
    assert (warning.line, warning.message) == (2, "b= has no effect in #each")
