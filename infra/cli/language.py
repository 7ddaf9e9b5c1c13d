"""Korean or English: what `--language` says, else what the terminal's locale says."""

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

import typer

LOCALE_VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
"""In the order in which POSIX asks them."""


class Language(StrEnum):
    KOREAN = "ko"
    ENGLISH = "en"


LanguageOption = Annotated[
    Language | None, typer.Option("--language", help="Language of the sentences; otherwise LANG decides.")
]


def of_environment(environment: Mapping[str, str]) -> Language:
    named = next((environment[name] for name in LOCALE_VARIABLES if environment.get(name)), "")
    return Language.KOREAN if named.lower().startswith("ko") else Language.ENGLISH


def chosen(option: Language | None) -> Language:
    return option or of_environment(os.environ)


def both(korean: str, english: str) -> str:
    """For what must be understood whatever the locale says."""
    return f"{korean} / {english}"
