"""What a function answers to a batch."""

from collections.abc import Iterable
from typing import Any


def failed_items(answer: Any, identifiers: Iterable[str]) -> set[str] | None:
    """Which items a function reports as failed; None when its report is not valid, and all are to come back."""
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else answer
    if failures is None:
        return set()
    if not isinstance(failures, list) or not isinstance(answer, dict):
        return None
    failed = {str(failure.get("itemIdentifier")) if isinstance(failure, dict) else "" for failure in failures}
    return failed if failed <= set(identifiers) else None


def one_line(error: Any) -> str:
    """A function's error, for a log."""
    text = f"{error.get('errorType')}: {error.get('errorMessage')}" if isinstance(error, dict) else str(error)
    return " ".join(text.split())
