"""Secrets never show: neither by key, nor in an address, a form or a text that holds JSON."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.redaction import looks_like_secret, text_without_secrets, without_secrets

SECRET = "s3cr3tValue"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://example.com/a?token=S&b=1", "https://example.com/a?token=***&b=1"),
        ("https://example.com/a?b=1&api_key=S#top", "https://example.com/a?b=1&api_key=***#top"),
        ("https://example.com/?key=S&Password=S", "https://example.com/?key=***&Password=***"),
        ("http://apis.data.go.kr/x?serviceKey=S%3D%3D&page=1", "http://apis.data.go.kr/x?serviceKey=***&page=1"),
        ("https://example.com/?next=https://b.com/?token=S", "https://example.com/?next=https://b.com/?token=***"),
        ("https://me:S@example.com/a@b", "https://***@example.com/a@b"),
        ("grant_type=code&client_secret=S", "grant_type=code&client_secret=***"),
        ("the header was Bearer SSSSSSSS.", "the header was Bearer ***"),
        ('{"token": "S", "n": 1}', '{"token": "***", "n": 1}'),
        ('{"token": "S\\"S", "n": 1}', '{"token": "***", "n": 1}'),
        ('{"pin": 1, "accessKey":S}', '{"pin": 1, "accessKey":"***"}'),
        ('404 - {"refresh_token":"S', '404 - {"refresh_token":"***"'),
        ('{"a": {"secret": ["S", {"b": "S"}]}, "c": 1}', '{"a": {"secret": "***"'),
        ('{"body": "{\\"password\\": \\"S\\", \\"n\\": 1}"}', '{"body": "{\\"password\\": \\"***\\", \\"n\\": 1}"}'),
    ],
)
def test_a_secret_is_known_by_the_name_before_it(text: str, shown: str) -> None:
    assert text_without_secrets(text.replace("S", SECRET).replace(f"{SECRET}ecret", "Secret")) == shown


@pytest.mark.parametrize(
    "text",
    [
        "몇 token 이에요?",
        "https://example.com/?monkey=1&keyword=신발",
        '{"maxTokens": 200, "totalTokens":5}',
        "a@example.com",
        "Bearer of news",
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert text_without_secrets(text) == text


def test_keys_rows_and_credentials_in_any_depth() -> None:
    value: dict[str, Any] = {
        "headers": [
            {"key": "X-Api-Key", "value": SECRET},
            {"name": "Cookie", "value": SECRET},
            {"key": "a", "value": 1},
        ],
        "uri": f"https://example.com/?token={SECRET}",
        "credential": "google_me@example.com",
        "nested": {"credential": "sk-abcdefghijklmnopqrst", "authorization": {"a": SECRET}},
        "maxTokens": 200,
    }
    assert without_secrets(value) == {
        "headers": [{"key": "X-Api-Key", "value": "***"}, {"name": "Cookie", "value": "***"}, {"key": "a", "value": 1}],
        "uri": "https://example.com/?token=***",
        "credential": "google_me@example.com",
        "nested": {"credential": "***", "authorization": "***"},
        "maxTokens": 200,
    }


@given(
    st.text(alphabet='tokensecret"\\:=&?{}[], /@1', max_size=80),
    st.text(alphabet='tokensecret"\\:=&?{}[], /@1', max_size=80),
)
def test_whatever_stands_around_a_secret_it_does_not_show(before: str, after: str) -> None:
    assert SECRET not in text_without_secrets(f"https://example.com/{before}?token={SECRET}{after}".replace("@", ""))


@pytest.mark.parametrize(
    "text",
    [
        '"',
        '"token',
        "\\",
        '\\"token',
        '"token":',
        "?",
        "&token",
        "token",
        "://",
        "://a@",
        "bearer ",
        "a",
        '"token":"\\',
        " ",
    ],
)
def test_no_text_takes_more_than_linear_time(text: str) -> None:
    """A search that goes back and forth would take minutes here."""
    long = text * (400_000 // len(text))
    for prefix in ("", '"', "&", '\\"', '"token": '):
        text_without_secrets(prefix + long)
    looks_like_secret(long)


@pytest.mark.parametrize(
    "text",
    [
        "sk-abcdefghijklmnopqrst",
        '{"type": "service_account"}',
        "-----BEGIN PRIVATE KEY-----",
        "ya29.a0Af",
        "AIza" + "a" * 35,
        "AKIAABCDEFGHIJKLMNOP",
        "Bearer abc",
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
        "0123456789abcdef0123456789abcdef",
    ],
)
def test_a_key_is_not_taken_for_a_name(text: str) -> None:
    assert looks_like_secret(text)


@pytest.mark.parametrize(
    "text",
    ["", "google_me@example.com", "openai-production", "우리_시트", "google_service_account_production_2024_Main"],
)
def test_a_name_is_not_taken_for_a_key(text: str) -> None:
    assert not looks_like_secret(text)
