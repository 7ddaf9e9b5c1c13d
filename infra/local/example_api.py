"""The small company system behind the example bots: orders, products, table reservations and flowers, on loopback.

What a bot's HTTP nodes would meet in a real shop, with data that is always the same. The company's site is beside it.
"""

import asyncio
import json
import re
import zlib
from typing import Any, Final

from aiohttp import web

from infra.local.example_site import BOT, ExampleSite
from infra.local.kakao_callback import KakaoCallback
from shared.errors import InvalidInput

JsonObject = dict[str, Any]
Answer = tuple[int, JsonObject]

DEFAULT_URL: Final = "http://127.0.0.1:8789"
"""Where `make run` serves it unless told otherwise; the example bots call it there."""
MAX_BODY_BYTES: Final = 64 * 1024
FULL: Final = ("12월 24일", "19:00")
"""The one evening that is always booked out."""
BINDING_SECONDS: Final = 3.0
"""The florist looks for every stem before an order is taken: the slow call of the examples."""
SOLD_OUT: Final = "해바라기"
FLOWERS: Final = ["flowers", "orders"]

ORDERS: Final[dict[str, JsonObject]] = {
    "20261121001": {
        "number": "20261121-001",
        "customer": "김하늘",
        "items": [{"name": "겨울 이불 세트", "count": 1}, {"name": "극세사 베개 커버", "count": 2}],
        "total": 128_000,
        "status": "SHIPPING",
        "statusText": "배송 중이에요 (옥천 HUB 출발)",
        "trackingNo": "5500123400017",
        "arrivesAt": "2026-11-22T06:00:00Z",
    },
    "20261120002": {
        "number": "20261120-002",
        "customer": "이바다",
        "items": [{"name": "도자기 머그잔", "count": 4}],
        "total": 46_000,
        "status": "PREPARING",
        "statusText": "상품을 준비하고 있어요",
        "trackingNo": "",
        "arrivesAt": None,
    },
}

PICTURES: Final = "/pictures"
"""Of the site; whoever asks gets them with the address that was asked."""
PRODUCTS: Final[dict[str, JsonObject]] = {
    "blanket": {
        "id": "blanket",
        "name": "겨울 이불 세트",
        "price": 89_000,
        "summary": "거위털 80%, 가볍고 따뜻해요",
        "detail": "거위털 80%에 깃털 20%를 채운 퀸 사이즈 이불이에요. 찬물로 세탁기에 돌려도 괜찮아요.",
        "image": f"{PICTURES}/blanket.svg",
        "stock": 3,
    },
    "mug": {
        "id": "mug",
        "name": "도자기 머그잔",
        "price": 11_500,
        "summary": "이천에서 구운 머그잔",
        "detail": "이천 가마에서 하나씩 구워 색이 조금씩 달라요. 전자레인지에 써도 괜찮아요.",
        "image": f"{PICTURES}/mug.svg",
        "stock": 42,
    },
    "lamp": {
        "id": "lamp",
        "name": "한지 스탠드",
        "price": 64_000,
        "summary": "전주 한지로 만든 은은한 불빛",
        "detail": "전주 한지를 세 겹 바른 갓을 씌웠어요. 밝기는 세 단계로 바꿀 수 있어요.",
        "image": f"{PICTURES}/lamp.svg",
        "stock": 8,
    },
}


def answer(method: str, path: str, body: bytes = b"") -> Answer:
    """Status and JSON of a request; the same for the same request."""
    parts = [part for part in path.split("/") if part]
    if method == "GET" and parts[:1] == ["orders"] and len(parts) == 2:  # noqa: PLR2004 - /orders/{number}
        return _found(ORDERS.get(re.sub(r"\D", "", parts[1])), "order")
    if method == "GET" and parts == ["products"]:
        return 200, {"products": list(PRODUCTS.values())}
    if method == "GET" and parts[:1] == ["products"] and len(parts) == 2:  # noqa: PLR2004 - /products/{id}
        return _found(PRODUCTS.get(parts[1]), "product")
    if method == "POST" and parts == ["reservations"]:
        return _reserve(body)
    if method == "POST" and parts == FLOWERS:
        return _order_flowers(body)
    return 404, {"error": f"no {method} {path}"}


def seconds_of(method: str, path: str) -> float:
    """How long the system takes to answer."""
    return BINDING_SECONDS if method == "POST" and path.strip("/") == "/".join(FLOWERS) else 0.0


def _found(thing: JsonObject | None, kind: str) -> Answer:
    return (200, thing) if thing is not None else (404, {"error": f"no such {kind}"})


def _reserve(body: bytes) -> Answer:
    try:
        wanted = json.loads(body)
    except ValueError:
        return 400, {"error": "the body must be JSON"}
    if not isinstance(wanted, dict) or not {"name", "people", "date", "time", "phone"} <= wanted.keys():
        return 400, {"error": "name, people, date, time and phone are needed"}
    if (wanted["date"], wanted["time"]) == FULL:
        return 409, {"error": "no table at that time"}
    digits = re.sub(r"\D", "", str(wanted["phone"]))
    return 201, {"number": f"R{digits[-4:]}-{re.sub(r'[^0-9]', '', str(wanted['time']))}"}


def _order_flowers(body: bytes) -> Answer:
    """The same order has the same number, so one that is sent twice is no second bouquet."""
    try:
        wanted = json.loads(body)
    except ValueError:
        return 400, {"error": "the body must be JSON"}
    if not isinstance(wanted, dict) or not {"flower", "card", "total"} <= wanted.keys():
        return 400, {"error": "flower, card and total are needed"}
    if wanted["flower"] == SOLD_OUT:
        return 409, {"error": "sold out"}
    return 201, {"number": f"F{zlib.crc32(json.dumps(wanted, sort_keys=True).encode()) % 10_000:04}", **wanted}


async def _handle(request: web.Request) -> web.Response:
    body = await request.read()
    await asyncio.sleep(seconds_of(request.method, request.path))
    status, data = answer(request.method, request.path, body)
    text = json.dumps(data, ensure_ascii=False).replace(f'"{PICTURES}/', f'"{request.url.origin()}{PICTURES}/')
    return web.json_response(text=text, status=status)


def application(site: ExampleSite) -> web.Application:
    """The API and the site as an aiohttp application, and Kakao's callback server beside them."""

    async def handle(request: web.Request) -> web.Response:
        if request.method not in {"GET", "HEAD"}:
            return await _handle(request)
        try:
            page = site.find(request.path, request.query.get("bot", BOT))
        except InvalidInput as error:
            return web.Response(status=400, text=str(error))
        if page is None:
            return await _handle(request)
        headers = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
        return web.Response(text=page.text, content_type=page.content_type, charset="utf-8", headers=headers)

    app = web.Application(client_max_size=MAX_BODY_BYTES)
    KakaoCallback().add_to(app)
    app.router.add_route("*", "/{path:.*}", handle)
    return app
