"""How soon a large bot is ready: from its JSON, inflated, to a Bot that can take a first step."""

from typing import Any, Final

from bench.measure import PAIRS, Quantity, Row, Say, Subject, Worker, python_worker, rows
from bench.worker import Operations

LOAD: Final = Quantity(
    name="bot.load_3000_nodes.ms", unit="ms", better="lower", goal=15, of=lambda seconds: seconds * 1000
)
FLOWS: Final = 30
NODES_A_FLOW: Final = 100


def document() -> dict[str, Any]:
    """Flows in which menus, parameters and replies take turns, with what a builder adds to each node."""
    return {
        "flows": [
            {
                "id": flow,
                "title": f"흐름 {flow}",
                "data": {"entry": 1},
                "nodes": [node(number) for number in range(1, NODES_A_FLOW + 1)],
            }
            for flow in range(1, FLOWS + 1)
        ],
        "preference": {"entryFlowId": 1, "fallbackFlowId": 2},
    }


def node(number: int) -> dict[str, Any]:
    kind, data = (
        ("entry", {})
        if number == 1
        else ("keyboard", {"type": "buttons", "buttons": [{"type": "postback", "label": f"{i}번"} for i in range(5)]})
        if number % 3 == 0
        else ("parameter", {"type": "set", "set": [{"key": f"value{number}", "value": "{{message.text}}"}]})
        if number % 3 == 1
        else ("response", {"message": {"type": "text", "text": "{{params.name}} 님, 무엇을 도와드릴까요?"}})
    )
    following = number % NODES_A_FLOW + 1
    return {
        "id": number,
        "type": kind,
        "label": f"노드 {number}",
        "data": data,
        "meta": {"design": {"x": 230 * number, "y": 24}},
        "next": [{"nodeId": following, "where": {"message.text": {"contains": "배송"}}}, {"nodeId": following}],
    }


def ours() -> Operations:
    from shared.bot.document import content_bytes, read_content  # noqa: PLC0415
    from shared.bot.model import Bot  # noqa: PLC0415

    stored = content_bytes(document())

    def load() -> None:
        bot = Bot(read_content(stored), bot_id="large", version="v1")
        bot.entry_of(bot.entry_flow_id)

    return {"load": load}


def measure(say: Say) -> list[Row]:
    say("loading a bot of 3,000 nodes")
    with Worker(python_worker("bench.load:ours")) as worker:
        subject = Subject(worker, "load")
        return rows(LOAD, [subject.sample() for _ in range(PAIRS)], {})
