"""Text is fitted into bubbles where a reader expects a cut, and never inside a character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.channels.text import cut, plain_line, plain_text, split, split_off_end, split_off_start
from shared.values import utf16_length

FAMILY = "👨‍👩‍👧‍👦"  # 7 code points, 11 UTF-16 units, one character
DECOMPOSED_HAN = "\u1112\u1161\u11ab"  # 한 as macOS writes file names


def test_text_within_the_limit_is_not_cut():
    assert cut("가" * 14, 14) == "가" * 14


def test_a_cut_text_ends_with_dots_and_fills_the_limit():
    assert cut("가" * 15, 14) == "가" * 11 + "..."


def test_a_character_beyond_the_basic_plane_counts_twice():
    assert cut("😀" * 8, 14) == "😀" * 5 + "..."


@pytest.mark.parametrize("character", [FAMILY, DECOMPOSED_HAN, "🇰🇷", "\r\n"])
def test_a_cut_never_goes_through_a_character(character):
    for limit in range(len(character) + 6, 60):
        shown = cut("가" + character * 30, limit).removesuffix("...")
        assert shown.removeprefix("가").replace(character, "") == ""


def test_a_long_text_is_split_at_the_last_sentence_end():
    text = "첫 문장입니다. 둘째 문장이에요! 셋째 문장"
    assert split(text, 20) == ["첫 문장입니다. 둘째 문장이에요!", "셋째 문장"]


def test_korean_sentences_without_a_space_between_them_are_split_too():
    assert split("준비가 끝났습니다.바로 시작할게요", 14) == ["준비가 끝났습니다.", "바로 시작할게요"]


def test_a_point_inside_a_number_or_an_address_is_no_sentence_end():
    assert split("요금은 정확히 3.5만원 입니다", 11) == ["요금은 정확히", "3.5만원 입니다"]


def test_a_line_end_is_a_sentence_end():
    assert split("메뉴 목록\n- 김밥 한 줄", 10) == ["메뉴 목록", "- 김밥 한 줄"]


def test_without_a_sentence_end_a_space_is_taken():
    assert split("하나 둘 셋 넷 다섯", 7) == ["하나 둘 셋", "넷 다섯"]


def test_a_sentence_end_that_leaves_the_piece_half_empty_is_passed_over():
    assert split("네. 나머지는 길게 이어지는 문장", 12) == ["네. 나머지는 길게", "이어지는 문장"]


def test_text_without_any_space_is_split_between_characters():
    assert split(FAMILY * 5, 25) == [FAMILY * 2, FAMILY * 2, FAMILY]


def test_one_character_longer_than_a_bubble_is_split_all_the_same():
    assert [len(piece) for piece in split("가" + "\u0301" * 25, 10)] == [10, 10, 6]


def test_blank_text_has_no_pieces():
    assert split(" \n ", 10) == []


def test_what_is_split_off_the_start_leaves_the_rest():
    assert split_off_start("하나 둘 셋 넷 다섯", 7) == ("하나 둘 셋", "넷 다섯")


def test_the_end_holds_as_many_last_sentences_as_fit():
    assert split_off_end("하나입니다. 둘입니다. 셋인가요?", 14) == ("하나입니다.", "둘입니다. 셋인가요?")


def test_an_end_without_a_sentence_end_starts_at_a_word():
    assert split_off_end("하나 둘 셋 넷", 4) == ("하나 둘", "셋 넷")


def test_an_end_without_any_space_starts_between_characters():
    assert split_off_end(FAMILY * 3, 25) == (FAMILY, FAMILY * 2)


def test_a_text_that_fits_is_all_end():
    assert split_off_end(" 예? ", 5) == ("", "예?")


def test_plain_text_has_no_control_characters_and_no_white_space_around_it():
    assert plain_text(" a\x00\x07b\r\nc\rd\ud83d\te \n") == "ab\nc\nd\ufffd\te"


def test_plain_text_of_numbers_and_nothing():
    assert [plain_text(value) for value in (3.0, None, True)] == ["3", "", "true"]


def test_a_plain_line_has_single_spaces():
    assert plain_line(" 두\n줄  입니다 ") == "두 줄 입니다"


PARTS = [
    "가",
    "나다라",
    "안녕하세요.",
    "ok!",
    " ",
    "\n",
    FAMILY,
    DECOMPOSED_HAN,
    "e\u0301",
    "https://a.kr/?q=1.5",
    "“네.”",
]
texts = st.lists(st.sampled_from(PARTS), max_size=60).map("".join)


@given(texts, st.integers(12, 60))
def test_pieces_fit_and_only_white_space_is_lost(text, limit):
    pieces = split(text, limit)
    assert all(piece and utf16_length(piece) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@given(texts, st.integers(12, 60))
def test_head_and_end_fit_and_only_white_space_is_lost(text, limit):
    head, end = split_off_end(text, limit)
    assert utf16_length(end) <= limit
    assert "".join((head + end).split()) == "".join(text.split())
    assert end or not text.strip()


@given(texts, st.integers(12, 60))
def test_a_cut_text_fits_and_is_the_start_of_the_text(text, limit):
    shown = cut(text, limit)
    assert utf16_length(shown) <= limit
    assert text.startswith(shown.removesuffix("...") if shown != text else shown)
