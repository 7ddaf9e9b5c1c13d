"""Masked text: the end user reads it, everybody else sees ***, at once or after a while (MASK in docs/templates.md)."""

from typing import Any, Final

from shared.templates import MaskedText

JsonObject = dict[str, Any]
MaskRange = dict[str, Any]
"""{path: keys and indices into the message's data, start, end: code points, until: epoch ms or None}"""

STARS: Final = "***"
"""Always three, so that the length tells nothing."""


def take_masks(data: Any, now_ms: int) -> tuple[Any, list[MaskRange]]:
    """Message data as plain JSON, and where in it masked text stands."""
    ranges: list[MaskRange] = []
    return _take(data, [], now_ms, ranges), ranges


def _take(value: Any, path: list[str | int], now_ms: int, ranges: list[MaskRange]) -> Any:
    if isinstance(value, MaskedText):
        for mask in value.masks:
            until = None if mask.after_ms is None else now_ms + mask.after_ms
            ranges.append({"path": path.copy(), "start": mask.start, "end": mask.end, "until": until})
        return str(value)
    if isinstance(value, dict):
        return {key: _take(item, [*path, key], now_ms, ranges) for key, item in value.items()}
    if isinstance(value, list):
        return [_take(item, [*path, index], now_ms, ranges) for index, item in enumerate(value)]
    return value


def apply_masks(data: Any, ranges: list[MaskRange], now_ms: int) -> Any:
    """The data as anybody but the end user may see it now."""
    due = [mask for mask in ranges if mask["until"] is None or mask["until"] <= now_ms]
    for mask in sorted(
        due, key=lambda mask: -mask["start"]
    ):  # from the end, so that earlier ranges stay where they are
        data = _replace(data, mask["path"], mask["start"], mask["end"])
    return data


def _replace(value: Any, path: list[str | int], start: int, end: int) -> Any:
    if not path:
        return f"{value[:start]}{STARS}{value[end:]}"
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_replace(item, rest, start, end) if index == step else item for index, item in enumerate(value)]
    return {key: _replace(item, rest, start, end) if key == step else item for key, item in value.items()}
