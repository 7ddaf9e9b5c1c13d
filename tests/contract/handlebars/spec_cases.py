"""The cases of the npm package `handlebars-spec`: Handlebars' own test suite as JSON."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[2] / "peers" / "node_modules" / "handlebars-spec"
SKIPPED = Path(__file__).with_name("skipped_cases.txt")
FILES = (
    "basic",
    "blocks",
    "builtins",
    "data",
    "helpers",
    "parser",
    "partials",
    "regressions",
    "strict",
    "string-params",
    "subexpressions",
    "tokenizer",
    "track-ids",
    "whitespace-control",
)


@dataclass(frozen=True)
class Case:
    """`name` is the file and the place in it, by which the list of skipped cases knows it."""

    name: str
    fields: dict[str, Any]

    @property
    def template(self) -> str:
        return self.fields["template"]

    @property
    def fails(self) -> bool:
        return "exception" in self.fields


def read_cases(*files: str) -> list[Case]:
    """The cases of some files of the package, or none where it is not installed (a test of its own says so)."""
    if not PACKAGE.exists():
        return []
    return [
        Case(f"{file} {index}", fields)
        for file in files
        for index, fields in enumerate(json.loads((PACKAGE / "spec" / f"{file}.json").read_text("utf-8")))
    ]


def read_skipped() -> dict[str, str]:
    """Reasons by case name. A line of the list: name, reason and the template, with bars between them."""
    lines = [line for line in SKIPPED.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    parts = [line.split(" | ", 2) for line in lines]
    return {name: reason for name, reason, _ in parts}


def reason_to_skip(case: Case) -> str | None:
    """Why a case cannot run here, as far as the case itself tells: the list must say the same."""
    fields = case.fields
    if case.name.startswith("tokenizer"):
        return None
    if "{{>" in case.template or "{{#>" in case.template or "{{~>" in case.template:
        return "partials"
    if "{{*" in case.template or "{{#*" in case.template:
        return "decorators"
    for name in fields.get("helpers") or {}:
        if name in case.template or name in ("helperMissing", "blockHelperMissing"):
            return f"JavaScript helper {name}"
    if _has_code(fields.get("data")):
        return "JavaScript functions in the data"
    if fields.get("runtimeOptions", {}).get("data"):
        return "@-values given by the caller"
    return None


def _has_code(value: Any) -> bool:
    if isinstance(value, dict):
        return "!code" in value or any(map(_has_code, value.values()))
    return isinstance(value, list) and any(map(_has_code, value))
