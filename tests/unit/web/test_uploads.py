import pytest

from shared.channels.web.images import content_type_of
from shared.channels.web.tokens import Claims
from shared.conversation.erasure import Erasure
from shared.errors import InvalidInput
from shared.services.web_uploads import NotAPicture
from tests.api_world import json_of
from tests.web_session_world import BASE

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(100)
GIF = b"GIF89a" + bytes(100)
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(100)
BMP = (
    b"BM"
    + (134).to_bytes(4, "little")
    + bytes(4)
    + (54).to_bytes(4, "little")
    + (40).to_bytes(4, "little")
    + bytes(116)
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PDF = b"%PDF-1.7\n" + bytes(100)
HTML = b"<!doctype html><script>alert(1)</script>"


@pytest.fixture
def kim(web):
    return json_of(web.open(userKey="kim"))


def claims_of(web, session) -> Claims:
    return web.tokens.parse(session["token"])


def ask(web, session, **change):
    body = {"name": "photo.png", "contentType": "image/png", "size": len(PNG), **change}
    return web.call("POST", "/uploads", token=session["token"], body=body)


def upload(web, session, content: bytes, content_type="image/png") -> str:
    """The address of what a browser has put."""
    place = json_of(ask(web, session, contentType=content_type, size=len(content)))
    web.store.put(place["uploadUrl"], content)
    return place["media"]["uri"]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(PNG, "image/png"), (GIF, "image/gif"), (JPEG, "image/jpeg"), (WEBP, "image/webp"), (BMP, "image/bmp")],
)
def test_a_picture_that_a_message_names_is_kept(web, kim, content, content_type):
    uri = upload(web, kim, content, content_type)
    assert web.uploads.accept(claims_of(web, kim), uri)
    assert web.store.kept == set(web.store.objects)


def test_an_upload_has_an_address_of_its_own(web, kim):
    answer = ask(web, kim)
    place = json_of(answer)
    assert answer["statusCode"] == 201
    assert place["media"]["contentType"] == "image"
    assert place["media"]["uri"].startswith(f"{BASE}/webchat/v1/uploads/shop.")
    assert place["headers"]["content-type"] == "image/png"
    path = place["media"]["uri"].removeprefix(f"{BASE}/webchat/v1")
    seen = web.call("GET", path, origin=None)
    assert seen["statusCode"] == 302
    assert seen["headers"]["location"] == place["uploadUrl"].replace("?signed", "?read")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"size": 12 * 1024 * 1024}, "body.size"),
        ({"size": 10 * 1024 * 1024 + 1}, "body.size"),
        ({"size": 0}, "body.size"),
        ({"size": -1}, "body.size"),
        ({"size": None}, "body.size"),
        ({"contentType": "image/svg+xml"}, "body.contentType"),
        ({"contentType": "text/html"}, "body.contentType"),
        ({"contentType": "image/png; charset=utf-8"}, "body.contentType"),
        ({"name": ""}, "body.name"),
        ({"name": "x" * 256}, "body.name"),
        ({"key": "u/other"}, "body.key"),
    ],
)
def test_what_is_not_taken_gets_no_place(web, kim, change, where):
    answer = ask(web, kim, **change)
    assert answer["statusCode"] == 400
    assert json_of(answer)["error"]["message"].startswith(f"{where}:")
    assert web.store.promised == {}


def test_an_image_of_exactly_the_limit_gets_a_place(web, kim):
    assert ask(web, kim, size=10 * 1024 * 1024)["statusCode"] == 201


@pytest.mark.parametrize(
    "content", [SVG, PDF, HTML, b"BM<script>alert(1)</script>" + bytes(50), b"PNG", b"\x00" * 40, JPEG]
)
def test_a_file_that_is_only_called_png_is_refused(web, kim, content):
    uri = upload(web, kim, content)
    with pytest.raises(NotAPicture, match=r"^data\.media\.uri: "):
        web.uploads.accept(claims_of(web, kim), uri)
    assert web.store.kept == set()


def test_a_file_that_grew_on_its_way_is_refused(web, kim):
    uri = upload(web, kim, PNG)
    (key,) = web.store.objects
    web.store.put(f"https://bucket.example/{key}?signed", PNG + bytes(12 * 1024 * 1024))
    with pytest.raises(InvalidInput, match="at most 10485760"):
        web.uploads.accept(claims_of(web, kim), uri)


def test_nobody_sends_what_somebody_else_uploaded(web, kim):
    uri = upload(web, kim, PNG)
    lee = claims_of(web, json_of(web.open(userKey="lee")))
    with pytest.raises(InvalidInput, match="not this end user's"):
        web.uploads.accept(lee, uri)


def test_what_was_never_put_cannot_be_named(web, kim):
    uri = json_of(ask(web, kim))["media"]["uri"]
    with pytest.raises(InvalidInput, match="nothing was uploaded"):
        web.uploads.accept(claims_of(web, kim), uri)


def test_an_address_elsewhere_is_none_of_ours_even_if_it_ends_like_one(web, kim):
    uri = upload(web, kim, PNG)
    for other in (uri.replace("api.example", "evil.example"), "https://cdn.example/a.png", f"{uri}?x", f"{uri}/.."):
        assert not web.uploads.accept(claims_of(web, kim), other)


@pytest.mark.parametrize(
    "name", ["x", "shop.abc.1.png", "..%2f", "shop." + "a" * 16 + "." + "0" * 15 + "f" * 32 + ".svg"]
)
def test_what_is_no_uploads_name_is_not_found(web, name):
    assert web.call("GET", f"/uploads/{name}")["statusCode"] == 404


@pytest.mark.parametrize("token", [None, "", "x", "mgk_" + "0" * 32])
def test_who_has_no_token_gets_no_place(web, token):
    answer = web.call("POST", "/uploads", token=token, body={"name": "a", "contentType": "image/png", "size": 1})
    assert (answer["statusCode"], json_of(answer)["error"]["code"]) == (401, "access_denied")
    assert answer["headers"]["www-authenticate"] == "Bearer"


def test_a_token_that_has_ended_is_told_from_a_wrong_one(web, kim):
    web.ms += 3_700_000
    answer = ask(web, kim)
    assert (answer["statusCode"], json_of(answer)["error"]["code"]) == (401, "expired")


def test_a_bot_may_take_no_uploads(web, kim):
    record = web.bots.records["shop"]
    record.channels["web"]["uploads"] = False
    assert ask(web, kim)["statusCode"] == 404


def test_one_end_user_uploads_twenty_pictures_a_minute(web, kim):
    assert [ask(web, kim)["statusCode"] for _ in range(21)] == [201] * 20 + [429]


def test_an_erasure_deletes_what_is_older_and_nobody_elses(web, kim):
    lee = json_of(web.open(userKey="lee"))
    upload(web, kim, PNG)
    upload(web, lee, PNG)
    web.ms += 1
    erasure = Erasure(
        erasure_id="e",
        bot_id="shop",
        end_user_id=kim["endUserId"],
        log=claims_of(web, kim).log,
        revision=2,
        sequence=1,
        requested_by="test",
        requested_at_ms=web.ms,
    )
    newer = upload(web, kim, PNG)
    assert web.uploads.erase(erasure)
    left = [key.split("/")[2] for key in web.store.objects]
    assert sorted(left) == sorted([claims_of(web, lee).log, erasure.log])
    assert web.uploads.accept(claims_of(web, kim), newer)


def test_svg_is_no_picture_whatever_it_begins_with():
    assert content_type_of(SVG) is None
    assert content_type_of(b"\xef\xbb\xbf" + SVG) is None
