"""A body never grows past its ceiling, however it is packed."""

import gzip
import tracemalloc
import zlib

import pytest

from shared.net.body import BoundedBody
from shared.net.messages import OutboundError

TEXT = "말길 the way words go ".encode() * 50
GZIPPED = gzip.compress(TEXT, mtime=0)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def fed(body: BoundedBody, data: bytes, size: int = 7) -> BoundedBody:
    for start in range(0, len(data), size):
        body.feed(data[start : start + size])
    body.finish()
    return body


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("", TEXT),
        ("identity", TEXT),
        (" GZip ", GZIPPED),
        ("x-gzip", GZIPPED),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
    ],
)
def test_a_body_is_decoded_however_it_is_cut(encoding, packed):
    assert fed(BoundedBody(encoding, 10_000), packed).content == TEXT


@pytest.mark.parametrize("encoding", ["identity", "gzip", "br"])
def test_an_empty_body_is_empty_in_any_encoding(encoding):
    assert fed(BoundedBody(encoding, 10), b"").content == b""


def test_a_body_may_fill_its_ceiling():
    assert len(fed(BoundedBody("gzip", len(TEXT)), gzip.compress(TEXT)).content) == len(TEXT)


@pytest.mark.parametrize(("encoding", "packed"), [("identity", TEXT), ("gzip", GZIPPED)])
def test_a_body_over_its_ceiling_is_refused_and_keeps_what_fits(encoding, packed):
    body = BoundedBody(encoding, len(TEXT) - 1)
    with pytest.raises(OutboundError) as refusal:
        fed(body, packed)
    assert refusal.value.kind == "too_large"
    assert body.content == TEXT[:-1]


def test_a_bomb_is_inflated_no_further_than_the_ceiling():
    bomb = gzip.compress(bytes(20_000_000))
    body = BoundedBody("gzip", 100_000)
    tracemalloc.start()
    with pytest.raises(OutboundError):
        body.feed(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", b"not gzip at all"),
        ("gzip", GZIPPED[:-9]),
        ("deflate", zlib.compress(TEXT)[:-5]),
        ("br", b"x"),
        ("gzip, gzip", gzip.compress(GZIPPED, mtime=0)),
    ],
)
def test_a_body_that_cannot_be_decoded_whole_is_an_error(encoding, packed):
    with pytest.raises(OutboundError) as refusal:
        fed(BoundedBody(encoding, 10_000), packed)
    assert refusal.value.kind == "http"
