"""The demo site in examples/site: a shop with the widget on it, the snippet generator, and every form of snippet on a
page of its own.

It is another site than the API's, as a customer's is. Pages are read when they are asked for, so that a changed one
shows at the next reload; what many pages share (parts/), and which installation and which bot they talk to, is put in
then.
"""

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.local.embedded import REPOSITORY
from shared.errors import InvalidInput
from shared.ids import BOT_ID

FOLDER: Final = REPOSITORY / "examples" / "site"
BOT: Final = "shop"
"""The bot of the pages; `?bot=` names another."""
INDEX: Final = "index.html"
TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Page:
    content_type: str
    text: str


@dataclass(frozen=True, slots=True)
class ExampleSite:
    """`host` is the API's address, `socket` the WebSocket API's."""

    host: str
    socket: str
    folder: Path = FOLDER

    def find(self, path: str, bot_id: str = BOT) -> Page | None:
        """What lies at a path, looked up among the files' names: no path leads out of the folder. Raises InvalidInput
        for what cannot be a bot's id."""
        files = {file.relative_to(self.folder).as_posix(): file for file in self.folder.rglob("*") if file.is_file()}
        name = path.strip("/")
        file = files.get(name) or files.get(f"{name}/{INDEX}".lstrip("/"))
        if file is None or file.suffix not in TYPES:
            return None
        if not BOT_ID.fullmatch(bot_id):
            raise InvalidInput("bot: up to 64 letters, digits, - and _ are expected")
        text = file.read_text(encoding="utf-8")
        for part in self.folder.glob("parts/*.part"):
            text = text.replace(f"{{{{{part.stem.upper()}}}}}", part.read_text(encoding="utf-8"))
        for place, value in {"{{HOST}}": self.host, "{{SOCKET}}": self.socket, "{{BOT}}": bot_id}.items():
            # The values have letters, digits and -_:/.[] alone: they are the same in HTML and in a script's text.
            text = text.replace(place, html.escape(value))
        return Page(TYPES[file.suffix], text)
