"""Where a phone would cut, fold or refuse a skill response."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cli.language import Language
from infra.cli.phone import Notice, notices

SAMPLES = Path(__file__).parents[2] / "data" / "kakao"
PICTURE = {"imageUrl": "https://example.com/a.png"}


def response(*outputs: dict[str, Any], **template: Any) -> dict[str, Any]:
    return {"version": "2.0", "template": {"outputs": list(outputs), **template}}


def found(body: Any, size: int = 100) -> list[tuple[str, str]]:
    return [(notice.path, notice.severity) for notice in notices(body, size)]


def text(length: int) -> dict[str, Any]:
    return {"simpleText": {"text": "가" * length}}


def button(label: str = "버튼", **keys: Any) -> dict[str, Any]:
    return {"label": label, "action": "message", "messageText": label, **keys}


def card(**keys: Any) -> dict[str, Any]:
    return {"textCard": {"title": "제목", **keys}}


def basic(**keys: Any) -> dict[str, Any]:
    return {"basicCard": {"thumbnail": PICTURE, **keys}}


@pytest.mark.parametrize("name", [f"{number:02}" for number in (1, 2, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19)])
def test_nothing_of_a_published_sample_is_refused(name: str) -> None:
    (path,) = SAMPLES.glob(f"resp_{name}_*.json")
    assert [notice for notice in notices(json.loads(path.read_text()), 100) if notice.severity == "refused"] == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], "$"),
        ({"template": {"outputs": [text(1)]}}, "version"),
        ({"version": "2.0"}, "template"),
        ({"version": "2.0", "useCallback": True, "template": {}}, "template"),
        (response(), "template.outputs"),
        (response(*[text(1)] * 4), "template.outputs"),
        (response(text(1), quickReplies=[button()] * 11), "template.quickReplies"),
        (response({"speech": {}}), "outputs[0]"),
        (response({"simpleText": {"text": " "}}), "outputs[0].simpleText.text"),
        (response({"simpleImage": {}}), "outputs[0].simpleImage.imageUrl"),
        (response({"textCard": {}}), "outputs[0].textCard.title"),
        (response({"basicCard": {"title": "제목"}}), "outputs[0].basicCard.thumbnail.imageUrl"),
        (response(card(buttons=[button()] * 4)), "outputs[0].textCard.buttons"),
        (response(card(buttons=[button()] * 3, buttonLayout="horizontal")), "outputs[0].textCard.buttons"),
        (
            response(basic(thumbnail={**PICTURE, "fixedRatio": True}, buttons=[button()] * 3)),
            "outputs[0].basicCard.buttons",
        ),
        (response(card(buttons=[{"label": "a", "action": "webLink"}])), "outputs[0].textCard.buttons[0].webLinkUrl"),
        (response({"carousel": {"type": "simpleText", "items": [{}]}}), "outputs[0].carousel.type"),
        (response({"carousel": {"type": "textCard", "items": [{"title": "a"}] * 11}}), "outputs[0].carousel.items"),
        (response({"listCard": {"header": {"title": "a"}, "items": [{}] * 6}}), "outputs[0].listCard.items"),
        (response({"itemCard": {"itemList": []}}), "outputs[0].itemCard.itemList"),
    ],
)
def test_what_kakao_may_refuse_is_named_with_its_place(body: Any, path: str) -> None:
    assert found(body) == [(path, "refused")]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (response(text(501)), "outputs[0].simpleText.text"),
        (response(text(1001)), "outputs[0].simpleText.text"),
        (response({"simpleImage": {**PICTURE, "altText": "가" * 51}}), "outputs[0].simpleImage.altText"),
        (response(card(title="가" * 51)), "outputs[0].textCard.title"),
        (response(card(description="가" * 399)), "outputs[0].textCard"),
        (response(basic(description="가" * 231)), "outputs[0].basicCard.description"),
        (response(card(buttons=[button("가" * 15)])), "outputs[0].textCard.buttons[0].label"),
        (
            response(card(buttons=[button(), button("가" * 9)], buttonLayout="horizontal")),
            "outputs[0].textCard.buttons[1].label",
        ),
        (response(text(1), quickReplies=[button("가" * 15)]), "quickReplies[0].label"),
        (
            response({"carousel": {"type": "textCard", "items": [{"title": "a", "description": "가" * 129}]}}),
            "outputs[0].carousel.items[0].description",
        ),
        (
            response({"commerceCard": {"price": 1, "thumbnails": [PICTURE], "description": "가" * 41}}),
            "outputs[0].commerceCard.description",
        ),
        (response({"itemCard": {"itemList": [{"title": "가" * 7}]}}), "outputs[0].itemCard.itemList[0].title"),
    ],
)
def test_what_a_phone_shows_differently_is_named_with_its_place(body: Any, path: str) -> None:
    assert found(body) == [(path, "shown differently")]


@pytest.mark.parametrize(
    "body",
    [
        response(text(500)),
        response(card(title="가" * 50, description="가" * 350, buttons=[button("가" * 14)] * 3)),
        response(basic(title="가" * 50, description="가" * 230)),
        response(*[text(1)] * 3, quickReplies=[button("가" * 14)] * 10),
        {"version": "2.0", "useCallback": True, "data": {"text": "잠시만요"}},
    ],
)
def test_at_the_limit_there_is_nothing_to_say(body: Any) -> None:
    assert found(body, size=30_720) == []


def test_more_than_30_kilobytes_may_be_refused() -> None:
    assert found(response(text(1)), size=30_721) == [("$", "refused")]


def test_characters_are_counted_as_kakao_may_count_them() -> None:
    assert found(response({"simpleText": {"text": "😀" * 251}})) == [
        ("outputs[0].simpleText.text", "shown differently")
    ]


def test_a_notice_is_told_in_the_language_asked_for() -> None:
    notice = Notice(path="a", severity="refused", korean="한국어", english="English")
    assert notice.sentence(Language.KOREAN) == "a: 한국어"
    assert notice.sentence(Language.ENGLISH) == "a: English"
