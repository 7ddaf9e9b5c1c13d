"""URLs are read once and strictly; what leads to a private network by its looks is refused before any look-up."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BlockedAddress
from shared.net.messages import PRIVATE_ADDRESS_MESSAGE
from shared.net.url import ALLOWED_PORTS, MAX_URL_LENGTH, parse_url

PRIVATE = [
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.0.0.1:8080/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.0.0.1.0/",
    "http://0/",
    "http://2130706433/",
    "http://7147006462/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://00000000127.0.0.1/",
    "http://425.510.425.510/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://[::]/",
    "http://[::1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[fd00:ec2::254]/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://intranet/",
    "http://app.localhost/",
    "http://printer.local/",
    "http://metadata.google.internal/",
    "http://METADATA.GOOGLE.INTERNAL./",
    "http://nas.home.arpa/",
    "http://127。0。0。1/",
    "http://127．0．0．1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://１２７.0.0.1/",
]

MALFORMED = [
    "",
    "example.com",
    "//127.0.0.1/",
    "http:127.0.0.1/",
    "http:/127.0.0.1/",
    "http:///127.0.0.1/",
    "http://",
    "http://:80/",
    "https://?q",
    "httpſ://example.com/",
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://127.0.0.1:6379/_x",
    "javascript:alert(1)",
    "http://[127.0.0.1]/",
    "http://[example.com]/",
    "http://[::1%25lo]/",
    "http://[fe80::1%eth0]/",
    "http://[::1/",
    "http://[]/",
    "http://[::ffff:8.8.8.8]x/",
    "http://%31%32%37.0.0.1/",
    "http://127.0.0.1%00.example.com/",
    "http://exa mple.com/",
    "http://exam\tple.com/",
    "http://example.com\r\nHost:x/",
    "http://example.com/\r\nHost:x/",
    "http://example.com\x00.internal/",
    "http://example.com/a\\b",
    "http://127.0.0.1\\.example.com/",
    "http://xn--/",
    "http://a..b/",
    "http://.example.com/",
    "http://example.com../",
    "http://-a.com/",
    "http://a-.com/",
    "http://example.-com/",
    "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 127 + "com/",
    "http://한\ud83d글.kr/",
    "http://한..글/",
    "http://example.com:80:80/",
    "http://example.com:8 0/",
    "http://example.com:٨٠/",
    "http://example.com:+80/",
    "http://example.com:000080/",
]

CREDENTIALS = [
    "http://user:pw@example.com/",
    "http://user@example.com/",
    "http://@example.com/",
    "http://example.com@127.0.0.1/",
    "http://example.com:80+&@127.0.0.1:22/",
    "http://127.0.0.1:80\\@example.com/",
    "http://example.com%2f@127.0.0.1/",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_a_private_address_or_name_is_refused_in_the_words_that_authors_know(url):
    with pytest.raises(BlockedAddress) as refusal:
        parse_url(url)
    assert str(refusal.value) == PRIVATE_ADDRESS_MESSAGE


@pytest.mark.parametrize("url", MALFORMED)
def test_a_malformed_url_is_refused(url):
    with pytest.raises(BlockedAddress, match=r"URL (must start|is malformed|has an invalid host name)"):
        parse_url(url)


@pytest.mark.parametrize("url", CREDENTIALS)
def test_a_url_with_user_information_is_refused(url):
    with pytest.raises(BlockedAddress, match="user name or password"):
        parse_url(url)


@pytest.mark.parametrize("port", [0, 1, 22, 25, 2773, 3306, 6379, 9001, 65535, 65536, 99999])
def test_a_port_that_is_not_for_the_web_is_refused(port):
    with pytest.raises(BlockedAddress, match=f"port {port};"):
        parse_url(f"http://example.com:{port}/")


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://example.com", "example.com", 80),
        ("https://EXAMPLE.com./", "example.com", 443),
        ("HTTPS://example.com:8443/", "example.com", 8443),
        ("http://example.com:/", "example.com", 80),
        ("http://example.com#@127.0.0.1/", "example.com", 80),
        ("http://example.com?@127.0.0.1/", "example.com", 80),
        ("http://example.com/@127.0.0.1/", "example.com", 80),
        ("https://my_bucket.s3.example.com/", "my_bucket.s3.example.com", 443),
        ("https://한글.KR/", "xn--bj0bj06e.kr", 443),
        ("https://" + "\u1112\u1161\u11ab\u1100\u1173\u11af" + ".kr/", "xn--bj0bj06e.kr", 443),  # decomposed, as macOS
        ("http://8.8.8.8/", "8.8.8.8", 80),
        ("http://8。8。8。8/", "8.8.8.8", 80),
        ("http://[2606:4700:4700:0::1111]:8080/", "2606:4700:4700::1111", 8080),
        ("http://[::ffff:8.8.8.8]/", "8.8.8.8", 80),
        ("  https://example.com/\n", "example.com", 443),
    ],
)
def test_a_public_url_is_read_as_browsers_read_it(url, host, port):
    target = parse_url(url)
    assert (target.host, target.port) == (host, port)
    assert not target.is_local


def test_an_address_in_the_url_needs_no_look_up():
    assert parse_url("http://8.8.8.8/").address == IPv4Address("8.8.8.8")
    assert parse_url("http://example.com/").address is None


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://example.com", "/"),
        ("http://example.com?a=1", "/?a=1"),
        ("http://example.com/a?", "/a?"),
        ("http://example.com/a/../b;c=1?x[]=1&y={z}|w#fragment", "/a/../b;c=1?x[]=1&y={z}|w"),
        ("http://example.com/%7Euser/%zz?signature=a%2Bb+c==", "/%7Euser/%zz?signature=a%2Bb+c=="),
        (
            "http://example.com/검색?q=안녕 하세요",
            "/%EA%B2%80%EC%83%89?q=%EC%95%88%EB%85%95%20%ED%95%98%EC%84%B8%EC%9A%94",
        ),
        ("http://example.com/?q=one\r\ntwo\\'<>\"", "/?q=one%0D%0Atwo\\%27%3C%3E%22"),
        ("http://example.com/\ud83d", "/%3F"),
    ],
)
def test_path_and_query_are_percent_encoded_only_where_they_must_be(url, path):
    assert parse_url(url).path == path


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://example.com:80/", "example.com"),
        ("https://example.com:443/", "example.com"),
        ("http://example.com:443/", "example.com:443"),
        ("http://[2606:4700:4700::1111]/", "[2606:4700:4700::1111]"),
        ("http://[2606:4700:4700::1111]:8080/", "[2606:4700:4700::1111]:8080"),
    ],
)
def test_the_host_header_names_the_port_only_where_it_is_unusual(url, authority):
    assert parse_url(url).authority == authority


def test_the_url_of_a_target_reads_as_the_same_target():
    target = parse_url("https://한글.kr:8443/검색?q=a b#c")
    assert parse_url(target.url) == target


def test_a_url_may_have_8192_characters_and_no_more():
    longest = "http://example.com/".ljust(MAX_URL_LENGTH, "a")
    assert parse_url(longest).path.endswith("aaa")
    with pytest.raises(BlockedAddress, match="longer than 8192"):
        parse_url(longest + "a")


@pytest.mark.parametrize(
    ("url", "listed"),
    [
        ("http://127.0.0.1:8789/x", ("127.0.0.1", 8789)),
        ("http://localhost:8789/x", ("localhost", 8789)),
        ("http://LocalHost.:8789/x", ("localhost", 8789)),
        ("http://[::1]:8789/x", ("::1", 8789)),
        ("http://127.0.0.1/x", ("127.0.0.1", 80)),
    ],
)
def test_a_listed_local_target_is_accepted(url, listed):
    assert parse_url(url, frozenset({listed})).is_local


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8788/",  # another port
        "http://127.0.0.1/",
        "http://127.0.0.2:8789/",
        "http://localhost:8789/",  # another name for it
        "http://127.1:8789/",
        "http://[::1]:8789/",
    ],
)
def test_nothing_near_a_listed_local_target_is_accepted(url):
    with pytest.raises(BlockedAddress):
        parse_url(url, frozenset({("127.0.0.1", 8789)}))


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "http://example.com", "http://a.kr/"]))
def test_any_text_is_a_target_fit_for_the_wire_or_refused(text, start):
    try:
        target = parse_url(start + text)
    except BlockedAddress:
        return
    assert target.path.isascii()
    assert target.path.isprintable()
    assert " " not in target.path
    assert target.host.isascii()
    assert target.port in ALLOWED_PORTS
