"""Templates beside the Handlebars of others: one value, 2 KB with loops, and 2 KB that nobody has compiled yet.

Only what all of them know is used. "Cold" parses, compiles and renders, as the first turn after a deployment does.
"""

import json
from pathlib import Path
from typing import Any, Final

from bench.measure import (
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

MICROSECONDS: Final = 1e6
OPERATIONS: Final = {
    "hello": Quantity(
        name="template.hello.us", unit="µs", better="lower", goal=2, of=lambda seconds: seconds * MICROSECONDS
    ),
    "large": Quantity(
        name="template.2kb.us", unit="µs", better="lower", goal=40, of=lambda seconds: seconds * MICROSECONDS
    ),
    "cold": Quantity(
        name="template.2kb_cold.us", unit="µs", better="lower", goal=1000, of=lambda seconds: seconds * MICROSECONDS
    ),
}

HELLO: Final = "안녕하세요, {{name}} 님!"
LARGE: Final = (Path(__file__).parent / "template_2kb.hbs").read_text(encoding="utf-8")
"""2 KB of UTF-8, mostly prose, with three loops: an order's notice as shops send it."""
CONTEXT: Final[dict[str, Any]] = {
    "name": "김민지",
    "customer": {"name": "김민지", "phone": "010-1234-5678"},
    "order": {
        "id": "20261121-004512",
        "date": "2026-11-21",
        "items": [
            {"name": "무선 청소기", "count": 1, "price": 239000, "gift": False},
            {"name": "필터 세트", "count": 2, "price": 18000, "gift": True},
            {"name": "거치대", "count": 1, "price": 32000, "gift": False},
        ],
        "address": {"city": "서울시 마포구", "street": "월드컵북로 396"},
        "notes": ["부재 시 문 앞", "오전 배송"],
    },
    "shop": {
        "name": "말길상점",
        "phone": "1588-0000",
        "url": "https://shop.example.com",
        "fee": 6000,
        "steps": ["신청서를 씁니다", "택배 기사님이 찾아갑니다", "확인하고 환불해 드립니다"],
        "hours": {"open": "09:00", "close": "18:00"},
    },
}
GREETING: Final = "안녕하세요, 김민지 님!"


def checked(operations: Operations) -> Operations:
    """The operations, after a look at what they render."""
    if operations["hello"]() != GREETING or "필터 세트 2개, 18000원 (선물 포장)" not in operations["large"]():
        raise ImportError("it renders something else")
    return operations


def ours() -> Operations:
    from shared.templates import RenderEnvironment, parse_template  # noqa: PLC0415

    environment = RenderEnvironment(now_ms=1_795_219_200_123, random=lambda: 0.0)
    hello, large = parse_template(HELLO), parse_template(LARGE)
    return checked(
        {
            "hello": lambda: hello.render(CONTEXT, environment),
            "large": lambda: large.render(CONTEXT, environment),
            "cold": lambda: parse_template(LARGE).render(CONTEXT, environment),
        }
    )


def pybars4() -> Operations:
    from pybars import Compiler  # noqa: PLC0415

    compiler = Compiler()
    hello, large = compiler.compile(HELLO), compiler.compile(LARGE)
    return checked(
        {
            "hello": lambda: str(hello(CONTEXT)),
            "large": lambda: str(large(CONTEXT)),
            "cold": lambda: str(Compiler().compile(LARGE)(CONTEXT)),
        }
    )


def pyhandlebars() -> Operations:
    """Not among the locked requirements: there are no wheels of it for every system. Install it to compare."""
    from pyhandlebars import PyHandlebars, Template  # type: ignore[import-not-found]  # noqa: PLC0415

    client = PyHandlebars()
    hello, large = Template(HELLO, client=client), Template(LARGE, client=client)
    return checked(
        {
            "hello": lambda: hello.format(CONTEXT),
            "large": lambda: large.format(CONTEXT),
            "cold": lambda: Template(LARGE, client=PyHandlebars()).format(CONTEXT),
        }
    )


def node_input() -> str:
    """What node's handlebars renders, as JSON: handed over, so that it stands in one place."""
    return json.dumps({"hello": HELLO, "large": LARGE, "context": CONTEXT, "greeting": GREETING})


def peer_commands() -> dict[str, list[str]]:
    return {
        "node handlebars": node_worker("handlebars.mjs", node_input()),
        "pybars4": python_worker("bench.templates:pybars4"),
        "pyhandlebars": python_worker("bench.templates:pyhandlebars"),
    }


def measure(say: Say) -> list[Row]:
    peers = start_peers(peer_commands())
    measured: list[Row] = []
    try:
        with Worker(python_worker("bench.templates:ours")) as worker:
            for operation, quantity in OPERATIONS.items():
                say(f"templates: {operation}")
                own, theirs = compare(operation, worker, peers)
                measured += rows(quantity, own, theirs)
    finally:
        close_all(peers)
    return measured
