"""Calls of the HTTP APIs as API Gateway hands them over, and keys in memory."""

import json
from typing import Any
from urllib.parse import urlencode

from shared.api_key import StoredKey
from shared.errors import Conflict
from shared.services.api_keys import ApiKeys

JsonObject = dict[str, Any]


class MemoryApiKeys:
    """The port ApiKeyRows."""

    def __init__(self) -> None:
        self.rows: dict[str, StoredKey] = {}

    def put(self, stored: StoredKey) -> None:
        if stored.key.key_id in self.rows:
            raise Conflict("the key exists already")
        self.rows[stored.key.key_id] = stored

    def get(self, key_id: str) -> StoredKey | None:
        return self.rows.get(key_id)

    def all(self) -> list[StoredKey]:
        return list(self.rows.values())

    def delete(self, key_id: str) -> None:
        self.rows.pop(key_id, None)


def api_keys(now_ms: int = 1_795_000_000_000) -> ApiKeys:
    """Keys in memory; each is made a millisecond after the one before."""
    count = iter(range(1_000_000))
    return ApiKeys(rows=MemoryApiKeys(), now_ms=lambda: now_ms + next(count), new_secret=lambda: f"{next(count):032d}")


def a_call(
    method: str,
    path: str,
    *,
    key: str | None = None,
    body: Any = None,
    query: JsonObject | str | None = None,
    headers: dict[str, str] | None = None,
) -> JsonObject:
    """An event of the HTTP API, payload format 2.0. `body` is JSON, or text as it is; `key` the text of an API key."""
    given = {"host": "api.example", **(headers or {})}
    if key is not None:
        given["authorization"] = f"Bearer {key}"
    text = query if isinstance(query, str) else urlencode(query or {})
    return {
        "version": "2.0",
        "routeKey": "ANY /api/{proxy+}",
        "rawPath": path,
        "rawQueryString": text,
        "headers": given,
        "requestContext": {
            "domainName": "api.example",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.10"},
            "stage": "$default",
        },
        **({} if body is None else {"body": body if isinstance(body, str) else json.dumps(body)}),
        "isBase64Encoded": False,
    }


def json_of(answer: JsonObject) -> Any:
    return json.loads(answer["body"])
