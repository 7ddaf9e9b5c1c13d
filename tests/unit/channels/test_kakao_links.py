"""Only addresses that lead somewhere safe reach a bubble, in the form that Kakao takes."""

import pytest

from shared.channels.kakao.links import mail_address, mail_link, map_link, phone_number, web_address


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("https://e.kakao.com/t/hello-ryan", "https://e.kakao.com/t/hello-ryan"),
        (" HTTP://a.kr ", "http://a.kr"),
        ("https://a.kr/나무 위키", "https://a.kr/%EB%82%98%EB%AC%B4%20%EC%9C%84%ED%82%A4"),
        ("https://a.kr/%EB%82%98?q=%20&r=가#끝", "https://a.kr/%EB%82%98?q=%20&r=%EA%B0%80#%EB%81%9D"),
        ("https://한글.kr:8443/", "https://xn--bj0bj06e.kr:8443/"),
        ('https://a.kr/"<b>\\', "https://a.kr/%22%3Cb%3E%5C"),
        ("https://a.kr/(a)?b=[1]&c='d'", "https://a.kr/(a)?b=[1]&c='d'"),
    ],
)
def test_a_web_address_is_percent_encoded_once(written, address):
    assert web_address(written) == address


@pytest.mark.parametrize(
    "written",
    [
        "",
        "a.kr",
        "//a.kr/x",
        "/x",
        "https://",
        "https:///x",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "https://a.kr/\nx",
        "data:text/html,x",
        "file:///etc/passwd",
        "intent://a.kr",
        "https://[::1",
        "https://a.kr:port/",
        "https://" + "가" * 64 + ".kr/",
        "https://a.kr/" + "가" * 500,
    ],
)
def test_what_is_no_safe_web_address_is_refused(written):
    assert web_address(written) is None


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("tel:02-123-4567", "02-123-4567"),
        ("TEL:+82 (2) 123.4567", "+8221234567"),
        ("tel:", None),
        ("tel:전화", None),
        ("https://a.kr", None),
    ],
)
def test_a_phone_number_is_plain(written, number):
    assert phone_number(written) == number


def test_a_mail_address_goes_through_the_redirect_page():
    address = mail_address("mailto:help@a.kr?subject=문의")
    assert address == "help@a.kr?subject=문의"
    assert mail_link("https://bots.a.kr/mail?to=", address) == (
        "https://bots.a.kr/mail?to=help%40a.kr%3Fsubject%3D%EB%AC%B8%EC%9D%98"
    )


def test_a_place_links_to_its_map():
    assert map_link("본점, 1층/로비", 37.5665, "126.978") == (
        "https://map.kakao.com/link/map/%EB%B3%B8%EC%A0%90%2C%201%EC%B8%B5%2F%EB%A1%9C%EB%B9%84,37.5665,126.978"
    )


def test_small_coordinates_are_written_as_decimals():
    assert map_link("a", 0.0000001, 10) == "https://map.kakao.com/link/map/a,0.0000001,10"


@pytest.mark.parametrize("latitude", [None, "", "북쪽", 91, -90.5, float("nan"), "inf", True, [37]])
def test_a_place_without_coordinates_has_no_map(latitude):
    assert map_link("a", latitude, 127) is None
