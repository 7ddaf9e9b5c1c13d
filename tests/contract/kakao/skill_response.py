"""Kakao's documented limits as a check that every test of a skill response can use."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

SCHEMA = Path(__file__).with_name("skill_response.schema.json")
BODY_BYTES = 30_720


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _max_length(_validator: Any, limit: int, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and utf16_units(instance) > limit:
        yield ValidationError(f"{utf16_units(instance)} UTF-16 units, at most {limit}")


def _max_title_and_description(_validator: Any, limit: int, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    units = sum(utf16_units(instance.get(key, "")) for key in ("title", "description"))
    if units > limit:
        yield ValidationError(f"title and description have {units} UTF-16 units, at most {limit}")


@cache
def validator() -> Validator:
    own = {"maxLength": _max_length, "maxTitleAndDescription": _max_title_and_description}
    schema = json.loads(SCHEMA.read_text())
    return extend(Draft202012Validator, own)(schema)


def violations(body: Any) -> list[str]:
    """What Kakao could refuse in a skill response, each with its place; empty for a good one."""
    found = [f"{error.json_path}: {error.message}" for error in validator().iter_errors(body)]
    size = len(json.dumps(body, ensure_ascii=False).encode())
    return found if size <= BODY_BYTES else [*found, f"$: {size} bytes, at most {BODY_BYTES}"]
