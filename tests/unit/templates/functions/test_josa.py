"""JOSA: one row a reading."""

import unicodedata

import pytest

from tests.unit.templates.functions.calling import call


@pytest.mark.parametrize(
    ("noun", "particle", "expected"),
    [
        ("멍멍이", "이", "멍멍이가"),
        ("떡볶이", "을", "떡볶이를"),
        ("책", "는", "책은"),
        ("사과", "은", "사과는"),
        ("책", "가", "책이"),
        ("책", "를", "책을"),
        ("책", "와", "책과"),
        ("사과", "과", "사과와"),
        ("책", "로", "책으로"),
        ("사과", "으로", "사과로"),
        ("서울", "으로", "서울로"),
        ("서울", "로", "서울로"),
        ("서울", "를", "서울을"),
        ("서울", "와", "서울과"),
        ("책", "라", "책이라"),
        ("사과", "이라", "사과라"),
        ("서울", "라", "서울이라"),
        ("책", "나", "책이나"),
        ("사과", "이나", "사과나"),
        ("책", "랑", "책이랑"),
        ("사과", "이랑", "사과랑"),
        ("책", "예요", "책이에요"),
        ("사과", "이에요", "사과예요"),
        ("영숙", "야", "영숙아"),
        ("철수", "아", "철수야"),
        ("앉", "은", "앉은"),
        ("값", "를", "값을"),
        ("닭", "로", "닭으로"),
    ],
)
def test_each_pair_agrees_with_the_last_syllable(noun: str, particle: str, expected: str) -> None:
    assert call("JOSA", noun, particle) == expected


@pytest.mark.parametrize("spelling", ["을", "를", "을(를)", "를(을)", "을/를", "를/을", " 을 "])
def test_a_pair_may_be_spelled_as_authors_spell_it(spelling: str) -> None:
    assert call("JOSA", "책", unicodedata.normalize("NFD", spelling)) == "책을"
    assert call("JOSA", "사과", spelling) == "사과를"


@pytest.mark.parametrize(
    ("spelling", "expected"), [("(으)로", "책으로"), ("(이)라", "책이라"), ("와(과)", "책과"), ("이(가)", "책이")]
)
def test_other_pairs_in_both_forms(spelling: str, expected: str) -> None:
    assert call("JOSA", "책", spelling) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0이"),
        (1, "1이"),
        (2, "2가"),
        (3, "3이"),
        (4, "4가"),
        (5, "5가"),
        (6, "6이"),
        (7, "7이"),
        (8, "8이"),
        (9, "9가"),
        (10, "10이"),
        (100, "100이"),
        (1000, "1000이"),
        (10000, "10000이"),
        (100000000, "100000000이"),
        (10**12, "1000000000000가"),
        ("1,000,000,000,000", "1,000,000,000,000가"),
        ("3.0000000000000", "3.0000000000000이"),
        (10**16, "10000000000000000이"),
        (2018, "2018이"),
        (3.14, "3.14가"),
        ("0.10", "0.10이"),
        ("2,025", "2,025가"),
        ("３", "３이"),
        ("４", "４가"),
        ("010-1234-5678", "010-1234-5678이"),
        ("100%", "100%가"),
        ("①", "①이"),
    ],
)
def test_numbers_are_read_in_korean(number: object, expected: str) -> None:
    assert call("JOSA", number, "이") == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, "1로"),
        (7, "7로"),
        (8, "8로"),
        (3, "3으로"),
        (6, "6으로"),
        (2, "2로"),
        (10, "10으로"),
        ("L", "L로"),
        ("M", "M으로"),
    ],
)
def test_readings_that_end_with_rieul_take_ro(number: object, expected: str) -> None:
    assert call("JOSA", number, "으로") == expected


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("A", "A는"),
        ("R", "R은"),
        ("TV", "TV는"),
        ("PC", "PC는"),
        ("LG", "LG는"),
        ("SKT", "SKT는"),
        ("URL", "URL은"),
        ("VIP", "VIP는"),
        ("BTS", "BTS는"),
        ("html", "html은"),
        ("KTX", "KTX는"),
        ("KAKAO", "KAKAO는"),
        ("COUPANG", "COUPANG은"),
        ("Book", "Book은"),
        ("Facebook", "Facebook은"),
        ("YouTube", "YouTube는"),
        ("Naver", "Naver는"),
        ("Google", "Google은"),
        ("Apple", "Apple은"),
        ("Samsung", "Samsung은"),
        ("Amazon", "Amazon은"),
        ("Instagram", "Instagram은"),
        ("iPhone", "iPhone은"),
        ("game", "game은"),
        ("cake", "cake는"),
        ("Netflix", "Netflix는"),
        ("Slack", "Slack은"),
        ("TikTok", "TikTok은"),
        ("chatbot", "chatbot은"),
        ("KakaoTalk", "KakaoTalk은"),
        ("GitHub", "GitHub는"),
        ("web", "web은"),
        ("music", "music은"),
        ("point", "point는"),
        ("quit", "quit은"),
        ("boat", "boat는"),
        ("Café", "Café는"),
        ("Ｚｏｏｍ", "Ｚｏｏｍ은"),
        ("McDonald's", "McDonald's는"),
        ("C#", "C#은"),
        ("Disney+", "Disney+는"),
    ],
)
def test_latin_words_are_read_as_korean_reads_them(noun: str, expected: str) -> None:
    assert call("JOSA", noun, "은") == expected


@pytest.mark.parametrize(
    ("noun", "expected"),
    [("5kg", "5kg을"), ("300 g", "300 g을"), ("10cm", "10cm를"), ("500ml", "500ml를"), ("2L", "2L를"), ("3t", "3t을")],
)
def test_units_after_digits_are_read_in_full(noun: str, expected: str) -> None:
    assert call("JOSA", noun, "를") == expected


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ('"책"', '"책"을'),
        ("'사과'", "'사과'를"),
        ("“감자”", "“감자”를"),
        ("<감자>", "<감자>를"),
        ("「토지」", "「토지」를"),
        ("『책』", "『책』을"),
        ("(책)", "(책)을"),
        ("((책))", "((책))을"),
        ("책!", "책!을"),
        ("사과...", "사과...를"),
        ("책 ", "책 을"),
        ("사과🍎", "사과🍎를"),
        ("책(冊)", "책(冊)을"),
        ("사과(빨강)", "사과(빨강)를"),
        ("사과（책）", "사과（책）를"),
        ('"책(Book)"', '"책(Book)"을'),
        ("삼성㈜", "삼성㈜을"),
    ],
)
def test_quotes_brackets_and_remarks_at_the_end_are_looked_through(noun: str, expected: str) -> None:
    assert call("JOSA", noun, "을") == expected


@pytest.mark.parametrize("noun", ["책", "사과", "서울", "떡볶이"])
def test_decomposed_syllables_are_read_and_kept(noun: str) -> None:
    decomposed = unicodedata.normalize("NFD", noun)
    expected = call("JOSA", noun, "으로")
    assert call("JOSA", decomposed, "으로") == decomposed + expected.removeprefix(noun)


@pytest.mark.parametrize(("letter", "expected"), [("ㅋ", "ㅋ으로"), ("ㄹ", "ㄹ로"), ("ㅠ", "ㅠ로")])
def test_single_letters_are_read_by_name(letter: str, expected: str) -> None:
    assert call("JOSA", letter, "로") == expected


@pytest.mark.parametrize(
    ("noun", "particle", "expected"),
    [
        ("漢", "을", "漢을(를)"),
        ("漢", "로", "漢(으)로"),
        ("漢", "라", "漢(이)라"),
        ("🙂", "이", "🙂이(가)"),
        ("Москва", "과", "Москва과(와)"),
    ],
)
def test_what_korean_cannot_read_gets_both_forms(noun: str, particle: str, expected: str) -> None:
    assert call("JOSA", noun, particle) == expected


@pytest.mark.parametrize(("noun", "particle", "expected"), [("책", "만", "책만"), ("책", "", "책"), ("", "을", "을")])
def test_an_unknown_particle_and_an_empty_noun_change_nothing(noun: str, particle: str, expected: str) -> None:
    assert call("JOSA", noun, particle) == expected
