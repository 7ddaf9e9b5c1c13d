"""The demo site: what is served where, with which addresses in it."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from infra.local.example_api import PRODUCTS, application
from infra.local.example_site import FOLDER, ExampleSite
from shared.errors import InvalidInput

SITE = ExampleSite("http://127.0.0.1:1111", "ws://127.0.0.1:2222")
PAGES = sorted(FOLDER.rglob("*.html"))
CALLED = re.compile(r"(?:src|href)\s*=\s*[\"']([^\"']*)", re.IGNORECASE)

Answer = tuple[int, str, str]
"""Status, type and text."""


def asked(*paths: str, method: str = "GET") -> list[Answer]:
    async def ask() -> list[Answer]:
        async with TestClient(TestServer(application(SITE))) as client:
            answers = [await client.request(method, path) for path in paths]
            return [(each.status, each.content_type, await each.text()) for each in answers]

    return asyncio.run(ask())


def test_shop_generator_and_snippets_are_pages_with_the_addresses_of_this_cloud() -> None:
    for path in ("/", "/snippet.html", "/snippets/", "/snippets/v2-function.html", "/snippets/no-eval.html"):
        (status, kind, text), *_ = asked(path)
        assert (status, kind) == (200, "text/html"), path
        assert "{{" not in text
    assert "http://127.0.0.1:1111/webchat.js?botId=shop" in asked("/")[0][2]
    assert "http://127.0.0.1:1111 ws://127.0.0.1:2222" in asked("/snippets/no-eval.html")[0][2]


def test_scripts_styles_and_pictures_have_their_types() -> None:
    answers = asked("/assets/page.js", "/assets/site.css", "/pictures/mug.svg")
    assert [kind for _, kind, _ in answers] == ["text/javascript", "text/css", "image/svg+xml"]


def test_another_bot_is_named_in_the_query_and_nothing_else_can_be() -> None:
    assert "webchat.js','order'" in asked("/snippets/v2-alone.html?bot=order")[0][2]
    for hostile in ("%3Cscript%3E", "a'b", 'a"b', "", "a" * 65, "..%2F"):
        status, kind, text = asked(f"/snippets/v2-alone.html?bot={hostile}")[0]
        assert (status, kind, text) == (400, "text/plain", "bot: up to 64 letters, digits, - and _ are expected")
    with pytest.raises(InvalidInput):
        SITE.find("/", "</script>")


def test_no_path_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "secret.html").write_text("secret", encoding="utf-8")
    (tmp_path / "site" / "notes.md").write_text("no type", encoding="utf-8")
    site = ExampleSite("", "", tmp_path / "site")
    for path in (
        "/../secret.html",
        "/..%2fsecret.html",
        "//secret.html",
        str(tmp_path / "secret.html"),
        "/notes.md",
        "/",
    ):
        assert site.find(path) is None


def test_the_company_system_answers_beside_the_site() -> None:
    products, order, none = asked("/products", "/orders/20261121-001", "/nothing.html")
    assert (products[0], products[1]) == (200, "application/json")
    assert json.loads(order[2])["customer"] == "김하늘"
    assert none[0] == 404
    assert asked("/", method="POST")[0][0] == 404


def test_products_have_pictures_at_the_address_that_was_asked() -> None:
    async def ask() -> list[tuple[int, str]]:
        async with TestClient(TestServer(application(SITE))) as client:
            products = (await (await client.get("/products")).json())["products"]
            found = [await client.get(product["image"].removeprefix(str(client.make_url("/")))) for product in products]
            assert all(product["image"].startswith(str(client.make_url("/pictures/"))) for product in products)
            return [(each.status, each.content_type) for each in found]

    assert asyncio.run(ask()) == [(200, "image/svg+xml")] * len(PRODUCTS)


def test_the_shop_shows_the_products_that_the_company_system_has() -> None:
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    for product in PRODUCTS.values():
        card = page.partition(f'data-product="{product["id"]}"')[2].partition("</li>")[0]
        assert product["name"] in card
        assert product["summary"] in card
        assert f"{product['price']:,}원" in card
        assert product["image"] in card


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(FOLDER).as_posix())
def test_a_page_has_nothing_from_elsewhere_and_no_port_of_its_own(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for address in CALLED.findall(text):
        assert address.startswith(("/", "#", "data:", "{{HOST}}", "webchat")), address
        assert not address.startswith("//")
    assert not re.search(r"127\.0\.0\.1|localhost|:\d{4}\b", text)
    own = [address for address in CALLED.findall(text) if address.startswith("/")]
    assert [address for address in own if SITE.find(re.split(r"[?#]", address)[0]) is None] == []


def test_every_snippet_is_in_the_index() -> None:
    index = (FOLDER / "snippets" / "index.html").read_text(encoding="utf-8")
    pages = {page.name for page in PAGES if page.parent.name == "snippets"} - {"index.html"}
    assert set(re.findall(r"/snippets/([\w-]+\.html)", index)) == pages
