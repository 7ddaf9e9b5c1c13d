"""What an examination finds: a state, a sentence, and what to do about it, each in Korean and English."""

from dataclasses import dataclass
from typing import Final, Literal

from infra.cli.language import both

State = Literal["good", "doubtful", "broken", "ask"]
"""ask: only a person can see it (the admin centre of KakaoTalk has no API)."""
MARKS: Final[dict[State, tuple[str, str]]] = {
    "good": ("✓", "green"),
    "doubtful": ("!", "yellow"),
    "broken": ("✗", "red"),
    "ask": ("□", ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor. `remedy` is what to do; empty when nothing is."""

    state: State
    what: str
    remedy: str = ""


def good(korean: str, english: str) -> Finding:
    return Finding(state="good", what=both(korean, english))


def doubtful(korean: str, english: str, remedy: str) -> Finding:
    return Finding(state="doubtful", what=both(korean, english), remedy=remedy)


def broken(korean: str, english: str, remedy: str) -> Finding:
    return Finding(state="broken", what=both(korean, english), remedy=remedy)


def ask(korean: str, english: str) -> Finding:
    return Finding(state="ask", what=both(korean, english))
