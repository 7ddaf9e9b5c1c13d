"""2,000 random templates render as npm handlebars renders them (golden file; its generator stands beside this)."""

import gzip
import json
import re
from pathlib import Path

import pytest

from shared.templates import RenderEnvironment, parse_template

GOLDEN = Path(__file__).parents[2] / "data" / "handlebars" / "random_templates.jsonl.gz"
ENVIRONMENT = RenderEnvironment(now_ms=0, random=lambda: 0.5)

CONTEXTS, *ROWS = [json.loads(line) for line in gzip.decompress(GOLDEN.read_bytes()).decode("utf-8").splitlines()]


def test_there_are_two_thousand_templates():
    assert len(ROWS) == 2_000


def test_every_template_renders_as_in_handlebars():
    different = [
        (template, expected, text)
        for template, context, is_html, expected in ROWS
        if (text := parse_template(template, escape_html=is_html).render(CONTEXTS[context], ENVIRONMENT)) != expected
    ]
    assert different == []


@pytest.mark.parametrize(
    "construct",
    [
        *(r"\{\{~?#if ", r"\{\{~?#unless ", r"\{\{~?#each ", r"\{\{~?#with ", r"\{\{~?#name", r"includeZero=true"),
        *(r"\{\{~?\^if ", r"\{\{~?\^name", r"\{\{~?else~?\}\}", r"\{\{~?\^~?\}\}", r"\{\{~?else (if|unless) "),
        *(r"\{\{~?else (each|with) ", r" as \|item\|", r" as \|item key\|", r"@index", r"@key", r"@first", r"@last"),
        *(r"@\.\./index", r"@root\.", r"\.\./\.\./", r"\bthis\.", r"\./", r"\.\[zip code\]", r"\.\[\d\]", r"\w\[\d\]"),
        *(
            r'\["zip code"\]',
            r"\[ 'name' \]",
            r"\{\{~?!--",
            r"\{\{~?! ",
            r"~\}\}",
            r"\{\{~",
            r"[^\\]\\\{\{",
            r"\\\\\{\{",
        ),
        *(r"\{\{\{\{raw\}\}\}\}", r"·\{\{~?\{", r"·\{\{~?&", r"\(\$eq ", r"\$ne", r"\$lte?\b", r"\$gte?\b", r"\$and\("),
        *(r"\(\$or ", r"lookup", r"undefined", r"null", r"-2\b", r"2\.50", r'say \\"hi', r"__proto__", r"constructor"),
    ],
)
def test_the_templates_cover_the_language(construct: str):
    assert any(re.search(construct, template) for template, *_ in ROWS)
