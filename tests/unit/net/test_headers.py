"""Authors set headers, but not those that frame the message or open a cloud's metadata service."""

import pytest

from shared.errors import InvalidInput
from shared.net.headers import MAX_HEADER_BYTES, check_headers, check_method, wire_value


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Upgrade",
        "Expect",
        "Forwarded",
        "Via",
        "Proxy-Authorization",
        "Proxy-Connection",
        "X-Forwarded-For",
        "x-forwarded-host",
        "Metadata",
        "Metadata-Flavor",
        "X-aws-ec2-metadata-token",
        "X-aws-ec2-metadata-token-ttl-seconds",
    ],
)
def test_a_header_of_the_connection_or_of_metadata_services_may_not_be_set(name):
    with pytest.raises(InvalidInput, match=f"Header {name} may not be set"):
        check_headers([(name, "x")])


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "a\x00", "이름", "a(b)", " a"])
def test_a_header_name_is_a_token(name):
    with pytest.raises(InvalidInput, match="Header name"):
        check_headers([(name, "x")])


@pytest.mark.parametrize("value", ["a\r\nHost: evil", "a\nb", "a\rb", "a\x00b", "a\x1bb", "a\x7f"])
def test_a_header_value_has_no_control_characters(value):
    with pytest.raises(InvalidInput, match="Header X-Name has a line break"):
        check_headers([("X-Name", value)])


@pytest.mark.parametrize(
    ("value", "sent"),
    [("abc", b"abc"), ("\xe9", b"\xe9"), ("안녕", "안녕".encode()), ("\xe9안", "\xe9안".encode()), ("a\ud83d", b"a?")],
)
def test_a_header_value_is_latin_1_and_where_that_cannot_say_it_utf_8(value, sent):
    assert check_headers([("X-Name", value)]) == (("X-Name", value),)
    assert wire_value(value) == sent


def test_a_header_value_loses_only_its_outer_blanks():
    assert check_headers([("X-Name", " \ta  \t b\xe9\t ")]) == (("X-Name", "a  \t b\xe9"),)


def test_headers_have_a_common_limit():
    half = ("X-A", "a" * (MAX_HEADER_BYTES // 2 - 3))
    assert check_headers([half, half]) == (half, half)
    with pytest.raises(InvalidInput, match="larger than"):
        check_headers([half, half, ("b", "")])


@pytest.mark.parametrize(("method", "sent"), [("get", "GET"), ("PATCH", "PATCH"), ("Delete", "DELETE")])
def test_a_method_is_sent_in_upper_case(method, sent):
    assert check_method(method) == sent


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "", "GET / HTTP/1.1\r\nX: y", "GETT", "ｇｅｔ"])
def test_any_other_method_is_refused(method):
    with pytest.raises(InvalidInput, match="method"):
        check_method(method)
