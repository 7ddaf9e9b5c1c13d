"""Whatever a bot says, every page of its reply is a valid response, and all pages together show everything once."""

from itertools import groupby
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.channels.kakao.extra import ContinueReading, read_extra
from shared.channels.kakao.render import SkillReply, render_reply
from shared.channels.text import cut
from tests.contract.kakao.skill_response import violations

FURTHER = "\uffed"
"""Title of cards that only hold buttons: a character that no generated text holds."""
SYSTEM_MESSAGES = {"empty": FURTHER, "additionalChoice": FURTHER}

words = st.sampled_from(
    ["가", "안녕하세요.", "네!", "okay", " ", "\n", "👨‍👩‍👧‍👦", "e\u0301", '"', "\\", "\u1112\u1161\u11ab", "3.5"]
)
phrases = st.lists(words, max_size=8).map("".join)
texts = st.builds(lambda phrase, times: phrase * times, phrases, st.sampled_from([1, 1, 2, 10, 60, 300]))
payloads = st.none() | st.sampled_from(["x", '{"a": [1]}', "가" * 1000, '"' * 1000, "\x01" * 1000])
labels = st.sampled_from(["예", "가나다라마바사아자차카타파하", "긴 이름의 버튼 👨‍👩‍👧‍👦👨‍👩‍👧‍👦", '"' * 240])
addresses = st.sampled_from(["https://a.kr/", "https://a.kr/" + "q" * 3_000, "https://한글.kr/가 나"])
buttons = st.fixed_dictionaries(
    {"type": st.sampled_from(["postback", "goto", "link"]), "label": labels, "uri": addresses, "flowId": st.just(3)},
    optional={"payload": payloads},
)
button_lists = st.lists(buttons, max_size=7)
pictures = st.none() | addresses.map(lambda uri: {"contentType": "image", "uri": uri})
card_dicts = st.fixed_dictionaries(
    {"title": phrases, "description": texts, "media": pictures, "uri": st.none() | addresses, "buttons": button_lists}
)
messages = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": texts, "buttons": button_lists}),
    st.fixed_dictionaries(
        {"type": st.just("cards"), "cards": st.lists(card_dicts, max_size=10), "buttons": button_lists}
    ),
    st.fixed_dictionaries({"type": st.just("media"), "media": pictures.filter(bool), "buttons": button_lists}),
)
keyboards = st.none() | st.lists(buttons, max_size=24).map(lambda choices: {"type": "buttons", "buttons": choices})


def numbered(button_dicts, counter):
    """Buttons told apart by a number at the front of their labels."""
    return [{**button, "label": f"{next(counter)}{button['label']}"} for button in button_dicts]


def with_numbered_buttons(message_list, keyboard):
    counter = iter(range(10_000))
    said = []
    for data in message_list:
        cards = [{**card, "buttons": numbered(card["buttons"], counter)} for card in data.get("cards", [])]
        said.append({**data, "cards": cards, "buttons": numbered(data["buttons"], counter)})
    return said, keyboard and {**keyboard, "buttons": numbered(keyboard["buttons"], counter)}


def pages_of(message_list, keyboard, brand_line=None):
    pages: list[SkillReply] = []
    index: int | None = 0
    while index is not None:
        reply = render_reply(
            [{"data": data, "position": [1, 2]} for data in message_list],
            keyboard,
            revision=7,
            start_index=index,
            system_messages=SYSTEM_MESSAGES,
            brand_line=brand_line,
        )
        assert violations(reply.body) == []
        assert reply.next_index is None or reply.next_index > index
        pages.append(reply)
        index = reply.next_index
    return pages


def cells(pages):
    """Every text, picture and card of the pages in reading order, out of their carousels."""
    for page in pages:
        for output in page.body["template"]["outputs"]:
            [(kind, content)] = output.items()
            yield from content["items"] if kind == "carousel" else [content]


def letters(text):
    return "".join(text.replace(FURTHER, "").split())


def shown_letters(pages):
    return letters("".join(f"{c.get('title', '')}{c.get('description', '')}{c.get('text', '')}" for c in cells(pages)))


def said_letters(message_list):
    parts = []
    for data in message_list:
        parts.append(data.get("text", ""))
        parts += [f"{card['title']}{card['description']}" for card in data["cards"]]
    return letters("".join(parts))


def said_buttons(button_dicts):
    return [cut(" ".join(button["label"].split()), 14) for button in button_dicts]


def shown_buttons(pages):
    all_buttons = [button["label"] for cell in cells(pages) for button in cell.get("buttons", [])]
    return [label for label in all_buttons if label != "링크 열기"]


def pictures_of(pages):
    uris = [cell.get("imageUrl") or cell.get("thumbnail", {}).get("imageUrl") for cell in cells(pages)]
    return [uri for uri, _ in groupby(uri for uri in uris if uri)]


@settings(deadline=None, max_examples=60)
@given(st.lists(messages, max_size=7), keyboards)
def test_every_page_is_valid_and_all_pages_show_everything_once(message_list, keyboard):
    said, keyboard = with_numbered_buttons(message_list, keyboard)
    pages = pages_of(said, keyboard)

    assert shown_letters(pages) == said_letters(said)

    quick_replies = [reply["label"] for reply in pages[-1].body["template"].get("quickReplies", [])]
    choices = said_buttons(keyboard["buttons"] if keyboard else [])
    assert choices[: len(quick_replies)] == quick_replies
    expected = [label for data in said for owner in [*data["cards"], data] for label in said_buttons(owner["buttons"])]
    assert shown_buttons(pages) == expected + choices[len(quick_replies) :]

    for page in pages[:-1]:
        early = page.body["template"]["quickReplies"]
        assert [reply["label"] for reply in early[:-1]] == quick_replies[:9]
        assert read_extra(early[-1]["extra"]) == ContinueReading(revision=7, index=page.next_index)


BRAND_LINE = "\uffee" * 40


@settings(deadline=None, max_examples=60)
@given(st.lists(messages, max_size=7), keyboards)
def test_the_brand_line_stands_once_at_the_very_end_and_moves_no_page(message_list, keyboard):
    plain, signed = pages_of(message_list, keyboard), pages_of(message_list, keyboard, BRAND_LINE)
    assert [page.next_index for page in signed] == [page.next_index for page in plain]
    bodies = [cell.get("description") or cell.get("text") or "" for cell in cells(signed)]
    signed_bodies = [body for body in bodies if BRAND_LINE in body]
    has_body = any("simpleImage" not in output for page in plain for output in page.body["template"]["outputs"])
    assert len(signed_bodies) <= 1
    if any(data.get("text", "").strip() for data in message_list) and has_body:
        assert len(signed_bodies) == 1
    for body in signed_bodies:
        assert body == BRAND_LINE or body.endswith(f"\n\n{BRAND_LINE}")
        assert body.count(BRAND_LINE) == 1


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 5), max_size=9))
def test_every_picture_is_shown_once_and_in_order(runs):
    """Runs of images, each between two texts."""
    counter = iter(range(1_000))
    said: list[dict[str, Any]] = []
    for run in runs:
        uris = [f"https://a.kr/{next(counter)}" for _ in range(run)]
        said += [
            {"type": "media", "media": {"contentType": "image", "uri": uri}, "cards": [], "buttons": []} for uri in uris
        ]
        said.append({"type": "text", "text": "글", "cards": [], "buttons": []})
    shown = pictures_of(pages_of(said, None))
    assert shown == [data["media"]["uri"] for data in said if data["type"] == "media"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "media", "uri", "cards", "title", "location", "latitude", "buttons", "label"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
strange_messages = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "media", "cards", "location", None, 7])},
    optional={
        "text": json_values,
        "media": json_values,
        "cards": st.lists(json_values, max_size=3),
        "location": json_values,
        "buttons": st.lists(json_values, max_size=3),
    },
)


@settings(deadline=None, max_examples=150)
@given(st.lists(strange_messages, max_size=5), st.none() | st.fixed_dictionaries({"buttons": json_values}), json_values)
def test_data_of_any_form_is_a_valid_response(message_list, keyboard, position):
    reply = render_reply(
        [{"data": data, "position": position} for data in message_list], keyboard, revision=0, system_messages={}
    )
    assert violations(reply.body) == []
