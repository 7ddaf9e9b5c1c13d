"""GET /webchat.js and its sisters: the built widget, the SDK, and the full page of a bot.

The files lie beside this module and are read once. What is asked for is looked up among their names: no path leads to
the disk.
"""

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from shared.errors import NotFound, Unavailable
from shared.ids import BOT_ID
from shared.runtime.http import Event, Reply, error_reply, header, is_known
from shared.runtime.settings import Settings

FILES: Final = Path(__file__).parent / "files"
PAGE: Final = "webchat/index.html"
FOR_EVER: Final = "public, max-age=31536000, immutable"
FOR_A_WHILE: Final = "public, max-age=300"
TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
PLAYERS: Final = ("https://www.youtube-nocookie.com", "https://player.vimeo.com")
"""Whose frames the page may show: of videos that somebody pressed, and nothing before."""
ZIPPED: Final = ".gz"
ENDING: Final = ".html"
"""Of pages; everything else is for scripts of other sites to read."""

_HASHED: Final = re.compile(r"(webchat/[a-z]+)\.[A-Za-z0-9]{8}(\.[a-z]+)")
_PAGE_PATH: Final = re.compile(rf"/webchat/(?:v2/)?{BOT_ID.pattern}", re.ASCII)
_GZIP: Final = re.compile(r"(?:^|,)\s*gzip\s*(?:;(?!\s*q=0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    name: str
    text: str
    zipped: str
    """Of the text, gzip and base64: what API Gateway takes for bytes."""
    tag: str
    """Weak: it is the same for both forms."""

    @classmethod
    def of(cls, name: str, content: bytes, zipped: bytes | None) -> "File":
        return cls(
            name=name,
            text=content.decode(),
            zipped=base64.b64encode(zipped or gzip.compress(content, mtime=0)).decode(),
            tag=f'W/"{hashlib.sha256(content).hexdigest()[:32]}"',
        )

    @property
    def ending(self) -> str:
        return Path(self.name).suffix


class Site:
    """The files of one build, by their names. The build puts a smaller `.gz` beside each than could be made here."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = {
            name: File.of(name, content, files.get(f"{name}{ZIPPED}"))
            for name, content in files.items()
            if Path(name).suffix in TYPES
        }
        self._newest = {found.groups(): name for name in self._files if (found := _HASHED.fullmatch(name))}

    @classmethod
    def read(cls, folder: Path) -> "Site":
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        return cls({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})

    def find(self, path: str) -> tuple[File, str]:
        """The file for a path and how long it may be kept. Raises NotFound; Unavailable when nothing was built."""
        if PAGE not in self._files:
            raise Unavailable("the web chat's files were not built: run `make web`, then deploy or start again")
        name = path.removeprefix("/")
        if name in self._files and name != PAGE:
            return self._files[name], FOR_EVER if _HASHED.fullmatch(name) else FOR_A_WHILE
        if _PAGE_PATH.fullmatch(path):
            return self._files[PAGE], FOR_A_WHILE
        # A page that was open during a deployment holds the names of the build before: it gets this one's, not nothing.
        hashed = _HASHED.fullmatch(name)
        newest = self._newest.get(hashed.groups()) if hashed else None
        if newest is None:
            raise NotFound("no such file")
        return self._files[newest], FOR_A_WHILE


SITE: Final = Site.read(FILES)


def handler(event: Event, context: Any) -> Reply:
    del context
    return answer(SITE, event)


def answer(site: Site, event: Event) -> Reply:
    try:
        file, kept = site.find(str(event.get("rawPath") or ""))
    except (NotFound, Unavailable) as exc:
        return error_reply(exc)
    headers = {
        "cache-control": kept,
        "etag": file.tag,
        "vary": "accept-encoding",
        "x-content-type-options": "nosniff",
        **({"content-security-policy": _policy()} if file.ending == ENDING else {"access-control-allow-origin": "*"}),
    }
    if is_known(event, file.tag):
        return {"statusCode": int(HTTPStatus.NOT_MODIFIED), "headers": headers, "body": ""}
    headers["content-type"] = TYPES[file.ending]
    if _GZIP.search(header(event, "accept-encoding") or ""):
        headers["content-encoding"] = "gzip"
        return {"statusCode": int(HTTPStatus.OK), "headers": headers, "body": file.zipped, "isBase64Encoded": True}
    return {"statusCode": int(HTTPStatus.OK), "headers": headers, "body": file.text}


def _policy() -> str:
    """What the page needs: its own scripts, the socket, the bucket of uploads, and media from wherever bots have them.
    Any site may show it in a frame, as CLOSER's customers do."""
    settings = Settings.of_process()
    socket = urlsplit(settings.socket_url)
    reached = ["'self'", *([f"{socket.scheme}://{socket.netloc}"] if socket.netloc else []), settings.upload_origin]
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"connect-src {' '.join(filter(None, reached))}",
            "img-src * data: blob:",
            "media-src *",
            f"frame-src {' '.join(PLAYERS)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
