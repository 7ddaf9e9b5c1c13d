"""The open API over logs in memory: end users who talk to bots, the worker, and callers with a key. Every answer is
checked against docs/api/open-api.yaml."""

import json
from pathlib import Path
from typing import Any

from functions.open_api import app
from shared.conversation.identity import Identity, IdentityKind, IdentityPage
from shared.conversation.projection import SeenTurn, sightings
from shared.conversation.turn import Turn
from shared.conversation.unfinished import ReplyRoute
from shared.engine import HttpResponse
from shared.engine.inbound import Inbound, UserMessage
from shared.errors import InvalidInput
from shared.ids import log_key
from shared.runtime import wiring
from shared.runtime.api import Api
from shared.services.inbound import HandleInbound
from shared.services.open_api_reading import ReadOpenApi
from shared.services.open_api_writing import WriteOpenApi
from shared.services.published_bots import PublishedBots
from shared.services.request import Handled, Request
from shared.services.runnable_bots import CompiledBots
from shared.services.unfinished_walks import FinishWalks, WalkJob
from tests.api_world import a_call, api_keys
from tests.factories import NOW_MS, a_node, a_response, an_advance, an_authoring, an_id_source
from tests.fakes import MemoryBots, MemoryClaims, MemoryDocuments, MemoryQueue, MemoryTurns
from tests.openapi_document import OpenApiDocument

JsonObject = dict[str, Any]

DOCUMENT = OpenApiDocument(Path(__file__).parents[1] / "docs" / "api" / "open-api.yaml")
MS = 1_000_000
ALL_SCOPES = ("bots:read", "conversations:read", "conversations:write", "endusers:read")

GREETING: JsonObject = {
    "title": "꽃집",
    "description": "꽃을 팝니다",
    "flows": [
        {
            "id": 1,
            "title": "인사",
            "nodes": [
                a_node(1, "entry", {}, 2),
                a_response(2, "안녕하세요", 3),
                a_node(3, "keyboard", {}, 4),
                a_response(4, "들었어요: {{message}}", 3),
            ],
        },
        {
            "id": 2,
            "title": "상담",
            "nodes": [a_node(1, "entry", {}, 2), a_node(2, "manual", {}, 3), a_response(3, "취소")],
        },
        {
            "id": 3,
            "title": "주문",
            "nodes": [
                a_node(1, "entry", {}, 2),
                a_response(2, "잠시만요", 3),
                a_node(3, "fetch", {"uri": "https://api.example.com/order", "method": "POST"}, 4),
                a_response(4, "됐어요: {{fetch.status}}", 5),
                a_node(5, "keyboard", {}, 4),
            ],
        },
    ],
    "preference": {"entryFlowId": 1},
}


class MemoryIdentities:
    """The index as the projector would make it of all turns; its cursors are places in the list."""

    def __init__(self, turns: MemoryTurns) -> None:
        self.turns = turns
        self.behind: set[str] = set()
        """Logs that it does not know yet."""

    def _all(self) -> dict[str, Identity]:
        found: dict[str, Identity] = {}
        for key in sorted(self.turns.rows):
            turn = self.turns.get(*key)
            if turn is None or turn.log in self.behind or turn.log.startswith("_"):
                continue
            for sighting in sightings(seen(turn)):
                found[sighting.identity.public_id] = sighting.identity
        return found

    def get(self, public_id: str) -> Identity | None:
        return self._all().get(public_id)

    def page(
        self,
        bot_id: str,
        kind: IdentityKind,
        *,
        limit: int,
        cursor: str | None = None,
        from_ms: int | None = None,
        until_ms: int | None = None,
        platform: str | None = None,
    ) -> IdentityPage:
        if cursor is not None and not cursor.isdecimal():
            raise InvalidInput("cursor is none of a page of this list")
        rows = [
            row
            for row in self._all().values()
            if (row.bot_id, row.kind) == (bot_id, kind)
            and (from_ms or 0) <= row.seen_at_ms < (until_ms or 1 << 60)
            and platform in (None, row.platform)
        ]
        rows.sort(key=lambda row: (row.seen_at_ms, row.public_id), reverse=True)
        start = int(cursor or 0)
        has_more = start + limit < len(rows)
        return IdentityPage(items=tuple(rows[start : start + limit]), cursor=str(start + limit) if has_more else None)

    def delete(self, identity: Identity, *, at_ms: int | None = None) -> None:
        raise NotImplementedError


def seen(turn: Turn) -> SeenTurn:
    return SeenTurn(
        bot_id=turn.bot_id,
        log=turn.log,
        revision=turn.revision,
        commit=turn.commit,
        at_ms=turn.at_ms,
        platform=turn.platform,
        user_key=turn.user_key,
        first_contact_ms=turn.state.first_contact_ms,
        events=turn.events,
    )


class Company:
    """The company's system; who is asked too often is told so by the tests."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, effect: Any, attempt: Any) -> Any:
        self.calls.append(attempt.idempotency_key)
        return HttpResponse(status=200, url="", content_type="text/plain", body=b"ok")


class OpenApiWorld:
    """Bots, logs, keys and a clock that only the tests move."""

    def __init__(self, monkeypatch: Any) -> None:
        self.ms = NOW_MS
        self.turns, self.queue, self.claims = MemoryTurns(), MemoryQueue(), MemoryClaims()
        self.identities = MemoryIdentities(self.turns)
        self.company = Company()
        self.reports: list[Exception] = []
        self.next_index: int | None = None
        """Where "계속 보기" goes on, for all answers."""
        self.new_id = an_id_source()
        bots, documents = MemoryBots(self.turns), MemoryDocuments()
        self.authoring = an_authoring(
            turns=self.turns, bots=bots, documents=documents, now_ms=self.now_ms, new_id=self.new_id
        )
        self.runnable = CompiledBots(documents)
        self.published = PublishedBots(bots, lambda: self.ms * MS)
        self.advance = an_advance(
            self.turns,
            self.company,
            queue=self.queue,
            new_id=self.new_id,
            now_ms=self.now_ms,
            versions=self.runnable,
            paginate=lambda *args: self.next_index,
            report=self.reports.append,
        )
        self.handle_inbound = HandleInbound(
            turns=self.turns, advance=self.advance, claims=self.claims, now_ms=self.now_ms, report=self.reports.append
        )
        self.read = ReadOpenApi(
            bots=bots, runnable=self.runnable, turns=self.turns, identities=self.identities, now_ms=self.now_ms
        )
        self.write = WriteOpenApi(
            read=self.read,
            published=self.published,
            runnable=self.runnable,
            turns=self.turns,
            handle_inbound=self.handle_inbound,
            now_ms=self.now_ms,
        )
        self.keys = api_keys()
        self.key = self.keys.make(name="test", scopes=ALL_SCOPES)[1]
        monkeypatch.setattr(wiring, "read_open_api", lambda: self.read)
        monkeypatch.setattr(wiring, "write_open_api", lambda: self.write)
        monkeypatch.setattr(Api, "keys", property(lambda api: lambda: self.keys))  # the routes hold the API itself

    def now_ms(self) -> int:
        return self.ms

    def publish(self, document: JsonObject = GREETING, bot_id: str = "shop") -> str:
        self.authoring.import_file(bot_id, json.dumps(document).encode())
        self.authoring.publish(bot_id)
        return bot_id

    # ---- end users

    def hear(self, inbound: Inbound, platform: str = "web", user_key: str = "kim", bot_id: str = "shop") -> Handled:
        record = self.published.get(bot_id)
        assert record is not None
        assert record.published is not None
        return self.handle_inbound(
            Request(
                bot=self.runnable.load(record, record.published),
                platform=platform,
                user_key=user_key,
                inbound=inbound,
                route=ReplyRoute() if platform == "kakao" else None,
            )
        )

    def says(self, text: str, platform: str = "web", user_key: str = "kim", bot_id: str = "shop") -> list[str]:
        """What the end user is answered."""
        handled = self.hear(UserMessage(data={"type": "text", "text": text}), platform, user_key, bot_id)
        return [message["data"]["text"] for message in handled.messages]

    def work(self, platform: str = "web", user_key: str = "kim", bot_id: str = "shop") -> None:
        """The queue gives the worker a job."""
        self.ms += 1_000
        FinishWalks(
            published=self.published,
            runnable=self.runnable,
            turns=self.turns,
            advance=self.advance,
            claims=self.claims,
            post=lambda url, body, timeout_ms: "given",
            now_ms=self.now_ms,
            clock_ns=lambda: 0,
            sleep=lambda seconds: None,
            report=self.reports.append,
        )(WalkJob(bot_id=bot_id, platform=platform, user_key=user_key), 60_000 * MS)

    def log(self, platform: str = "web", user_key: str = "kim", bot_id: str = "shop") -> list[Turn]:
        return self.turns.log(bot_id, log_key(platform, user_key))

    def conversation_id(self, platform: str = "web", user_key: str = "kim") -> str:
        session = self.log(platform, user_key)[-1].state.session
        assert session is not None
        return session.conversation_id

    # ---- callers

    def get(self, path: str, **query: Any) -> Any:
        return self.ok("GET", path, query=query)

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        status, answer = self.call(method, path, body, **more)
        assert 200 <= status < 300, answer
        return answer

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str, str]:
        """Status, code and message of a refusal."""
        status, answer = self.call(method, path, body, **more)
        assert status >= 400, answer
        return status, answer["error"]["code"], answer["error"]["message"]

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: JsonObject | str | None = None,
        key: str | None = "",
        idempotency_key: str | None = None,
    ) -> tuple[int, Any]:
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        event = a_call(method, path, key=self.key if key == "" else key, body=body, query=query, headers=headers)
        answer = app.handler(event, None)
        content = json.loads(answer["body"])
        check_answer(method, path, answer)
        if body is not None and answer["statusCode"] < 300:
            DOCUMENT.check_request(method, path, json.loads(body) if isinstance(body, str) else body)
        return answer["statusCode"], content


def check_answer(method: str, path: str, answer: JsonObject) -> None:
    """An answer is as docs/api/open-api.yaml says; what it does not describe is not there."""
    if not DOCUMENT.describes(method, path):
        assert answer["statusCode"] in (404, 405)
        return
    DOCUMENT.check_answer(method, path, answer)
