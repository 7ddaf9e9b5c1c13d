"""Steps of a tiny bot: a menu of five buttons, a condition, a parameter and a templated reply.

Each step parses the state from JSON and writes it as JSON again, as every turn of a conversation must; the trace is
always on. The peers do the same in the way of their own documentation; peers/ says what they leave out.
"""

import itertools
import json
from typing import Any, Final

from bench.measure import (
    CannotRun,
    Quantity,
    Row,
    Say,
    Worker,
    close_all,
    compare,
    node_worker,
    python_worker,
    rows,
    start_peers,
)
from bench.worker import Operations

STEPS: Final = Quantity(
    name="engine.step.per_s", unit="1/s", better="higher", goal=20_000, of=lambda seconds: 1 / seconds
)
MEMORY: Final = Quantity(name="engine.step.rss_mb", unit="MB", better="lower", goal=60)
PEER_COMMANDS: Final = {
    "xstate 5 pure transition": node_worker("xstate.mjs", "drawn"),
    "xstate 5 pure transition, folded into one": node_worker("xstate.mjs", "folded"),
    "botbuilder-dialogs": node_worker("botbuilder.mjs"),
}

LABELS: Final = ("배송 조회", "상품 보기", "교환·반품", "매장 안내", "상담원 연결")
NOW_MS: Final = 1_795_219_200_123


def document() -> dict[str, Any]:
    """The bot: entry -> menu -> (known label) parameter -> reply -> menu."""
    nodes = [
        {"id": 1, "type": "entry", "data": {}, "next": [{"nodeId": 2}]},
        {
            "id": 2,
            "type": "keyboard",
            "data": {"type": "buttons", "buttons": [{"type": "postback", "label": label} for label in LABELS]},
            "next": [{"nodeId": 3, "where": {"message.text": {"in": list(LABELS)}}}],
        },
        {
            "id": 3,
            "type": "parameter",
            "data": {"type": "set", "set": [{"key": "choice", "value": "{{message.text}}"}]},
            "next": [{"nodeId": 4}],
        },
        {
            "id": 4,
            "type": "response",
            "data": {"message": {"type": "text", "text": "{{params.name}} 님, {{params.choice}} 메뉴를 골랐어요."}},
            "next": [{"nodeId": 2}],
        },
    ]
    return {"flows": [{"id": 1, "nodes": nodes}], "preference": {"entryFlowId": 1}}


def ours() -> Operations:
    """Our step; the imports are the memory that is measured."""
    from shared.bot.model import Bot  # noqa: PLC0415
    from shared.engine import Session, Surroundings, step  # noqa: PLC0415
    from shared.engine.inbound import UserMessage  # noqa: PLC0415

    bot = Bot(document(), bot_id="tiny", version="v1")
    surroundings = Surroundings(
        platform="web",
        user_key="user-1",
        end_user_id="00000000-0000-5000-8000-000000000001",
        new_conversation_id="00000000-0000-4000-8000-000000000001",
        now_ms=NOW_MS,
        random=lambda: 0.0,
        clock_ns=lambda: 0,
        params={"name": "김민지"},
    )
    labels = itertools.cycle(LABELS)
    write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def answer(state: str | None, label: str) -> tuple[str, str]:
        session = None if state is None else Session.from_json(json.loads(state))
        result = step(bot, session, UserMessage(data={"type": "text", "text": label}), surroundings)
        if result.session is None:
            raise CannotRun("the tiny bot begins no conversation")
        said = result.messages[-1]["data"]["text"] if result.messages else ""
        return write(result.session.to_json()), said

    state, _ = answer(None, "안녕하세요")
    saved = [state]

    def one_step() -> None:
        label = next(labels)
        saved[0], said = answer(saved[0], label)
        if said != f"김민지 님, {label} 메뉴를 골랐어요.":
            raise CannotRun(f"the tiny bot says {said}")

    return {"step": one_step}


def measure(say: Say) -> list[Row]:
    say("engine: steps beside xstate 5 and botbuilder-dialogs")
    peers = start_peers(PEER_COMMANDS)
    try:
        with Worker(python_worker("bench.engine:ours")) as worker:
            own, theirs = compare("step", worker, peers)
            memory = worker.resident_megabytes()
            peer_memory = {
                name: [peer.resident_megabytes()] if isinstance(peer, Worker) else peer for name, peer in peers.items()
            }
    finally:
        close_all(peers)
    return rows(STEPS, own, theirs) + rows(MEMORY, [memory], peer_memory)
