"""A redirect is the server's wish: it is followed by the rules of the Fetch standard and never to less safety."""

import pytest

from shared.errors import BlockedAddress
from shared.net.headers import Headers
from shared.net.messages import PRIVATE_ADDRESS_MESSAGE, OutboundResponse
from shared.net.redirects import Hop, next_hop, redirect_location
from shared.net.url import parse_url

HEADERS: Headers = (
    ("Authorization", "Bearer secret"),
    ("cookie", "a=b"),
    ("Content-Type", "application/json"),
    ("X-Mine", "kept"),
)


def hop(method="POST", url="https://a.example/one?x=1"):
    return Hop(method=method, target=parse_url(url), headers=HEADERS, body=b"{}")


def names(following):
    return [name.lower() for name, _ in following.headers]


@pytest.mark.parametrize("status", [301, 302, 303])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_301_302_and_303_turn_into_a_get_without_the_body(status, method):
    following = next_hop(hop(method), status, "/two", frozenset())
    assert (following.method, following.body) == ("GET", b"")
    assert "content-type" not in names(following)


@pytest.mark.parametrize("status", [307, 308])
def test_307_and_308_repeat_method_and_body(status):
    following = next_hop(hop("PUT"), status, "/two", frozenset())
    assert (following.method, following.body) == ("PUT", b"{}")
    assert "content-type" in names(following)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_head_stays_head(status):
    assert next_hop(hop("HEAD"), status, "/two", frozenset()).method == "HEAD"


def test_secrets_stay_on_the_same_origin():
    following = next_hop(hop(), 307, "https://A.example:443/two", frozenset())
    assert {"authorization", "cookie", "x-mine"} <= set(names(following))


@pytest.mark.parametrize("location", ["https://b.example/", "https://a.example:8443/", "//b.example/"])
def test_secrets_are_dropped_where_the_origin_changes(location):
    following = next_hop(hop(), 307, location, frozenset())
    assert not {"authorization", "cookie"} & set(names(following))
    assert "x-mine" in names(following)


def test_secrets_are_dropped_from_http_to_https():
    following = next_hop(hop(url="http://a.example/"), 307, "https://a.example/", frozenset())
    assert not {"authorization", "cookie"} & set(names(following))


def test_https_never_becomes_http():
    with pytest.raises(BlockedAddress, match="https to http"):
        next_hop(hop(), 302, "http://a.example/", frozenset())


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("two", "https://a.example/two"),
        ("/two?y", "https://a.example/two?y"),
        ("?y", "https://a.example/one?y"),
        ("//b.example/two", "https://b.example/two"),
        ("/검색".encode().decode("latin-1"), "https://a.example/%EA%B2%80%EC%83%89"),
        ("/a b", "https://a.example/a%20b"),
        ("", "https://a.example/one?x=1"),
    ],
)
def test_a_location_is_relative_to_the_url_that_sent_it(location, url):
    assert next_hop(hop(), 302, location, frozenset()).target.url == url


@pytest.mark.parametrize(
    "location", ["http://169.254.169.254/", "//127.0.0.1/", "https://localhost/", "//metadata.internal"]
)
def test_a_location_in_a_private_network_is_refused(location):
    with pytest.raises(BlockedAddress, match=PRIVATE_ADDRESS_MESSAGE):
        next_hop(hop(), 302, location, frozenset())


@pytest.mark.parametrize(
    "location",
    [
        "https://[evil/",
        "javascript:alert(1)",
        "https://u:p@b.example/",
        "https://b.example:22/",
        "/\\b.example",
    ],
)
def test_a_location_that_would_be_refused_as_a_url_is_refused(location):
    with pytest.raises(BlockedAddress):
        next_hop(hop(), 302, location, frozenset())


@pytest.mark.parametrize(("status", "followed"), [(301, True), (308, True), (300, False), (304, False), (200, False)])
def test_only_redirects_have_a_location_to_follow(status, followed):
    response = OutboundResponse(status=status, headers=[("location", "/x")], body=b"", url="https://a.example/")
    assert redirect_location(response) == ("/x" if followed else None)


def test_a_redirect_without_a_location_is_an_answer():
    assert redirect_location(OutboundResponse(status=302, headers=[], body=b"", url="https://a.example/")) is None
