"""Data keys whose texts are not plain templates."""

from typing import Final

NO_KEYS: Final[frozenset[str]] = frozenset()
VERBATIM: Final[dict[str, frozenset[str]]] = {"sandbox": frozenset({"script"})}
"""Node type -> keys that are never templates: code has braces of its own."""
HTML: Final[dict[str, frozenset[str]]] = {"email": frozenset({"body"})}
"""Node type -> keys whose text becomes HTML: what `{{ }}` prints there is escaped."""
