"""The web channel over bots and logs in memory: pages on other sites, customers' servers, callers with a key."""

import json
from collections.abc import Mapping
from typing import Any

import jwt
import pytest

from functions.web_session import app
from shared.channels.web.images import Uploaded
from shared.channels.web.settings import WebSettings
from shared.channels.web.tokens import SigningKeys
from shared.errors import Conflict
from shared.runtime import wiring, world
from shared.services.published_bots import PublishedBots
from shared.services.rate_limit import RateLimit
from shared.services.web_session import WebSessions
from shared.services.web_tokens import WebTokens
from shared.services.web_uploads import WebUploads
from tests.api_world import a_call, api_keys
from tests.factories import NOW_MS, a_node, a_response, an_authoring, an_id_source
from tests.fakes import MemoryBots, MemoryDocuments, MemoryTurns

JsonObject = dict[str, Any]

SHOP = "https://shop.example"
BASE = "https://api.example"
NODES = [a_node(1, "entry", {}, 2), a_response(2, "hello", 3), a_node(3, "keyboard", {}, 2)]
FILE = json.dumps(
    {"title": "Shop", "description": "We sell", "flows": [{"id": 1, "title": "a", "nodes": NODES}]}
).encode()


class MemorySigningKeys:
    """The port SigningKeyRow."""

    def __init__(self) -> None:
        self.keys: SigningKeys | None = None
        self.reads = 0

    def get(self, deadline_ns: int | None = None) -> SigningKeys | None:
        self.reads += 1
        return self.keys

    def make(self, keys: SigningKeys, deadline_ns: int | None = None) -> SigningKeys:
        self.keys = self.keys or keys
        return self.keys

    def replace(self, before: SigningKeys, after: SigningKeys) -> None:
        if self.keys != before:
            raise Conflict("somebody else changed the signing keys")
        self.keys = after


class MemoryRates:
    """The port RateCounters."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, int], int] = {}
        self.calls = 0

    def add(self, name: str, window: int, count: int, *, expires_at_s: int, deadline_ns: int | None = None) -> int:
        self.calls += 1
        self.counts[name, window] = self.counts.get((name, window), 0) + count
        return self.counts[name, window]


class MemoryUploads:
    """The port UploadStore. `put` is what a browser does with the URL."""

    def __init__(self) -> None:
        self.promised: dict[str, tuple[str, str]] = {}
        self.objects: dict[str, Uploaded] = {}
        self.kept: set[str] = set()

    def put_url(
        self, key: str, *, content_type: str, size: int, base_url: str, seconds: int
    ) -> tuple[str, Mapping[str, str]]:
        self.promised[key] = (content_type, base_url)
        return f"https://bucket.example/{key}?signed", {"content-type": content_type}

    def put(self, url: str, content: bytes) -> str:
        key = url.removeprefix("https://bucket.example/").removesuffix("?signed")
        content_type, base_url = self.promised[key]
        self.objects[key] = Uploaded(head=content[:32], size=len(content), content_type=content_type, base_url=base_url)
        return key

    def get_url(self, key: str, *, content_type: str, seconds: int) -> str:
        return f"https://bucket.example/{key}?read"

    def look(self, key: str, count: int, deadline_ns: int | None = None) -> Uploaded | None:
        return self.objects.get(key)

    def keep(self, key: str, deadline_ns: int | None = None) -> None:
        self.kept.add(key)

    def delete_before(self, prefix: str, end: str) -> bool:
        for key in [key for key in self.objects if key.startswith(prefix) and key < end]:
            del self.objects[key]
        return True


class WebWorld:
    """`shop` is published and on; its pages are on every site unless `connect` says otherwise."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.ms = NOW_MS
        self.turns, self.rates, self.store = MemoryTurns(), MemoryRates(), MemoryUploads()
        self.bots, documents = MemoryBots(self.turns), MemoryDocuments()
        self.authoring = an_authoring(
            bots=self.bots, documents=documents, turns=self.turns, new_secret=world.new_secret
        )
        for bot_id in ("shop", "other"):
            self.authoring.import_file(bot_id, FILE)
            self.authoring.publish(bot_id)
            self.authoring.connect_web(bot_id, enabled=True)
        self.row = MemorySigningKeys()
        ids = an_id_source()
        self.tokens = self.other_tokens()
        self.published = PublishedBots(self.bots, lambda: 10**12 * self.bots.reads)
        self.sessions = WebSessions(published=self.published, turns=self.turns, tokens=self.tokens, random_key=ids)
        self.uploads = WebUploads(store=self.store, now_ms=lambda: self.ms, random_bytes=lambda count: b"\x01" * count)
        self.keys = api_keys()
        patch.setattr(wiring, "web_sessions", lambda: self.sessions)
        patch.setattr(wiring, "web_uploads", lambda: self.uploads)
        patch.setattr(wiring, "api_keys", lambda: self.keys)
        patch.setattr(wiring, "settings", _Settings)
        patch.setattr(world, "now_ms", lambda: self.ms)
        limits = {"_sessions_limit": app.SESSIONS_A_MINUTE, "_uploads_limit": app.UPLOADS_A_MINUTE}
        for name, limit in limits.items():
            made = RateLimit(self.rates, limit=limit, window_ms=60_000, free=5, now_ms=lambda: self.ms)
            patch.setattr(app, name, lambda made=made: made)

    def other_tokens(self) -> WebTokens:
        """Those of another process, which remembers the keys for itself."""
        return WebTokens(
            self.row, now_ms=lambda: self.ms, clock_ns=lambda: self.ms * 1_000_000, new_secret=world.new_secret
        )

    def connect(self, bot_id: str = "shop", **change: Any) -> WebSettings:
        return self.authoring.connect_web(bot_id, **change)

    def call(
        self, method: str, path: str, *, token: str | None = None, ip: str = "192.0.2.10", **more: Any
    ) -> JsonObject:
        origin = more.pop("origin", SHOP)
        headers = {**({} if origin is None else {"origin": origin}), **more.pop("headers", {})}
        event = a_call(method, f"/webchat/v1{path}", key=token, headers=headers, **more)
        event["requestContext"]["http"]["sourceIp"] = ip
        return app.handler(event, None)

    def open(
        self, *, key: str | None = None, origin: str | None = SHOP, ip: str = "192.0.2.10", **body: Any
    ) -> JsonObject:
        return self.call("POST", "/sessions", token=key, origin=origin, ip=ip, body={"botId": "shop", **body})

    def vouch(self, user_key: str, secret: str, key_id: str, **claims: Any) -> str:
        payload = {"sub": user_key, "aud": "shop", "exp": self.ms // 1_000 + 300, **claims}
        return jwt.encode(payload, secret, algorithm="HS256", headers={"kid": key_id})


class _Settings:
    upload_bucket = "uploads"
    socket_url = "wss://socket.example/prod"
