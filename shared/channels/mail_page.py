"""The page behind a mail button: KakaoTalk opens web links only, so this one opens the mail program."""

import re
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from shared.errors import InvalidInput

if TYPE_CHECKING:
    from jinja2 import Template

MAX_ADDRESS: Final = 2_000
"""Characters, with subject and body: what mail programs and browsers take in a link."""
ADDRESS: Final = re.compile(r"[^\s@?&<>\"]{1,128}@[^\s@?&<>\"]{1,253}(?:\?[^\s<>\"]*)?")
SAFE: Final = "@?&=.,;:!$'()*+-_~%"

PAGE: Final = """<!doctype html>
<html lang="ko">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=mailto:{{ link }}">
<title>메일 보내기 · Send mail</title>
<style>
  body { font: 1.05rem/1.6 system-ui, sans-serif; margin: 3rem auto; max-width: 30rem; padding: 0 1.2rem }
  a { color: #0b6b55; font-weight: 600; overflow-wrap: anywhere }
</style>
<p>메일 앱이 열리지 않으면 주소를 눌러 주세요.<br><span lang="en">If no mail program opens, tap the address.</span></p>
<p><a href="mailto:{{ link }}">{{ shown }}</a></p>
</html>
"""

HEADERS: Final = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "public, max-age=86400",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}


@cache
def _template() -> "Template":
    from jinja2 import Environment  # noqa: PLC0415 - 40 ms that only this page pays

    return Environment(autoescape=True).from_string(PAGE)


def render_mail_page(address: str) -> str:
    """The page for `address`, what follows `mailto:` (a recipient, perhaps with a subject).

    Raises InvalidInput for what is no mail address: the page leads nowhere else.
    """
    address = address.strip()
    if len(address) > MAX_ADDRESS or not ADDRESS.fullmatch(address):
        raise InvalidInput("to: a mail address is expected")
    return _template().render(link=quote(address, safe=SAFE), shown=address.partition("?")[0])
