"""template.yaml as CloudFormation would see it: SAM's own translator, then the values of intrinsic functions.

Nothing is skipped in silence: what this does not understand is an InvalidInput that names its place in one line.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from infra.local.embedded import ACCOUNT, REGION
from shared.errors import InvalidInput

STACK_NAME: Final = "malgil-local"
DEFAULT_PARAMETERS: Final = {"Stage": "local", "MailFrom": "bot@malgil.example", "ProjectorWindowSeconds": "1"}
"""Given to templates that have such a parameter, so that nothing that runs here calls itself production."""

_NO_VALUE: Final = object()
_VARIABLE: Final = re.compile(r"\$\{(!?)([A-Za-z0-9_.:]+)\}")
_ANY_CODE: Final = "s3://local/code"
_CODE_PROPERTY: Final = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


@dataclass(frozen=True)
class Template:
    """A translated template: plain CloudFormation, and where the code of each function lies."""

    path: Path
    resources: Mapping[str, dict[str, Any]]
    conditions: Mapping[str, Any]
    mappings: Mapping[str, Any]
    outputs: Mapping[str, Any]
    parameters: Mapping[str, Any]
    code: Mapping[str, Path]


def load_template(path: Path, parameters: Mapping[str, str] | None = None) -> Template:
    """Reads and translates a SAM template. Raises InvalidInput with one line that says what is wrong where."""
    try:
        document = yaml_parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidInput(f"{path}: there is no such template") from None
    except yaml.YAMLError as error:
        raise InvalidInput(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise InvalidInput(f"{path}: not a template: it has no Resources")
    values = _parameter_values(path, document.get("Parameters") or {}, parameters or {})
    code = _take_code(path, document)
    # The translator asks boto3 for a region, though it calls nothing.
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    try:
        translated = transform(document, dict(values), _NoManagedPolicies())
    except InvalidDocumentException as error:
        reasons = "; ".join(str(cause.message) for cause in error.causes)
        raise InvalidInput(f"{path}: {reasons}") from error
    return Template(
        path=path,
        resources=translated["Resources"],
        conditions=translated.get("Conditions") or {},
        mappings=translated.get("Mappings") or {},
        outputs=translated.get("Outputs") or {},
        parameters=values,
        code=code,
    )


class _NoManagedPolicies:
    """Managed policies are roles' business, and there are no roles here."""

    def load(self) -> dict[str, str]:
        return {}


def _parameter_values(path: Path, declared: dict[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise InvalidInput(f"{path}: there is no parameter {', '.join(unknown)}")
    chosen = {**DEFAULT_PARAMETERS, **given}
    values = {name: chosen.get(name, declaration.get("Default")) for name, declaration in declared.items()}
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise InvalidInput(f"{path}: parameter {', '.join(missing)} has no default: give --parameter {missing[0]}=...")
    for name, declaration in declared.items():
        if str(declaration.get("Type", "")).startswith("AWS::SSM"):
            raise InvalidInput(f"{path}: parameter {name}: the local cloud reads no parameter store")
    return values


def _take_code(path: Path, document: dict[str, Any]) -> dict[str, Path]:
    """Notes where each function's code lies; the translator itself only takes code that is uploaded."""
    shared = ((document.get("Globals") or {}).get("Function") or {}).get("CodeUri")
    code = {}
    for name, resource in document["Resources"].items():
        kind = resource.get("Type")
        if kind not in _CODE_PROPERTY:
            continue
        properties = resource.setdefault("Properties", {})
        location = properties.get(_CODE_PROPERTY[kind], shared)
        properties[_CODE_PROPERTY[kind]] = _ANY_CODE
        if kind == "AWS::Serverless::Function":
            if not isinstance(location, str) or not (path.parent / location).is_dir():
                raise InvalidInput(f"{path}: {name}: CodeUri must be a folder beside the template, not {location!r}")
            code[name] = (path.parent / location).resolve()
    return code


class Resolver:
    """Values of intrinsic functions. `reference` and `attribute` say what Ref and GetAtt of a resource are."""

    def __init__(
        self,
        template: Template,
        reference: Callable[[str], str],
        attribute: Callable[[str, str], str],
        region: str = REGION,
    ) -> None:
        self._template = template
        self._reference = reference
        self._attribute = attribute
        self._pseudo: dict[str, Any] = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": _NO_VALUE,
            "AWS::Partition": "aws",
            "AWS::Region": region,
            "AWS::StackId": f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{STACK_NAME}/local",
            "AWS::StackName": STACK_NAME,
            "AWS::URLSuffix": "amazonaws.com",
        }
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self.condition,
            "Fn::And": lambda argument: all(self._list(argument)),
            "Fn::Equals": lambda argument: self._equals(*self._list(argument)),
            "Fn::FindInMap": lambda argument: self._find_in_map(*self._list(argument)),
            "Fn::GetAtt": self._get_att,
            "Fn::If": lambda argument: self._any(argument[1 if self.condition(argument[0]) else 2]),
            "Fn::Join": lambda argument: str(argument[0]).join(str(part) for part in self._list(argument[1])),
            "Fn::Not": lambda argument: not self._list(argument)[0],
            "Fn::Or": lambda argument: any(self._list(argument)),
            "Fn::Select": lambda argument: self._list(self.value(argument[1]))[int(self.value(argument[0]))],
            "Fn::Split": lambda argument: str(self.value(argument[1])).split(argument[0]),
            "Fn::Sub": self._sub,
        }

    def value(self, source: Any) -> Any:
        """The value of a part of the template. Raises InvalidInput for an intrinsic function that is unknown here."""
        resolved = self._any(source)
        return None if resolved is _NO_VALUE else resolved

    def condition(self, name: str) -> bool:
        if name not in self._template.conditions:
            raise InvalidInput(f"{self._template.path}: there is no condition {name}")
        return bool(self.value(self._template.conditions[name]))

    def _any(self, source: Any) -> Any:
        if isinstance(source, list):
            return self._list(source)
        if not isinstance(source, dict):
            return source
        if len(source) == 1:
            ((name, argument),) = source.items()
            if name in self._functions:
                return self._functions[name](argument)
            if name.startswith("Fn::"):
                raise InvalidInput(f"{self._template.path}: {name} is not understood by the local cloud")
        values = {name: self._any(member) for name, member in source.items()}
        return {name: member for name, member in values.items() if member is not _NO_VALUE}

    def _list(self, source: Any) -> list[Any]:
        return [value for value in map(self._any, source) if value is not _NO_VALUE]

    def _ref(self, name: str) -> Any:
        if name in self._template.parameters:
            return self._template.parameters[name]
        if name in self._pseudo:
            return self._pseudo[name]
        return self._reference(name)

    def _get_att(self, argument: Any) -> str:
        resource, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._attribute(resource, str(self.value(attribute)))

    def _sub(self, argument: Any) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in variables:
                return str(self.value(variables[name]))
            return str(self._get_att(name) if "." in name else self._ref(name))

        return _VARIABLE.sub(replace, text)

    def _find_in_map(self, name: str, first: str, second: str) -> Any:
        try:
            return self._template.mappings[name][first][second]
        except KeyError:
            raise InvalidInput(f"{self._template.path}: there is no {name}.{first}.{second} in Mappings") from None

    @staticmethod
    def _equals(left: Any, right: Any) -> bool:
        return str(left) == str(right)
