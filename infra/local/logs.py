"""What functions print: to the console with the function's name, and to one file a function."""

import asyncio
from pathlib import Path
from typing import Final, TextIO

MAX_CHUNK_BYTES: Final = 64 * 1024


class Logs:
    """`console` None prints nothing. Used from one event loop."""

    def __init__(self, folder: Path, console: TextIO | None) -> None:
        self._folder = folder
        self._console = console
        self._folder.mkdir(parents=True, exist_ok=True)

    def write(self, function: str, text: str) -> None:
        """Lines of one function."""
        with (self._folder / f"{function}.log").open("a", encoding="utf-8") as log:
            log.write(text + "\n")
        if self._console is not None:
            self._console.writelines(f"[{function}] {line}\n" for line in text.splitlines())
            self._console.flush()

    def say(self, text: str) -> None:
        """A line of the local cloud itself."""
        if self._console is not None:
            self._console.write(text + "\n")
            self._console.flush()

    async def follow(self, function: str, stream: asyncio.StreamReader) -> None:
        """Writes whole lines as they come, until the stream ends."""
        rest = b""
        while chunk := await stream.read(MAX_CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if lines:
                self.write(function, b"\n".join(lines).decode(errors="replace"))
        if rest:
            self.write(function, rest.decode(errors="replace"))
