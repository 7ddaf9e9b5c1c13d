"""Bot files: read losslessly, refused clearly, named by their content."""

import json
from typing import Any

import pytest

from shared.bot.document import content_hash, join_document, read_bot_file
from shared.bot.model import Bot, read_id
from shared.errors import InvalidBot
from tests.factories import DATA, a_node

FILES = sorted((DATA / "closer").glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_exported_file_equals_the_imported_one(path: Any) -> None:
    original = json.loads(path.read_bytes())
    file = read_bot_file(path.read_bytes())
    exported = join_document(file.profile, file.content)
    assert (exported["flows"][0] if file.is_flow else exported) == original


def test_unknown_keys_survive_everywhere() -> None:
    document = {
        "title": "t",
        "x": 1,
        "flows": [{"id": 1, "y": [1], "nodes": [{**a_node(1, "entry"), "z": {"deep": None}}]}],
        "preference": {"w": True},
    }
    file = read_bot_file(json.dumps(document).encode())
    assert join_document(file.profile, file.content) == document


def test_a_flow_alone_is_wrapped_with_the_default_preference() -> None:
    file = read_bot_file(json.dumps({"id": 7, "title": "혼자", "nodes": [a_node(1, "entry")]}).encode())
    assert file.is_flow
    assert file.profile == {"title": "혼자"}
    assert file.content["preference"]["entryFlowId"] == 7
    assert file.content["preference"]["sessionBehavior"] == {
        "restoreNavigation": True,
        "welcomeOnSessionStart": True,
        "welcomeOnMessageWithoutSession": True,
    }


def test_the_same_content_has_the_same_name_whatever_the_key_order() -> None:
    assert content_hash({"a": 1, "b": {"c": 2, "d": 3}}) == content_hash({"b": {"d": 3, "c": 2}, "a": 1})
    assert content_hash({"a": 1}) != content_hash({"a": 2})


def test_title_and_description_are_no_part_of_a_version() -> None:
    one, two = (read_bot_file(json.dumps({"title": title, "flows": []}).encode()) for title in ("하나", "둘"))
    assert content_hash(one.content) == content_hash(two.content)


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "line 1"),
        (b"{", "line 1"),
        (b"[]", "object"),
        (b'"flows"', "object"),
        (b"{}", "flows"),
        (b'{"flows": NaN}', "NaN"),
        (b'{"flows": ' + b"9" * 5_000 + b"}", "number"),
        (b"[" * 100_000, "deep"),
        ('{"title": "안녕"}'.encode("cp949"), "CP949"),
        (b'{"flows": "' + b"x" * (10 * 1024 * 1024) + b'"}', "bytes"),
    ],
)
def test_what_is_no_bot_file_is_refused_in_words(raw: bytes, word: str) -> None:
    with pytest.raises(InvalidBot, match="not a bot file") as caught:
        read_bot_file(raw)
    assert word.lower() in str(caught.value).lower()


def test_lone_surrogates_are_repaired() -> None:
    file = read_bot_file(b'{"title": "\\ud83d", "flows": []}')
    assert file.profile["title"] == "\ufffd"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3),
        ("3", 3),
        (" 3 ", 3),
        (3.0, 3),
        ("-1", -1),
        (True, None),
        ("", None),
        ("3.5", None),
        (3.5, None),
        (None, None),
        ("9" * 30, None),
        ([], None),
    ],
)
def test_ids_are_read_as_integers(value: Any, number: int | None) -> None:
    assert read_id(value) == number


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"flows": {}},
        {"flows": [None, {"id": 1, "nodes": [None, {"id": "x"}, {"id": 1, "next": [None, {}]}]}], "preference": 3},
    ],
)
def test_a_malformed_document_makes_a_bot_that_has_less_in_it(content: Any) -> None:
    bot = Bot(content)
    assert bot.entry_of(99) is None
    assert bot.system_messages["empty"] == "(메시지 없음)"
