"""The last sound of a word read aloud in Korean, which is what particles agree with."""

import re
import unicodedata
from enum import Enum
from typing import Final

LOOKED_AT: Final = 256
"""Characters at the end of a noun that are looked at: no word, number or bracket that decides is longer."""


class FinalSound(Enum):
    """What a word ends with: particles tell vowels from consonants, and 으로 tells ㄹ from the others."""

    VOWEL = "vowel"
    RIEUL = "ㄹ"
    CONSONANT = "consonant"


def final_sound(noun: str) -> FinalSound | None:
    """How a noun ends when it is read aloud, None when there is nothing that Korean reads.

    Quotes, brackets and other punctuation at the end are not read. A remark in round brackets after a word is skipped
    as a whole (the National Institute of Korean Language: the particle follows the word before the brackets).
    """
    text = _spoken_part(unicodedata.normalize("NFKC", noun[-LOOKED_AT:]))
    if not text:
        return None
    last = text[-1]
    if last in _SYMBOLS:
        return _SYMBOLS[last]
    if "가" <= last <= "힣":
        return _syllable_sound(last)
    if last in _DIGITS:
        return _number_sound(text)
    if "\u1100" <= last <= "\u11ff":
        return _jamo_sound(last)
    return _latin_sound(text)


_SYMBOLS: Final = {
    "%": FinalSound.VOWEL,  # 퍼센트
    "+": FinalSound.VOWEL,  # 플러스
    "°": FinalSound.VOWEL,  # 도
    "$": FinalSound.VOWEL,  # 달러
    "€": FinalSound.VOWEL,  # 유로
    "#": FinalSound.CONSONANT,  # 샵
    "₩": FinalSound.CONSONANT,  # 원
    "¥": FinalSound.CONSONANT,  # 엔
}
_REMARK: Final = re.compile(r"\([^()]*\)\Z")


def _spoken_part(text: str) -> str:
    while text and not (text[-1].isalnum() or text[-1] in _SYMBOLS):
        remark = _REMARK.search(text)
        before = text[: remark.start()] if remark else ""
        text = before if any(map(str.isalnum, before)) else text[:-1]
    return text


def _syllable_sound(syllable: str) -> FinalSound:
    # Syllables are laid out as 28 finals per initial and vowel; final 0 is none, 8 is ㄹ (Unicode, Hangul Syllables).
    final = (ord(syllable) - ord("가")) % 28
    if final == 0:
        return FinalSound.VOWEL
    return FinalSound.RIEUL if final == 8 else FinalSound.CONSONANT  # noqa: PLR2004


def _jamo_sound(jamo: str) -> FinalSound:
    """A letter that stands alone is read by its name: ㅋ 키읔, ㄹ 리을, ㅏ 아."""
    if "\u1160" <= jamo <= "\u11a7":
        return FinalSound.VOWEL
    return FinalSound.RIEUL if jamo in "\u1105\u11af" else FinalSound.CONSONANT


_DIGITS: Final = {
    "0": FinalSound.CONSONANT,  # 영, and the units of round numbers: 십, 백, 천, 만, 억
    "1": FinalSound.RIEUL,  # 일
    "2": FinalSound.VOWEL,  # 이
    "3": FinalSound.CONSONANT,  # 삼
    "4": FinalSound.VOWEL,  # 사
    "5": FinalSound.VOWEL,  # 오
    "6": FinalSound.CONSONANT,  # 육
    "7": FinalSound.RIEUL,  # 칠
    "8": FinalSound.RIEUL,  # 팔
    "9": FinalSound.VOWEL,  # 구
}
_ROUND_NUMBER: Final = re.compile(r"(?<![0-9.,])[1-9][0-9,]*?([0,]*)\Z")
_TRILLIONS: Final = range(12, 16)
"""Zeros of a number read as ...조, the only unit within a number's usual size that ends with a vowel."""


def _number_sound(text: str) -> FinalSound:
    round_number = _ROUND_NUMBER.search(text)
    if round_number and round_number[1].count("0") in _TRILLIONS:
        return FinalSound.VOWEL
    return _DIGITS[text[-1]]


_LATIN_WORD: Final = re.compile(r"[A-Za-z]+\Z")
_UNITS_AFTER_DIGITS: Final = re.compile(r"[0-9]\s?(?:([kKm]?g|KG|t)|([ckm]?m|[dm]?[lL]))\Z")
_LETTER_NAMES: Final = {
    "l": FinalSound.RIEUL,  # 엘
    "m": FinalSound.CONSONANT,  # 엠
    "n": FinalSound.CONSONANT,  # 엔
    "r": FinalSound.RIEUL,  # 알
}
MAX_ACRONYM_LENGTH: Final = 3
"""Capitals up to this length are read letter by letter (SKT, VIP), longer ones with vowels as a word (KAKAO)."""


def _latin_sound(text: str) -> FinalSound | None:
    plain = "".join(
        character for character in unicodedata.normalize("NFD", text) if not unicodedata.combining(character)
    )
    word = _LATIN_WORD.search(plain)
    if word is None:
        return None
    unit = _UNITS_AFTER_DIGITS.search(plain)
    if unit:
        return FinalSound.CONSONANT if unit[1] else FinalSound.VOWEL  # 그램, 톤; 미터, 리터
    if _is_spelled_out(word[0]):
        return _LETTER_NAMES.get(word[0][-1].lower(), FinalSound.VOWEL)
    return _word_sound(word[0].lower())


def _is_spelled_out(word: str) -> bool:
    has_vowel = any(letter in "aeiouyAEIOUY" for letter in word)
    return not has_vowel or len(word) == 1 or (word.isupper() and len(word) <= MAX_ACRONYM_LENGTH)


_IRREGULAR: Final = {
    **dict.fromkeys(("check", "github", "hit", "hub", "kit", "set"), FinalSound.VOWEL),  # 체크, 허브, 히트, 키트, 세트
    **dict.fromkeys(("bag", "big", "kakaotalk", "talk"), FinalSound.CONSONANT),  # 백, 빅, 톡
}
_ENDS_WITH_RIEUL: Final = re.compile(r"le?\Z")  # mail 메일, apple 애플
_ENDS_WITH_CONSONANT: Final = re.compile(
    r"(?:[mn]|ng|mb"  # zoom 줌, amazon 아마존, samsung 삼성
    r"|[a-z]{2}[mn]e"  # game 게임, phone 폰
    r"|ook|[aeiou](?:ck|pp|tt)"  # book 북, slack 슬랙, app 앱
    r"|(?:\A|[^aeiou]|qu)[aeiou][bckpt])\Z"  # a stop after one short vowel: web 웹, music 뮤직, shop 숍, bot 봇
)


def _word_sound(word: str) -> FinalSound:
    """How an English word ends in Korean transcription. A heuristic: spelling alone does not tell every reading
    (kit 키트, tip 팁), so it follows the rule that most words follow; other endings take a vowel (cake 케이크)."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if _ENDS_WITH_RIEUL.search(word):
        return FinalSound.RIEUL
    return FinalSound.CONSONANT if _ENDS_WITH_CONSONANT.search(word) else FinalSound.VOWEL
