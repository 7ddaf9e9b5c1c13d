import pytest

from shared.channels.web.hours import WeeklyHours
from shared.channels.web.origins import is_allowed, parse_origin
from shared.channels.web.settings import ContactForm, IdentityKey, WebSettings
from shared.errors import InvalidInput

SHOP = "https://shop.example"


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("https://shop.example", SHOP),
        (" HTTPS://Shop.Example/ ", SHOP),
        ("https://shop.example:443", SHOP),
        ("http://shop.example:80", "http://shop.example"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://말길.한국", "https://xn--wk0bw3t.xn--3e0b707e"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(typed, origin):
    assert parse_origin(typed, "origin") == origin
    assert is_allowed(origin, [origin])


@pytest.mark.parametrize(
    "typed",
    [
        *("", "null", "*", "shop.example", "https://", "https://*.shop.example", "https://shop.example/path"),
        *(
            "https://shop.example?x",
            "https://user@shop.example",
            "javascript:alert(1)",
            "file:///tmp",
            "ftp://shop.example",
        ),
        *("https://shop.example:0", "https://shop.example:99999", "https://shop.example:x", "https://" + "a" * 400),
        *("https://shop.example\nhttps://other.example", "https://shop.example, https://other.example"),
    ],
)
def test_what_is_no_origin_is_refused_with_its_place(typed):
    with pytest.raises(InvalidInput, match=r"^web\.allowedOrigins\[0\]: "):
        WebSettings.parse({"allowedOrigins": [typed]})


@pytest.mark.parametrize(
    "origin",
    [
        *(
            "null",
            "",
            "http://shop.example",
            "https://shop.example:8443",
            "https://www.shop.example",
            "https://shop.example.",
        ),
        *(
            "https://shop.example.evil.example",
            "https://SHOP.example",
            "https://shop.example/",
            "https://evilshop.example",
        ),
    ],
)
def test_scheme_host_and_port_must_be_the_very_ones(origin):
    assert not is_allowed(origin, [SHOP])


def test_without_a_list_every_page_may_show_the_bot_but_null_is_no_page():
    assert is_allowed("https://any.example", [])
    assert not is_allowed("null", [])
    assert not is_allowed("anything", [])


def test_who_sends_no_origin_is_no_browser_on_another_page():
    assert is_allowed(None, [SHOP])


def test_the_installations_own_pages_need_not_be_listed():
    assert is_allowed("https://api.example", [SHOP], own="https://api.example")
    assert not is_allowed("https://other.example", [SHOP], own="https://api.example")


def test_settings_are_read_back_as_they_were_stored():
    settings = WebSettings(
        enabled=True,
        allowed_origins=(SHOP,),
        require_identity=True,
        identity_keys=(IdentityKey(key_id="id_1", secret="c" * 43),),
        theme={"primaryColor": "#123456"},
        uploads=False,
        contact_form=ContactForm(required=True, fields=("name", "email"), consent="개인정보 수집에 동의합니다"),
        hours=WeeklyHours.of_rules(["mon-fri 10:00-18:00"], "Asia/Seoul"),
    )
    assert WebSettings.parse(settings.to_dict()) == settings


def test_the_fields_of_a_contact_form_have_one_order():
    form = ContactForm.parse({"fields": ["email", "name", "email"]}, "form")
    assert form == ContactForm(required=False, fields=("name", "email"), consent="")


def test_characters_are_counted_as_people_do():
    family = "👨‍👩‍👧‍👦"
    assert WebSettings.parse({"theme": {"greetingReplies": [family * 20]}}).theme["greetingReplies"] == [family * 20]
    with pytest.raises(InvalidInput):
        WebSettings.parse({"theme": {"greetingReplies": [family * 21]}})


def test_a_bot_that_was_never_connected_is_off():
    assert not WebSettings.of({}).enabled
    assert WebSettings.of({"web": {}}).enabled


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ([], "web:"),
        ({"enabled": "yes"}, "web.enabled:"),
        ({"requireIdentity": 1}, "web.requireIdentity:"),
        ({"allowedOrigins": SHOP}, "web.allowedOrigins:"),
        ({"allowedOrigins": [1]}, r"web.allowedOrigins\[0\]:"),
        ({"identityKeys": [{"id": "a/b", "secret": "c" * 43}]}, r"web.identityKeys\[0\].id:"),
        ({"identityKeys": [{"id": "a", "secret": "short"}]}, r"web.identityKeys\[0\].secret:"),
        ({"identityKeys": [{}, {}, {}]}, "web.identityKeys:"),
        ({"theme": "dark"}, "web.theme:"),
        ({"theme": {"onload": "x"}}, "web.theme.onload:"),
        ({"theme": {"title": "x" * 5_000}}, "web.theme:"),
        ({"theme": {"title": 2026}}, "web.theme.title:"),
        ({"theme": {"primaryColor": None}}, "web.theme.primaryColor:"),
        ({"theme": {"announceAgent": "yes"}}, "web.theme.announceAgent:"),
        ({"theme": {"locale": "fr"}}, "web.theme.locale:"),
        ({"theme": {"locale": ["ko"]}}, "web.theme.locale:"),
        ({"theme": {"greetingReplies": "hello"}}, "web.theme.greetingReplies:"),
        ({"theme": {"greetingReplies": ["a", "b", "c", "d"]}}, "web.theme.greetingReplies:"),
        ({"theme": {"greetingReplies": ["a", "x" * 21]}}, r"web.theme.greetingReplies\[1\]:"),
        ({"theme": {"greetingReplies": [" "]}}, r"web.theme.greetingReplies\[0\]:"),
        ({"theme": {"greetingReplies": ["e" + "\u0301" * 300]}}, r"web.theme.greetingReplies\[0\]:"),
        ({"contactForm": True}, "web.contactForm:"),
        ({"contactForm": {"fields": []}}, "web.contactForm.fields:"),
        ({"contactForm": {"fields": ["name", "age"]}}, "web.contactForm.fields:"),
        ({"contactForm": {"fields": ["name"], "required": "yes"}}, "web.contactForm.required:"),
        ({"contactForm": {"fields": ["name"], "consent": "x" * 301}}, "web.contactForm.consent:"),
        ({"contactForm": {"fields": ["name"], "address": True}}, "web.contactForm.address:"),
        ({"hours": {"week": {}}}, "web.hours:"),
    ],
)
def test_wrong_settings_are_refused_with_their_place(data, place):
    with pytest.raises(InvalidInput, match=f"^{place}"):
        WebSettings.parse(data)
