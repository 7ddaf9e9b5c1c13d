"""Secrets in what is logged or shown to authors: known by the name of their key, shown as stars."""

import re
from typing import Any, Final

SECRET_KEY: Final = re.compile(r"(?i)authorization|cookie|token|secret|password|passwd|api[-_]?key")
STARS: Final = "***"


def without_secrets(value: Any) -> Any:
    """A copy of a JSON value in which whatever a key calls a secret is stars."""
    if isinstance(value, dict):
        return {key: STARS if SECRET_KEY.search(str(key)) else without_secrets(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return value
