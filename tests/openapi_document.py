"""An OpenAPI document as tests use it: which routes it has, and whether a request or an answer is one it describes."""

import json
import re
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from samtranslator.yaml_helper import yaml_parse

JsonObject = dict[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
HERE = "urn:document"


class OpenApiDocument:
    """Raises when the file is no valid OpenAPI document."""

    def __init__(self, path: Path) -> None:
        self.content: JsonObject = yaml_parse(path.read_text(encoding="utf-8"))
        validate(self.content)
        self._registry: Registry[Any] = Registry().with_resource(HERE, DRAFT202012.create_resource(self.content))

    def routes(self) -> set[tuple[str, str]]:
        """(method, path) of every operation."""
        return {
            (method.upper(), path)
            for path, item in self.content["paths"].items()
            for method in METHODS
            if method in item
        }

    def describes(self, method: str, path: str) -> bool:
        return self._found(method, path) is not None

    def operation(self, method: str, path: str) -> JsonObject:
        """The operation that answers a path without its parameters in braces."""
        found = self._found(method, path)
        assert found is not None, f"{method} {path} is not described"
        return found

    def _found(self, method: str, path: str) -> JsonObject | None:
        return next(
            (
                item[method.lower()]
                for known, item in self.content["paths"].items()
                if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path) and method.lower() in item
            ),
            None,
        )

    def check_request(self, method: str, path: str, body: Any) -> None:
        """That the body is one that the document allows."""
        wanted = self._resolved(self.operation(method, path).get("requestBody", {}))
        if body is None:
            assert not wanted.get("required"), f"{method} {path} needs a body"
            return
        self._check(body, wanted["content"]["application/json"]["schema"])

    def check_answer(self, method: str, path: str, answer: JsonObject) -> None:
        """That status, headers and body are those that the document promises."""
        responses = self.operation(method, path)["responses"]
        status = str(answer["statusCode"])
        assert status in responses, f"{method} {path} may not answer {status}: {answer['body']}"
        promised = self._resolved(responses[status])
        for name, header in promised.get("headers", {}).items():
            if header.get("required"):
                self._check(answer["headers"].get(name), header["schema"])
        if "content" not in promised:
            assert answer["body"] == ""
            return
        assert answer["headers"]["content-type"].startswith("application/json")
        self._check(json.loads(answer["body"]), promised["content"]["application/json"]["schema"])

    def examples(self) -> list[tuple[Any, JsonObject]]:
        """(value, schema) of every example beside a schema."""
        found: list[tuple[Any, JsonObject]] = []

        def look(node: Any) -> None:
            if isinstance(node, dict):
                if "schema" in node and isinstance(node.get("examples"), dict):
                    found.extend((example["value"], node["schema"]) for example in node["examples"].values())
                for child in node.values():
                    look(child)
            elif isinstance(node, list):
                for child in node:
                    look(child)

        look(self.content)
        return found

    def check_example(self, value: Any, schema: JsonObject) -> None:
        self._check(value, schema)

    def _resolved(self, node: JsonObject) -> JsonObject:
        while "$ref" in node:
            name = node["$ref"]
            node = self._registry.resolver(HERE).lookup(name).contents
        return node

    def _check(self, value: Any, schema: JsonObject) -> None:
        absolute = json.loads(json.dumps(schema).replace('"$ref": "#/', f'"$ref": "{HERE}#/'))
        validator = Draft202012Validator(absolute, registry=self._registry, format_checker=FormatChecker())
        errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
        assert errors == [], f"{errors} in {json.dumps(value, ensure_ascii=False)[:500]}"
