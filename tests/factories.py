"""Things that tests need, each naming only what matters to the test."""

import itertools
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.bot.document import split_document
from shared.bot.model import Bot
from shared.engine import Surroundings
from shared.services.advance import Advance
from shared.services.authoring import Authoring
from shared.services.inbound import HandleInbound
from shared.services.ports import Turns
from shared.services.timed_effects import TimedEffects
from shared.services.turn_writer import TurnWriter
from shared.services.walks import Walks
from shared.usage.calendar import SEOUL
from tests.fakes import (
    MemoryBots,
    MemoryClaims,
    MemoryDocuments,
    MemoryQueue,
    MemoryTurns,
    OneBot,
    ScriptedEffects,
)

DATA = Path(__file__).parent / "data"
NOW_MS = 1_795_219_200_123
"""2026-11-21T00:00:00.123Z"""


def an_id_source() -> Callable[[], str]:
    """uuids that are the same in every run."""
    numbers = itertools.count(1)
    return lambda: str(uuid.UUID(int=next(numbers), version=4))


def a_bot(
    document: dict[str, Any] | None = None, *, nodes: list[dict[str, Any]] | None = None, **preference: Any
) -> Bot:
    """A bot of a document, or of one flow (id 1) with these nodes."""
    if document is None:
        document = {
            "title": "시험",
            "flows": [{"id": 1, "nodes": nodes or []}],
            "preference": {"entryFlowId": 1, **preference},
        }
    file = split_document(document)
    return Bot(file.content, bot_id="bot", version="v1", profile=file.profile)


def a_closer_bot(name: str) -> Bot:
    """One of CLOSER's exports."""
    file = split_document(json.loads((DATA / "closer" / name).read_text(encoding="utf-8")))
    return Bot(file.content, bot_id="closer", version="v1", profile=file.profile)


def surroundings(**overrides: Any) -> Surroundings:
    defaults: dict[str, Any] = {
        "platform": "web",
        "user_key": "user-1",
        "end_user_id": "00000000-0000-5000-8000-000000000001",
        "new_conversation_id": "00000000-0000-4000-8000-000000000001",
        "now_ms": NOW_MS,
        "random": lambda: 0.0,
        "clock_ns": lambda: 0,
    }
    return Surroundings(**{**defaults, **overrides})


def a_node(
    node_id: int, node_type: str, data: dict[str, Any] | None = None, *edges: Any, **more: Any
) -> dict[str, Any]:
    """A node whose edges are node ids, (node id, where) or (node id, where, priority)."""
    following = []
    for edge in edges:
        parts = edge if isinstance(edge, tuple) else (edge,)
        keys = dict(zip(("nodeId", "where", "priority"), parts, strict=False))
        following.append({key: value for key, value in keys.items() if value is not None})
    return {"id": node_id, "type": node_type, "data": data or {}, "next": following, **more}


def a_response(node_id: int, text: str, *edges: Any) -> dict[str, Any]:
    return a_node(node_id, "response", {"message": {"type": "text", "text": text}}, *edges)


def raise_fault(fault: Exception) -> None:
    """A report of our own fault that no test expects."""
    raise fault


def an_advance(turns: Turns | None = None, effects: Any = None, **overrides: Any) -> Advance:
    turns = MemoryTurns() if turns is None else turns
    clock_ns = overrides.pop("clock_ns", lambda: 0)
    now_ms = overrides.pop("now_ms", lambda: NOW_MS)
    new_id = overrides.pop("new_id", None) or an_id_source()
    walks = Walks(
        effects=overrides.pop("timed", None) or TimedEffects.of(effects or ScriptedEffects([]), clock_ns),
        now_ms=now_ms,
        clock_ns=clock_ns,
        random=overrides.pop("random", lambda: 0.0),
        new_id=new_id,
    )
    defaults: dict[str, Any] = {
        "turns": turns,
        "walks": walks,
        "writer": TurnWriter(turns=turns, new_id=new_id, calendar=overrides.pop("calendar", SEOUL)),
        "queue": MemoryQueue(),
        "versions": OneBot(),
        "paginate": lambda bot, route, messages, keyboard, revision: None,
        "now_ms": now_ms,
        "report": raise_fault,
    }
    return Advance(**{**defaults, **overrides})


def a_handle_inbound(turns: Turns | None = None, effects: Any = None, **overrides: Any) -> HandleInbound:
    claims = overrides.pop("claims", None) or MemoryClaims()
    advance = an_advance(turns, effects, **overrides)
    return HandleInbound(
        turns=advance.turns, advance=advance, claims=claims, now_ms=advance.now_ms, report=advance.report
    )


def an_authoring(**overrides: Any) -> Authoring:
    turns = overrides.pop("turns", MemoryTurns())
    secrets = itertools.count(1)
    defaults: dict[str, Any] = {
        "bots": MemoryBots(turns),
        "documents": MemoryDocuments(),
        "turns": turns,
        "now_ms": lambda: NOW_MS,
        "new_id": an_id_source(),
        "new_secret": lambda: f"secret-{next(secrets):04d}-abcdefghijklmnop",
    }
    return Authoring(**{**defaults, **overrides})
