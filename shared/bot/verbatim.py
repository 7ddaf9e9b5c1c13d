"""Data keys that are never templates: code has braces of its own."""

from typing import Final

VERBATIM: Final[dict[str, frozenset[str]]] = {"sandbox": frozenset({"script"})}
"""Node type -> keys."""
