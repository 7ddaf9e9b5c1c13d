"""The pages say what the code does: whatever has a name that users meet is documented, links lead somewhere, and what
stands in the examples can be typed."""

import ast
import importlib
import json
import pkgutil
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer

import shared
from infra.cli.main import app
from infra.local.endpoints import Endpoints
from shared.bot.document import read_bot_file
from shared.bot.lint import lint
from shared.bot.node_types import NODE_TYPES
from shared.bot.problem import SENTENCES
from shared.conditions import parse_condition
from shared.conditions.operators import ALIASES, OPERATORS
from shared.engine.effects import EFFECTS
from shared.errors import MalgilError
from shared.net.effects import ERROR_NAMES
from shared.providers.fault import NAMES as PROVIDER_FAULTS
from shared.runtime import settings
from shared.scripting.call import ERROR_NAMES as SCRIPT_ERROR_NAMES
from shared.templates import RenderEnvironment, compile_data
from shared.templates.functions import CALLS
from shared.templates.operators import OPERATORS as TEMPLATE_OPERATORS
from shared.values import PrintsAs
from tests.contract.test_template import FOLDERS, FUNCTIONS, RESOURCES, TEMPLATE, environment

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "examples" / "README.md", *DOCS.rglob("*.md")])
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
MAKE_VARIABLES = set(re.findall(r"^([A-Z_]+) \?=", MAKEFILE, re.MULTILINE))
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`]+)`")
COMMAND = typer.main.get_command(app)


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def words(name: str) -> set[str]:
    """Everything that stands in `backticks` on a page."""
    return set(CODE.findall(prose(DOCS / name)))


def first_cells(name: str) -> set[str]:
    """What stands in backticks in the first column of the tables of a page."""
    return {code for row in re.findall(r"^\|([^|]*)\|", page(name), re.MULTILINE) for code in CODE.findall(row)}


def subclasses(kind: type[MalgilError]) -> Iterator[type[MalgilError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from subclasses(child)


def error_codes() -> set[str]:
    for module in pkgutil.walk_packages(shared.__path__, "shared."):
        importlib.import_module(module.name)
    return {kind.code for kind in subclasses(MalgilError) if kind.__module__.startswith("shared.")}


def failed_effects(path: Path) -> Iterator[str]:
    """Names that are written out where an effect fails: EffectFailed(name="...")."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "EffectFailed":
            for keyword in node.keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value)


def failure_names() -> set[str]:
    """Names of errors inside a conversation: first arguments of what makes them, wherever a text stands there."""
    makers = {"NodeFailed": 0, "fail": 0, "error_value": 0, "set_failure": 1}
    found = {name for path in (ROOT / "shared").rglob("*.py") for name in failed_effects(path)}
    for path in (ROOT / "shared" / "engine").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = makers.get(called)
            if place is None or len(node.args) <= place:
                continue
            name = node.args[place]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                found.add(name.value)
    known = {"InvalidRequestError", "NotSupportedError", "TemplateError"}
    return found | set(ERROR_NAMES.values()) | SCRIPT_ERROR_NAMES | PROVIDER_FAULTS | known


def event_names() -> set[str]:
    texts = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "shared").rglob("*.py"))
    found = re.findall(r"\"(?:bot\.)?((?:end_user|conversation|message)\.\w+|bot\.(?:updated|deleted))\"", texts)
    return {name if name.startswith("bot.") else f"bot.{name}" for name in found if not name.endswith(("text", "data"))}


def command_paths(group: Any = COMMAND, before: str = "malgil") -> Iterator[str]:
    for name, command in group.commands.items():
        path = f"{before} {name}"
        if hasattr(command, "commands"):
            yield from command_paths(command, path)
        else:
            yield path


def shell_lines(path: Path) -> Iterator[str]:
    for language, text in FENCE.findall(path.read_text(encoding="utf-8")):
        if language == "sh":
            yield from (line.split(" #")[0].strip() for line in text.splitlines() if line.strip())


def lines_that_run(*names: str) -> list[Any]:
    return [
        pytest.param(line, id=f"{path.relative_to(ROOT)}: {line}")
        for path in PAGES
        for line in shell_lines(path)
        if Path(next(word for word in line.split() if "=" not in word)).name in names
    ]


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"[`*]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    text = prose(path)
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


# ---- names


def test_every_setting_is_documented() -> None:
    names = {value for value in vars(settings).values() if isinstance(value, str) and re.fullmatch(r"[A-Z_]+", value)}
    assert names
    assert names <= words("configuration.md")


def test_every_variable_that_the_template_sets_is_documented() -> None:
    assert {name for function in FUNCTIONS for name in environment(function)} <= words("configuration.md")


def test_every_parameter_of_the_template_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([\w/]+)`? \|", page("configuration.md"), re.MULTILINE))
    for name, parameter in TEMPLATE["Parameters"].items():
        assert rows.get(name) == (str(parameter["Default"]) or "empty")


def test_every_make_variable_is_documented() -> None:
    assert words("configuration.md") >= MAKE_VARIABLES


def test_every_service_that_can_be_elsewhere_is_documented() -> None:
    elsewhere = {
        f"AWS_ENDPOINT_URL_{name}": "http://127.0.0.1:1"
        for name in (
            "BEDROCK_RUNTIME",
            "DYNAMODB",
            "DYNAMODB_STREAMS",
            "S3",
            "SECRETS_MANAGER",
            "SESV2",
            "SNS",
            "SQS",
        )
    }
    known = Endpoints.from_environment("http://embedded", "http://lambda", elsewhere).variables()
    assert elsewhere.items() <= known.items()
    assert elsewhere.keys() <= words("local-cloud.md")


def test_every_make_target_is_documented() -> None:
    assert {f"make {target}" for target in MAKE_TARGETS} <= first_cells("contributing.md")


def test_every_error_code_is_documented_and_no_other() -> None:
    documented = {cell for cell in first_cells("errors.md") if re.fullmatch(r"[a-z_]+", cell)}
    assert documented == error_codes()


def test_every_error_of_a_conversation_is_documented_and_no_other() -> None:
    documented = {cell for cell in first_cells("errors.md") if re.fullmatch(r"[A-Z]\w+", cell)}
    assert documented | {"NoMessage"} == failure_names()
    assert "NoMessage" in words("errors.md")


def test_every_node_type_is_documented_with_its_data() -> None:
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|([^|]*)\|$", page("bot-files.md"), re.MULTILINE)
    described = {name: does.strip() for name, _, does in rows}
    assert [name for name in NODE_TYPES if not described.get(name)] == []
    named = {word for cell in words("bot-files.md") for word in re.findall(r"\w+", cell)}
    for name in EFFECTS:
        assert getattr(NODE_TYPES[name].data, "fields", {}).keys() <= named


def test_every_lint_code_is_documented_with_its_severity() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (오류|경고) \|", page("bot-files.md"), re.MULTILINE))
    severities = {"error": "오류", "warning": "경고"}
    assert rows == {code: severities[severity] for code, (severity, _, _) in SENTENCES.items()}


def test_every_operator_of_conditions_is_documented() -> None:
    assert {*OPERATORS, "regex", *ALIASES} <= words("bot-files.md")


def test_every_helper_of_templates_is_documented() -> None:
    helpers = {*CALLS, *(name for name in TEMPLATE_OPERATORS if name.startswith("$"))}
    assert helpers <= first_cells("templates.md")
    assert any("{{lookup " in cell for cell in first_cells("templates.md"))


def test_every_event_is_documented_and_no_other() -> None:
    documented = {cell for cell in first_cells("events.md") if cell.startswith("bot.")}
    assert documented == event_names()


def test_every_alarm_is_documented_and_no_other() -> None:
    alarms = {name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::CloudWatch::Alarm"}
    assert {cell for cell in first_cells("operations.md") if cell.endswith("Alarm")} == alarms


def test_every_function_is_documented() -> None:
    assert set(CODE.findall(prose(ROOT / "README.md"))) >= FOLDERS


def test_every_command_is_documented() -> None:
    text = page("cli.md")
    paths = list(command_paths())
    assert len(paths) > 1
    assert [path for path in paths if not re.search(rf"^{path}\b", text, re.MULTILINE)] == []


# ---- links


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    text = prose(path)
    for link in LINK.findall(text):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, todo = set[Path](), [ROOT / "README.md"]
    while todo:
        path = todo.pop()
        if path in reached or path.suffix != ".md":
            continue
        reached.add(path)
        links = LINK.findall(prose(path))
        todo += [
            (path.parent / link.partition("#")[0]).resolve() for link in links if ":" not in link and link[0] != "#"
        ]
    assert reached == set(PAGES)


# ---- examples


@pytest.mark.parametrize("line", lines_that_run("malgil"))
def test_every_malgil_line_can_be_typed(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MALGIL_STACK", raising=False)
    arguments = shlex.split(line.partition(" < ")[0])[1:]  # what the shell reads is not typed to us
    for argument in arguments:
        if argument.endswith(".json"):
            file = tmp_path / argument
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("{}", encoding="utf-8")

    command: Any = COMMAND
    context = None
    while hasattr(command, "commands"):
        context = command.make_context(command.name, arguments, parent=context)
        _, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])
    command.make_context(command.name, arguments, parent=context)


@pytest.mark.parametrize("line", lines_that_run("make"))
def test_every_make_line_names_targets_and_variables_that_exist(line: str) -> None:
    given = shlex.split(line)
    given = given[given.index("make") + 1 :]
    assert {word for word in given if "=" not in word} <= MAKE_TARGETS
    assert {word.partition("=")[0] for word in given if "=" in word} <= MAKE_VARIABLES


@pytest.mark.parametrize("line", lines_that_run("python", "pytest"))
def test_every_python_line_names_what_is_there(line: str) -> None:
    given = shlex.split(line)[1:]
    if "-m" in given:
        assert importlib.util.find_spec(given[given.index("-m") + 1]) is not None
    for word in given:
        if "/" in word:
            assert (ROOT / word).exists()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_json_block_is_json(path: Path) -> None:
    for language, text in FENCE.findall(path.read_text(encoding="utf-8")):
        if language == "json":
            json.loads(text)


def json_blocks(name: str) -> list[Any]:
    return [json.loads(text) for language, text in FENCE.findall(page(name)) if language == "json"]


def test_the_bot_in_the_page_has_no_problem() -> None:
    bot = json_blocks("bot-files.md")[0]
    file = read_bot_file(json.dumps(bot).encode())
    assert [str(problem) for problem in lint(file.content, file.profile)] == []


def test_the_conditions_in_the_page_have_no_problem() -> None:
    conditions = json_blocks("bot-files.md")[1:]
    assert conditions
    for where in conditions:
        assert parse_condition(where).problems == ()


# ---- templates


ENVIRONMENT = RenderEnvironment(
    now_ms=int(datetime(2026, 11, 22, 5, tzinfo=UTC).timestamp() * 1000), random=lambda: 0.5, language="ko"
)
"""As the page says: 14:00 in Korea, chance 0.5."""


def page_context() -> dict[str, Any]:
    context: dict[str, Any] = json_blocks("templates.md")[0]
    return {**context, "message": PrintsAs(context["message"], "text")}


def template_examples() -> list[tuple[str, str]]:
    """The last two columns of the tables that end with template and result; a pipe is escaped inside a table."""
    rows = re.findall(r"\| `((?:[^`|]|\\\|)+)` \| `([^`]+)` \|$", page("templates.md"), re.MULTILINE)
    return [(template.replace(r"\|", "|"), result) for template, result in rows]


@pytest.mark.parametrize(("template", "result"), template_examples())
def test_every_example_of_a_template_gives_its_result(template: str, result: str) -> None:
    assert compile_data(template).render(page_context(), ENVIRONMENT) == result


def test_every_helper_has_an_example() -> None:
    shown = " ".join(template for template, _ in template_examples())
    assert [name for name in (*CALLS, *TEMPLATE_OPERATORS) if name not in shown] == []


def test_the_example_of_an_array_expansion_gives_its_result() -> None:
    _, given, expanded = json_blocks("templates.md")
    assert compile_data(given).render(page_context(), ENVIRONMENT) == expanded
