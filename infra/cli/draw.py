"""Turns on a terminal: bubbles as text and boxes, and everything that can be pressed with a number before it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.text import Text

JsonObject = dict[str, Any]

BOT: Final = "●"
BUBBLE_WIDTH: Final = 46
CAROUSEL_WIDTH: Final = 34
PIPED_WIDTH: Final = 120
_CONTROLS: Final = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}

ChoiceKind = Literal["button", "quick_reply", "list_item"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Something to press: `value` is the button as it was received, `hint` says what pressing it does elsewhere."""

    label: str
    value: JsonObject
    kind: ChoiceKind = "button"
    hint: str = ""


def safe(text: Any) -> str:
    """Text of a bot without the control characters that would move the cursor or change the terminal."""
    return str(text).translate(_CONTROLS)


def console() -> Console:
    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


@dataclass
class Screen:
    """Draws one turn and numbers its choices from 1 on."""

    console: Console = field(default_factory=console)
    choices: list[Choice] = field(default_factory=list)

    def clear(self) -> None:
        """Forget the choices: the next turn's are numbered from 1 again."""
        self.choices.clear()

    def choice(self, number: int) -> Choice | None:
        return self.choices[number - 1] if 1 <= number <= len(self.choices) else None

    def text(self, text: Any, *, speaker: str = BOT) -> None:
        first, *rest = safe(text).split("\n")
        self.line(f"{speaker} {first}")
        for line in rest:
            self.line(f"  {line}")

    def line(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style=style), soft_wrap=True)

    def buttons(self, choices: Sequence[Choice]) -> None:
        for text in self._numbered(choices):
            self.console.print(Text("  ") + text, soft_wrap=True)

    def quick_replies(self, choices: Sequence[Choice]) -> None:
        """The row of bubbles under a conversation."""
        if choices:
            self.console.print(Text("  ") + Text("  ").join(self._numbered(choices)), soft_wrap=True)

    def card(self, card: "Card") -> None:
        self.console.print(self._panel(card, BUBBLE_WIDTH))

    def carousel(self, cards: "Sequence[Card]") -> None:
        self.console.print(Columns([self._panel(card, CAROUSEL_WIDTH) for card in cards]))

    def _panel(self, card: "Card", width: int) -> Panel:
        parts: list[RenderableType] = [
            Text(safe(line), style="dim", no_wrap=True, overflow="ellipsis") for line in card.above
        ]
        if card.title:
            parts.append(Text(safe(card.title), style="bold"))
        parts += [Text(safe(line)) for line in card.lines if line]
        parts += self._numbered(card.choices)
        return Panel(Group(*parts), width=width)

    def _numbered(self, choices: Sequence[Choice]) -> list[Text]:
        drawn = []
        for choice in choices:
            self.choices.append(choice)
            text = Text(f"[{len(self.choices)}] ", style="cyan") + Text(safe(choice.label), style="default")
            drawn.append(text + Text(f" {safe(choice.hint)}", style="dim") if choice.hint else text)
        return drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """`above` stands dimmed over the title (pictures, prices); `lines` below it."""

    title: Any = ""
    lines: Sequence[Any] = ()
    above: Sequence[Any] = ()
    choices: Sequence[Choice] = ()
