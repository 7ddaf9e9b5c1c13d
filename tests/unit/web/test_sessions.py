import jwt
import pytest

from shared.channels.web.settings import WebSettings
from shared.channels.web.tokens import LIFETIME_S, Claims, TokenExpired, issue
from shared.errors import AccessDenied, Conflict
from shared.ids import end_user_id
from tests.api_world import json_of
from tests.web_session_world import SHOP

DAY_MS = 86_400_000


def code(answer) -> tuple[int, str]:
    return answer["statusCode"], json_of(answer)["error"]["code"]


def place(answer) -> str:
    assert answer["statusCode"] == 400, answer
    return json_of(answer)["error"]["message"].split(":")[0]


# ---- sessions


def test_somebody_new_gets_a_key_that_nobody_can_guess_and_a_token_for_an_hour(web):
    answer = web.open()
    session = json_of(answer)
    assert answer["statusCode"] == 201
    assert session["userKey"].startswith("anon_")
    assert session["endUserId"] == end_user_id("shop", "web", session["userKey"])
    assert (session["conversationId"], session["rev"]) == (None, 0)
    assert session["socketUrl"] == "wss://socket.example/prod"
    claims = web.tokens.parse(session["token"], bot_id="shop")
    assert claims.user_key == session["userKey"]
    assert claims.expires_at_s == web.ms // 1_000 + LIFETIME_S
    assert json_of(web.open())["userKey"] != session["userKey"]


def test_a_session_writes_no_turn(web):
    before = len(web.turns.rows)
    web.open(userKey="kim", params={"from": "main"})
    assert len(web.turns.rows) == before


def test_a_page_says_who_its_end_user_is_where_no_identity_is_required(web):
    session = json_of(web.open(userKey="kim"))
    assert (session["userKey"], session["endUserId"]) == ("kim", end_user_id("shop", "web", "kim"))


def test_a_token_that_has_ended_says_for_thirty_days_who_somebody_was(web):
    first = json_of(web.open())
    web.ms += 30 * DAY_MS
    assert json_of(web.open(resume=first["token"]))["userKey"] == first["userKey"]
    with pytest.raises(TokenExpired):
        web.tokens.parse(first["token"])
    web.ms += 3_600_000
    assert code(web.open(resume=first["token"])) == (401, "expired")


def test_a_token_of_another_bot_resumes_nothing(web):
    other = json_of(web.call("POST", "/sessions", body={"botId": "other"}))["token"]
    assert code(web.open(resume=other)) == (403, "access_denied")
    assert code(web.open(resume=other[:-3] + "abc")) == (403, "access_denied")


def test_who_restarts_has_no_conversation_yet(web):
    first = json_of(web.open())
    assert json_of(web.open(resume=first["token"], restart=True))["conversationId"] is None


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"botId": None}, "body.botId"),
        ({"userKey": ""}, "body.userKey"),
        ({"userKey": "k" * 91}, "body.userKey"),
        ({"userKey": 7}, "body.userKey"),
        ({"identity": "x" * 5_000}, "body.identity"),
        ({"resume": ""}, "body.resume"),
        ({"restart": "yes"}, "body.restart"),
        ({"params": []}, "body.params"),
        ({"params": {"a b": 1}}, "body.params.a b"),
        ({"params": {"a": "가" * 30_000}}, "body"),
        ({"params": {"a": "x" * 64_000}}, "body.params"),
        ({"platform": "kakao"}, "body.platform"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(web, body, where):
    assert place(web.open(**body)) == where


def test_params_that_are_too_long_are_told_of_before_the_conversation(web):
    assert place(web.open(params={"a": "x" * 64_100})) == "body.params"
    assert web.open(params={"a": "x" * 60_000})["statusCode"] == 201


@pytest.mark.parametrize("bot_id", ["nobody", "../shop", "shop%2f", "B" * 65])
def test_a_bot_that_is_not_there_is_not_found(web, bot_id):
    assert code(web.call("POST", "/sessions", body={"botId": bot_id})) == (404, "not_found")


def test_a_bot_that_is_off_takes_nobody_in(web):
    token = json_of(web.open())["token"]
    web.connect(enabled=False)
    assert code(web.open()) == (404, "not_found")
    assert code(web.call("POST", "/uploads", token=token, body={})) == (404, "not_found")


# ---- identity


@pytest.fixture
def identity(web) -> WebSettings:
    return web.connect(require_identity=True, new_identity_key=True)


def test_a_user_key_without_identity_is_refused_where_it_is_required(web, identity):
    assert code(web.open(userKey="kim")) == (403, "access_denied")
    assert web.open()["statusCode"] == 201


def test_a_customers_server_vouches_for_its_user(web, identity):
    key = identity.identity_keys[0]
    session = json_of(web.open(userKey="kim", identity=web.vouch("kim", key.secret, key.key_id)))
    assert session["userKey"] == "kim"
    assert json_of(web.open(resume=session["token"]))["userKey"] == "kim"


def test_wrong_identities_are_refused_also_where_none_is_required(web, identity):
    key = identity.identity_keys[0]
    wrong = [
        web.vouch("lee", key.secret, key.key_id),
        web.vouch("kim", "x" * 43, key.key_id),
        web.vouch("kim", key.secret, "../" + key.key_id),
        web.vouch("kim", key.secret, key.key_id, aud="other"),
        web.vouch("kim", key.secret, key.key_id, exp=web.ms // 1_000 - 61),
        jwt.encode({"sub": "kim", "aud": "shop"}, "", algorithm="none", headers={"kid": key.key_id}),
        json_of(web.open())["token"],
    ]
    for token in wrong:
        assert code(web.open(userKey="kim", identity=token)) == (403, "access_denied")
    web.connect(require_identity=False)
    for token in wrong:
        assert code(web.open(userKey="kim", identity=token)) == (403, "access_denied")


def test_a_token_from_before_identity_was_required_does_not_get_around_it(web):
    taken = json_of(web.open(userKey="kim"))["token"]
    anonymous = json_of(web.open())["token"]
    web.connect(require_identity=True, new_identity_key=True)
    assert code(web.open(resume=taken)) == (403, "access_denied")
    assert code(web.open(resume=taken, userKey="kim")) == (403, "access_denied")
    assert web.open(resume=anonymous)["statusCode"] == 201


def test_a_token_renews_nothing_when_the_key_that_vouched_is_gone(web, identity):
    key = identity.identity_keys[0]
    token = json_of(web.open(userKey="kim", identity=web.vouch("kim", key.secret, key.key_id)))["token"]
    web.connect(new_identity_key=True)
    assert web.open(resume=token)["statusCode"] == 201
    web.connect(new_identity_key=True)
    assert code(web.open(resume=token)) == (403, "access_denied")


# ---- API keys


def test_a_server_with_a_key_opens_a_session_for_anybody(web, identity):
    _, key = web.keys.make(name="crm", scopes=("conversations:write",))
    session = json_of(web.open(key=key, origin=None, userKey="kim"))
    assert session["userKey"] == "kim"
    assert json_of(web.open(resume=session["token"]))["userKey"] == "kim"


def test_a_wrong_key_is_no_key(web):
    _, weak = web.keys.make(name="bi", scopes=("conversations:read",))
    assert code(web.open(key="mgk_" + "9" * 32)) == (401, "access_denied")
    assert code(web.open(key=json_of(web.open())["token"])) == (401, "access_denied")
    assert code(web.open(key=weak)) == (403, "missing_scope")


def test_servers_with_a_key_are_not_limited_by_their_address(web):
    _, key = web.keys.make(name="crm", scopes=("conversations:write",))
    assert {web.open(key=key, origin=None, userKey=f"u{n}")["statusCode"] for n in range(40)} == {201}


# ---- sites


def allowed_origin(answer) -> str | None:
    return answer["headers"].get("access-control-allow-origin")


def test_only_listed_sites_show_a_bot_and_are_named_exactly(web):
    web.connect(origins=(SHOP,))
    good = web.open()
    assert (good["statusCode"], allowed_origin(good)) == (201, SHOP)
    assert good["headers"]["vary"] == "Origin"
    for origin in ("https://evil.example", "http://shop.example", "https://shop.example:8443", "null"):
        for answer in (web.open(origin=origin), web.call("GET", "/bots/shop", origin=origin)):
            assert (*code(answer), allowed_origin(answer)) == (403, "access_denied", None)


def test_a_token_is_no_use_on_another_site(web):
    web.connect(origins=(SHOP,))
    token = json_of(web.open())["token"]
    answer = web.call("POST", "/uploads", token=token, origin="https://evil.example", body={})
    assert (*code(answer), allowed_origin(answer)) == (403, "access_denied", None)


def test_a_bot_without_a_list_is_shown_everywhere_but_in_pages_without_a_place(web):
    assert allowed_origin(web.open(origin="https://any.example")) == "https://any.example"
    assert code(web.open(origin="null")) == (403, "access_denied")


def test_the_installations_own_pages_and_servers_need_not_be_listed(web):
    web.connect(origins=(SHOP,))
    assert web.open(origin="https://api.example")["statusCode"] == 201
    assert web.open(origin=None)["statusCode"] == 201


def test_a_browser_asks_before_it_posts(web):
    answer = web.call("OPTIONS", "/sessions")
    assert (answer["statusCode"], allowed_origin(answer)) == (204, SHOP)
    assert answer["headers"]["access-control-allow-methods"] == "POST"
    assert "authorization" in answer["headers"]["access-control-allow-headers"]
    assert allowed_origin(web.call("OPTIONS", "/sessions", origin="null")) is None


def test_no_cookie_of_a_page_is_ever_taken(web):
    for answer in (web.open(), web.call("OPTIONS", "/sessions")):
        assert "access-control-allow-credentials" not in answer["headers"]


# ---- the public settings


def test_a_page_learns_what_it_shows_and_no_secret(web, identity):
    answer = web.call("GET", "/bots/shop")
    assert json_of(answer) == {
        "botId": "shop",
        "enabled": True,
        "title": "Shop",
        "description": "We sell",
        "theme": {},
        "uploads": True,
        "contactForm": None,
        "hours": None,
    }
    assert answer["headers"]["cache-control"] == "public, max-age=300"


def test_a_page_learns_of_the_contact_form_and_the_theme(web):
    form = {"required": True, "fields": ["name", "phone"], "consent": "동의합니다"}
    theme = {"announceAgent": False, "greetingReplies": ["배송 조회"], "locale": "en"}
    web.authoring.change_web("shop", {"contactForm": form, "theme": theme})
    shown = json_of(web.call("GET", "/bots/shop"))
    assert (shown["contactForm"], shown["theme"]) == (form, theme)


def test_a_page_learns_when_agents_are_there_and_keeps_it_no_longer_than_it_is_true(web):
    week = {"sun": ["14:02-18:00"]}
    web.authoring.change_web("shop", {"hours": {"timeZone": "Asia/Seoul", "week": week}})
    web.ms = 1_795_323_660_000  # Sunday, 2026-11-22 14:01 in Seoul
    closed = web.call("GET", "/bots/shop")
    assert json_of(closed)["hours"] == {"open": False, "text": "14:02 ~ 18:00", "opensAt": "2026-11-22T05:02:00.000Z"}
    assert closed["headers"]["cache-control"] == "public, max-age=60"
    web.ms += 60_000
    tag = closed["headers"]["etag"]
    opened = web.call("GET", "/bots/shop", headers={"if-none-match": tag})
    assert (opened["statusCode"], json_of(opened)["hours"]["opensAt"]) == (200, None)
    assert json_of(opened)["hours"]["open"] is True
    assert opened["headers"]["cache-control"] == "public, max-age=300"


def test_what_a_page_knows_already_is_not_sent_again(web):
    tag = web.call("GET", "/bots/shop")["headers"]["etag"]
    for known in (tag, f'"x", W/{tag}'):
        again = web.call("GET", "/bots/shop", headers={"if-none-match": known})
        assert (again["statusCode"], again["body"], again["headers"]["etag"]) == (304, "", tag)
    web.connect(enabled=False)
    changed = web.call("GET", "/bots/shop", headers={"if-none-match": tag})
    assert (changed["statusCode"], json_of(changed)["enabled"]) == (200, False)


def test_a_bot_that_was_never_connected_to_the_web_is_not_found(web):
    web.authoring.import_file("secret", b'{"title": "Not yet", "flows": []}')
    assert code(web.call("GET", "/bots/secret")) == (404, "not_found")


def test_other_routes_and_methods_are_refused(web):
    assert code(web.call("GET", "/nothing")) == (404, "not_found")
    answer = web.call("GET", "/sessions")
    assert (*code(answer), answer["headers"]["allow"]) == (405, "method_not_allowed", "POST")


# ---- limits


def test_thirty_sessions_a_minute_from_one_address(web):
    statuses = [web.open()["statusCode"] for _ in range(31)]
    assert statuses == [201] * 30 + [429]
    late = web.open()
    assert code(late) == (429, "rate_limited")
    assert 0 < int(late["headers"]["retry-after"]) <= 60
    assert web.open(ip="192.0.2.11")["statusCode"] == 201
    web.ms += 60_000
    assert web.open()["statusCode"] == 201


def test_an_ipv6_network_is_one_address(web):
    statuses = [web.open(ip=f"2001:db8::{n:x}")["statusCode"] for n in range(31)]
    assert statuses[-1] == 429
    assert web.open(ip="2001:db8:0:1::1")["statusCode"] == 201


def test_slow_callers_and_refused_ones_cost_no_write(web):
    for _ in range(5):
        web.open()
    assert web.rates.calls == 0
    for _ in range(100):
        web.open()
    assert web.rates.calls == 25


def test_other_functions_count_too(web):
    web.rates.counts["session 192.0.2.10", web.ms // 60_000] = 28
    assert [web.open()["statusCode"] for _ in range(6)] == [201] * 5 + [429]


# ---- the signing keys


def test_keys_are_made_once_and_read_every_five_minutes(web):
    web.open()
    reads = web.row.reads
    for _ in range(3):
        web.open()
    assert web.row.reads == reads
    web.ms += 301_000
    web.open()
    assert web.row.reads == reads + 1


def test_before_the_first_session_every_token_is_wrong(web):
    with pytest.raises(AccessDenied):
        web.tokens.parse("a.b.c")
    assert web.row.keys is None


def test_a_new_key_signs_when_everybody_has_read_it_and_the_one_before_stays_good(web):
    first = json_of(web.open())
    elsewhere = web.other_tokens()
    elsewhere.parse(first["token"])  # another process, which remembers the keys from now on
    keys = web.tokens.rotate()
    web.ms += 299_000
    early = json_of(web.open())["token"]
    assert kid_of(early) == kid_of(first["token"]) != keys.current.kid
    elsewhere.parse(early)
    web.ms += 301_000
    late = json_of(web.open())["token"]
    assert kid_of(late) == keys.current.kid
    elsewhere.parse(late)
    assert json_of(web.open(resume=first["token"]))["userKey"] == first["userKey"]


def test_a_key_ends_with_the_last_token_that_it_may_have_signed(web):
    web.open()
    web.tokens.rotate()
    web.ms += 599_000
    last = json_of(web.open())
    web.ms += 3_600_000 + 30 * DAY_MS - 1_000
    assert json_of(web.open(resume=last["token"]))["userKey"] == last["userKey"]
    web.ms += 62_000
    assert code(web.open(resume=last["token"])) == (403, "access_denied")
    leaked = issue(Claims.fresh("shop", "kim", web.tokens.now_s), web.row.keys.previous[0])
    assert code(web.open(resume=leaked)) == (403, "access_denied")


def test_a_key_that_leaked_is_forgotten_within_five_minutes(web):
    token = json_of(web.open())["token"]
    elsewhere = web.other_tokens()
    elsewhere.parse(token)
    keys = web.tokens.rotate(forget=True)
    assert keys.previous == ()
    assert code(web.open(resume=token)) == (403, "access_denied")
    assert kid_of(json_of(web.open())["token"]) == keys.current.kid
    web.ms += 300_000
    with pytest.raises(AccessDenied):
        elsewhere.parse(token)


def test_no_key_is_ended_before_its_time_because_there_are_many(web):
    web.open()
    for _ in range(4):
        web.tokens.rotate()
    with pytest.raises(Conflict):
        web.tokens.rotate()
    web.ms += 31 * DAY_MS
    assert len(web.tokens.rotate().previous) == 1


def test_rotating_before_the_first_session_makes_the_first_key(web):
    assert web.tokens.rotate() == web.row.keys
    assert kid_of(json_of(web.open())["token"]) == web.row.keys.current.kid


def kid_of(token: str) -> str:
    return jwt.get_unverified_header(token)["kid"]
