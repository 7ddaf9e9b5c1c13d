"""The rules of edge conditions."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.conditions import Condition, ConditionError, parse_condition, parse_path
from shared.conditions.condition import MAX_GROUP_DEPTH
from shared.errors import InvalidInput
from shared.values import UNDEFINED, PrintsAs, member


def resolver(context):
    def resolve(path):
        value = context
        for key in path:
            value = member(value, key)
        return value

    return resolve


def holds(where, context, notes=None):
    return parse_condition(where).holds(resolver(context), lambda text: text.replace("{{x}}", "value of x"), notes)


def test_an_empty_condition_holds():
    assert holds({}, {})


def test_all_paths_and_all_operators_must_hold():
    where = {"a": {"gt": 1, "lt": 5}, "b": {"equals": "x"}}
    assert holds(where, {"a": 3, "b": "x"})
    assert not holds(where, {"a": 7, "b": "x"})
    assert not holds(where, {"a": 3, "b": "y"})


@pytest.mark.parametrize("group", ["and", "all", "every", "$and", "$all", "$every"])
def test_a_group_of_all_needs_every_member(group):
    where = {group: [{"a": 1}, {"b": 2}]}
    assert holds(where, {"a": 1, "b": 2})
    assert not holds(where, {"a": 1, "b": 3})


@pytest.mark.parametrize("group", ["or", "any", "some", "$or", "$any", "$some"])
def test_a_group_of_any_needs_one_member(group):
    where = {group: [{"a": 1}, {"b": 2}]}
    assert holds(where, {"a": 0, "b": 2})
    assert not holds(where, {"a": 0, "b": 0})


def test_groups_nest():
    where = {"or": [{"and": [{"a": 1}, {"or": [{"b": 2}, {"b": 3}]}]}, {"c": 4}]}
    assert holds(where, {"a": 1, "b": 3})
    assert holds(where, {"c": 4})
    assert not holds(where, {"a": 1, "b": 4})


def nested(depth):
    where: dict = {"a": 1}
    for _ in range(depth):
        where = {"or": [where]}
    return where


def test_groups_nest_to_a_bound():
    assert holds(nested(MAX_GROUP_DEPTH), {"a": 1})
    with pytest.raises(ConditionError, match="nest deeper"):
        parse_condition(nested(MAX_GROUP_DEPTH + 1))


def test_a_group_word_without_a_list_is_a_path():
    assert holds({"or": {"equals": "x"}}, {"or": "x"})
    assert holds({"and": "x"}, {"and": "x"})
    assert holds({"params.or": ["x"]}, {"params": {"or": ["x"]}})


def test_an_operator_word_is_a_path_where_paths_stand():
    assert holds({"equals": {"equals": 1}}, {"equals": 1})


def test_a_bare_operand_means_equals():
    assert holds({"a": "x"}, {"a": "x"})
    assert holds({"a": None}, {"a": None})
    assert holds({"a": [1, 2]}, {"a": [1, 2]})


@pytest.mark.parametrize(
    ("operator", "operand", "left", "expected"),
    [
        ("equals", "예", "예", True),
        ("equals", "예", "예 ", False),
        ("equals", 3, "3", True),
        ("equals", "3", 3, True),
        ("equals", "3.0", 3, False),
        ("equals", 3, 3.0, True),
        ("equals", "true", True, True),
        ("equals", 1, True, False),
        ("equals", "", None, True),
        ("equals", "", UNDEFINED, False),
        ("equals", None, UNDEFINED, False),
        ("equals", "a,b", ["a", "b"], True),
        ("equals", {"a": [1]}, {"a": [1]}, True),
        ("equals", {"a": 1}, {"a": True}, False),
        ("equals", [1], [1, 2], False),
        ("notEquals", "x", "y", True),
        ("notEquals", "x", "x", False),
        ("notEquals", "x", UNDEFINED, True),
        ("contains", "나", "가나다", True),
        ("contains", "라", "가나다", False),
        ("contains", 2, "2번", True),
        ("contains", "2", [1, 2], True),
        ("contains", "2", 12, False),
        ("contains", "a", {"a": 1}, False),
        ("contains", "", UNDEFINED, False),
        ("notContains", "라", "가나다", True),
        ("notContains", "나", "가나다", False),
        ("notContains", "라", UNDEFINED, True),
        ("in", ["a", "b"], "b", True),
        ("in", ["1", "2"], 2, True),
        ("in", ["a"], "c", False),
        ("in", [], UNDEFINED, False),
        ("in", "a, b", "b", True),
        ("in", "abc", "b", False),
        ("notIn", ["a"], "b", True),
        ("notIn", ["a"], "a", False),
        ("exists", True, "", True),
        ("exists", True, 0, True),
        ("exists", True, None, False),
        ("exists", True, UNDEFINED, False),
        ("exists", False, UNDEFINED, True),
        ("exists", "false", UNDEFINED, True),
        ("exists", False, "x", False),
        ("notExists", True, None, True),
        ("notExists", True, "", False),
        ("notExists", False, "", True),
        ("gt", 19, 20, True),
        ("gt", 19, 19, False),
        ("gt", "19", "20", True),
        ("gt", "9", "10", True),
        ("gt", 0, "", False),
        ("gt", -1, None, False),
        ("gt", 0, True, False),
        ("gt", "a", "b", False),
        ("gt", 1, [2], False),
        ("gte", 19, 19, True),
        ("gte", 19, " 19 ", True),
        ("gte", 19, 18.9, False),
        ("lt", 19, 18, True),
        ("lt", 19, 19, False),
        ("lt", 19, UNDEFINED, False),
        ("lte", 19, 19, True),
        ("lte", 19, 20, False),
        ("regex", "뒤|back", "뒤로", True),
        ("regex", "/BACK/i", "go back", True),
        ("regex", "/BACK/", "go back", False),
        ("regex", "^010", 1012345678, False),
        ("regex", "^10", 1012345678, True),
        ("regex", "", UNDEFINED, False),
        ("regex", "", None, False),
        ("regex", "", "", True),
    ],
)
def test_operators(operator, operand, left, expected):
    assert holds({"a": {operator: operand}}, {} if left is UNDEFINED else {"a": left}) is expected


@pytest.mark.parametrize(
    ("alias", "operator"),
    [
        ("eq", "equals"),
        ("equal", "equals"),
        ("is", "equals"),
        ("ne", "notEquals"),
        ("not", "notEquals"),
        ("notEqual", "notEquals"),
        ("nin", "notIn"),
        ("greaterThan", "gt"),
        ("greaterThanOrEqual", "gte"),
        ("greaterThanOrEquals", "gte"),
        ("lessThan", "lt"),
        ("lessThanOrEqual", "lte"),
        ("lessThanOrEquals", "lte"),
        ("regexp", "regex"),
    ],
)
@pytest.mark.parametrize("sign", ["", "$"])
def test_other_spellings_of_an_operator(sign, alias, operator):
    for left in ("1", "2", "3"):
        written = parse_condition({"a": {sign + alias: "2"}})
        assert written.problems == ()
        assert written.holds(resolver({"a": left}), str) == holds({"a": {operator: "2"}}, {"a": left})


def test_message_compares_as_its_text():
    context = {"message": PrintsAs({"type": "text", "text": "예"}, "text")}
    for operator, operand in [("equals", "예"), ("contains", "예"), ("in", ["예"]), ("regex", "^예$")]:
        assert holds({"message": {operator: operand}}, context)
    assert holds({"message": {"gt": 3}}, {"message": PrintsAs({"text": "4"}, "text")})


def test_operands_with_templates_are_rendered():
    assert holds({"a": {"equals": "the {{x}}"}}, {"a": "the value of x"})
    assert holds({"a": {"in": ["b", "{{x}}"]}}, {"a": "value of x"})
    assert holds({"a": {"regex": "^{{x}}$"}}, {"a": "value of x"})


def test_other_operands_are_not_rendered():
    def render(_text):
        raise AssertionError

    assert parse_condition({"a": "x", "b": 1, "c": {"in": ["y"]}}).holds(resolver({"a": "x", "b": 1, "c": "y"}), render)


def test_an_unknown_operator_is_a_warning_and_never_holds():
    notes: list[str] = []
    condition = parse_condition({"message.text": {"soundsLike": "x"}})
    [problem] = condition.problems
    assert (problem.path, problem.severity) == ("['message.text'].soundsLike", "warning")
    assert not condition.holds(resolver({"message": {"text": "x"}}), str, notes)
    assert notes == ["['message.text'].soundsLike: there is no operator 'soundsLike'; it never holds."]


def test_a_refused_expression_is_an_error_and_never_holds():
    notes: list[str] = []
    condition = parse_condition({"or": [{"a": {"regex": "(뒤"}}]})
    [problem] = condition.problems
    assert (problem.path, problem.severity) == (".or[0].a.regex", "error")
    assert not condition.holds(resolver({"a": "(뒤"}), str, notes)
    assert notes == [".or[0].a.regex: unterminated group at character 3; it does not hold."]


def test_a_rendered_expression_that_is_refused_does_not_hold():
    notes: list[str] = []
    condition = parse_condition({"a": {"regex": "{{x}}"}})
    assert not condition.holds(resolver({"a": "("}), lambda _text: "(", notes)
    assert notes == [".a.regex: unterminated group at character 2; it does not hold."]


def test_an_expression_that_runs_out_of_time_does_not_hold():
    notes: list[str] = []
    assert not holds({"a": {"regex": "(a+)+$"}}, {"a": "a" * 1_999 + "b"}, notes)
    assert notes == [".a.regex: the expression ran out of time; it does not hold."]


def test_a_long_text_is_searched_in_part():
    notes: list[str] = []
    assert holds({"a": {"regex": "^a"}}, {"a": "a" * 2_001}, notes)
    assert notes == [".a.regex: only the first 2000 characters of 2001 are searched."]


def test_deep_data_does_not_hold():
    deep: list = []
    for _ in range(5_000):
        deep = [deep]
    notes: list[str] = []
    assert not holds({"a": {"equals": "x"}}, {"a": deep}, notes)
    assert notes == ["A value nests too deeply to be compared: the condition does not hold."]


@pytest.mark.parametrize(
    ("where", "path", "severity"),
    [
        ({"a": {}}, ".a", "warning"),
        ({"or": []}, ".or", "warning"),
        ({"and": []}, ".and", "warning"),
        ({"$or": {"a": 1}}, ".$or", "warning"),
        ({"a": {"exists": 1}}, ".a.exists", "warning"),
        ({"a": {"in": 3}}, ".a.in", "warning"),
        ({"a": {"gt": "x"}}, ".a.gt", "warning"),
        ({"a": {"regex": 3}}, ".a.regex", "error"),
        ({"a[": {"equals": 3}}, "['a[']", "error"),
        ({"it's": {"gt": {}}}, "['it\\'s']", "error"),
    ],
)
def test_lint_names_the_place(where, path, severity):
    problem = parse_condition(where).problems[0]
    assert (problem.path, problem.severity) == (path, severity)


@pytest.mark.parametrize(
    ("where", "path"),
    [
        (None, ""),
        ([], ""),
        ("x", ""),
        ({"or": [1]}, ".or[0]"),
        ({"a": 1, "$and": [{"b": 1}, {"or": [None]}]}, ".$and[1].or[0]"),
    ],
)
def test_what_is_not_an_object_is_refused_at_its_place(where, path):
    with pytest.raises(ConditionError) as caught:
        parse_condition(where)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ({}, 0),
        ({"a": 1}, 1),
        ({"a": {"gt": 1, "lt": 5}, "b": 1}, 3),
        ({"or": [{"a": 1}, {"b": 1, "c": {"unknown": 1}}], "d": {}}, 3),
    ],
)
def test_single_conditions_are_counted(where, count):
    assert parse_condition(where).single_conditions == count


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("message.payload.flowId", ("message", "payload", "flowId")),
        ("list[0].x", ("list", "0", "x")),
        ('a["b c"]', ("a", "b c")),
        ("a['b.c'].d", ("a", "b.c", "d")),
        ("a.[0].[b c]", ("a", "0", "b c")),
        ("chat:category", ("chat:category",)),
        ("고객.이름", ("고객", "이름")),
        (" a ", ("a",)),
        ('["a b"]', ("a b",)),
    ],
)
def test_paths_are_read_as_in_templates(text, parts):
    assert parse_path(text) == parts


@pytest.mark.parametrize(
    "text", ["", " ", ".", ".a", "a.", "a..b", "a[", "a[0", "a[]", "a b", "a[0]b", 'a["b', "a" * 1_001]
)
def test_what_is_not_a_path_is_refused(text):
    with pytest.raises(InvalidInput):
        parse_path(text)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
words = st.sampled_from(
    ["a", "b", "a.b", "a[0]", "or", "$and", "equals", "in", "regex", "gt", "contains", "exists", "notIn", "$ne"]
)
wheres = st.recursive(
    values | st.sampled_from(["(a+)+$", "[", "/가/i", "{{x}}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
)


@settings(deadline=None)
@given(wheres, st.dictionaries(words, values, max_size=3))
def test_any_json_is_a_condition_or_a_condition_error_and_any_context_can_be_tested(where, context):
    try:
        condition = parse_condition(where)
    except ConditionError:
        return
    assert isinstance(condition, Condition)
    assert isinstance(condition.problems, tuple)
    assert condition.holds(resolver(context), str, []) in (True, False)


@settings(deadline=None)
@given(
    st.text(alphabet="ab[](){}|*+?^$\\-.,:=!<>&~#12kpuxcdws가😀\n", max_size=12),
    st.sampled_from(["", "i", "u", "iu", "ms"]),
)
def test_any_expression_is_compiled_or_refused(pattern, flags):
    condition = parse_condition({"a": {"regex": f"/{pattern}/{flags}"}})
    assert condition.holds(resolver({"a": "ab 가😀"}), str) in (True, False)
    json.dumps([problem.message for problem in condition.problems])


def test_the_conditions_of_exported_bots_have_no_problems():
    seen = [
        {"message.payload.flowId": {"exists": True}},
        {"sandbox.error": {"exists": True}},
        {"message": {"equals": "스킵(drop)"}},
        {"message.text": {"regex": "뒤|back"}},
        {"message.text": {"contains": "drop"}},
    ]
    assert [parse_condition(where).problems for where in seen] == [()] * len(seen)
