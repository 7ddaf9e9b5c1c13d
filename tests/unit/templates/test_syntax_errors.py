"""What does not parse is refused with its line, its column and what could have stood there."""

import pytest

from shared.errors import InvalidInput
from shared.templates import TemplateSyntaxError, parse_template


def error_of(source: str) -> TemplateSyntaxError:
    with pytest.raises(TemplateSyntaxError) as caught:
        parse_template(source)
    return caught.value


@pytest.mark.parametrize(
    ("source", "line", "column", "expected"),
    [
        ("{{name", 1, 7, "}}"),
        ("{{name}", 1, 7, "}}"),
        ("{{name}}}", 1, 7, "}}"),
        ("{{{name}}", 1, 8, "}}}"),
        ("{{}}", 1, 3, "a name"),
        ("a\n b {{#if x}}\n", 3, 1, "{{/if}}"),
        ("{{#if x}}{{/each}}", 1, 10, "{{/if}}"),
        ("{{/if}}", 1, 1, "stands on its own"),
        ("{{else}}", 1, 1, "stands on its own"),
        ("가\n{{#if a b}}{{/if}}", 2, 4, "one"),
        ("{{#each}}{{/each}}", 1, 4, "one"),
        ("{{a.this}}", 1, 5, "a name"),
        ("{{a.}}", 1, 3, "RAND"),
        ("{{a[b]}}", 1, 4, "a number"),
        ("{{a[-1]}}", 1, 4, "a number"),
        ("{{a[0}}", 1, 4, "a number"),
        ("{{a (b c) d}}", 1, 3, "RAND"),
        ("{{nope 1}}", 1, 3, "JOSA"),
        ("{{nope(1)}}", 1, 3, "JOSA"),
        ("{{#if (nope)}}{{/if}}", 1, 8, "$eq"),
        ("{{#nope 1}}{{/nope}}", 1, 4, "#each"),
        ("{{#$eq a b}}{{/$eq}}", 1, 4, "#each"),
        ("{{if x}}", 1, 3, "{{#if"),
        ("{{with}}", 1, 3, "{{#with"),
        ("{{$eq a}}", 1, 3, "2"),
        ("{{$and a}}", 1, 3, "at least 2"),
        ("{{JOSA(name)}}", 1, 3, "2"),
        ("{{TRUNCATE(a, 1, 2, 3)}}", 1, 3, "2 to 3"),
        ("{{JOSA(name, '은', x=1)}}", 1, 20, ", or )"),
        ("{{JOSA name '은' x=1}}", 1, 3, "no named arguments"),
        ("{{RAND(1 2)}}", 1, 10, ", or )"),
        ("{{RAND(1,)}}", 1, 10, "a name"),
        ("{{#if ($eq a b}}}{{/if}}", 1, 15, "}}"),
        ("{{> card}}", 1, 1, "no partial"),
        ("{{#> card}}{{/card}}", 1, 1, "no partial"),
        ("{{* card}}", 1, 1, "no decorator"),
        ("{{#* inline}}{{/inline}}", 1, 1, "no decorator"),
        ("{{#each a as |}}{{/each}}", 1, 15, "a name"),
        ("{{!-- never closed", 1, 3, "a name"),
        ('{{"never closed}}', 1, 3, "a name"),
        ("{{{{raw}}}} never closed", 1, 25, "{{{{/raw}}}}"),
        ("{{{{raw}}}}{{{{/row}}}}", 1, 12, "{{{{/raw}}}}"),
        ("{{list[i].x}}", 1, 7, "an element of a list"),
        ("{{list[0..5].x}}", 1, 7, "an element of a list"),
        ("{{#each a as |b|}}{{b[i]}}{{/each}}", 1, 21, "from the context"),
        ("{{../list[i]}}", 1, 10, "from the context"),
        ("{{a[i][i][i][i][i]}}", 1, 16, "at most 4"),
    ],
)
def test_an_error_tells_its_place_and_what_was_expected(source, line, column, expected):
    error = error_of(source)
    assert (error.line, error.column) == (line, column)
    assert expected in error.expected


def test_an_error_quotes_what_was_found():
    assert str(error_of("{{#if x}}{{/each}}")) == "line 1, column 10: found {{/each, expected {{/if}}"


def test_an_error_is_the_authors_fault_and_safe_to_show():
    error = error_of("{{")
    assert isinstance(error, InvalidInput)
    assert error.details == {"line": 1, "column": 3, "expected": error.expected}
