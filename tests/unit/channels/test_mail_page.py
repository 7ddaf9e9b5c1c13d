"""The page behind a mail button leads to a mail address and nowhere else."""

import re

import pytest

from functions.mail_link import app
from shared.channels.kakao.links import mail_link
from shared.channels.mail_page import render_mail_page
from shared.errors import InvalidInput


def test_the_page_opens_the_mail_program_and_shows_the_address() -> None:
    page = render_mail_page("help@example.com?subject=배송 문의".replace(" ", "%20"))
    assert 'url=mailto:help@example.com?subject=%EB%B0%B0%EC%86%A1%20%EB%AC%B8%EC%9D%98"' in page.replace("&amp;", "&")
    assert ">help@example.com</a>" in page


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b@c",
        "javascript:alert(1)",
        "a@b.c\r\nSet-Cookie: x",
        'a"onmouseover=x@b.c',
        "<script>@b.c",
        "a@b.c?x=<script>",
        "x" * 2_000 + "@b.c",
        "https://evil.example/@x y",
    ],
)
def test_what_is_no_mail_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput):
        render_mail_page(address)


def test_the_buttons_link_leads_to_the_page() -> None:
    link = mail_link("https://bots.example.com/mail?to=", "help@example.com?subject=hi")
    assert link == "https://bots.example.com/mail?to=help%40example.com%3Fsubject%3Dhi"
    reply = app.handler({"queryStringParameters": {"to": "help@example.com?subject=hi"}}, None)
    assert reply["statusCode"] == 200
    assert reply["headers"]["content-type"].startswith("text/html")
    assert re.search(r'href="mailto:help@example.com\?subject=hi"', reply["body"])


def test_a_link_without_an_address_is_a_clear_400() -> None:
    assert app.handler({}, None)["statusCode"] == 400
