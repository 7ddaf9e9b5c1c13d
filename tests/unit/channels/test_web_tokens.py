import base64
import json

import jwt
import pytest

from shared.channels.web.settings import IdentityKey
from shared.channels.web.tokens import (
    LEEWAY_S,
    LIFETIME_S,
    MAX_TOKEN,
    Claims,
    SigningKey,
    SigningKeys,
    TokenExpired,
    check_identity,
    issue,
    parse,
)
from shared.errors import AccessDenied
from shared.ids import end_user_id, log_key

NOW = 1_795_000_000
KEY = SigningKey(kid="k2", secret="s" * 43, signs_from_s=NOW - 1)
OLD = SigningKey(kid="k1", secret="o" * 43)
KEYS = SigningKeys(current=KEY, previous=(OLD,))
KIM = Claims.fresh("shop", "kim", NOW)


def forged(header=None, secret=KEY.secret, algorithm="HS256", **payload) -> str:
    """A token that differs from a right one in what is given; None takes a claim away."""
    right = {"iss": "malgil", "aud": "shop", "sub": KIM.end_user_id, "uk": "kim", "iat": NOW, "exp": NOW + LIFETIME_S}
    claims = {name: value for name, value in {**right, **payload}.items() if value is not None}
    return jwt.encode(claims, secret, algorithm=algorithm, headers={"kid": KEY.kid, **(header or {})})


def unsigned(header: dict, payload: dict) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, payload)]
    return ".".join([*parts, ""])


def test_a_token_says_who_somebody_is_to_which_bot_and_until_when():
    claims = parse(issue(KIM, KEY), KEYS, NOW + 10)
    assert claims == KIM
    assert claims.end_user_id == end_user_id("shop", "web", "kim")
    assert claims.log == log_key("web", "kim")
    assert claims.expires_at_s == NOW + 3_600
    assert jwt.decode(issue(KIM, KEY), options={"verify_signature": False}) == {
        "iss": "malgil",
        "aud": "shop",
        "sub": KIM.end_user_id,
        "uk": "kim",
        "iat": NOW,
        "exp": NOW + 3_600,
    }


def test_the_test_itself_forges_nothing_when_it_changes_nothing():
    assert parse(forged(), KEYS, NOW) == KIM


def test_tokens_of_the_key_before_are_still_good():
    assert parse(issue(KIM, OLD), KEYS, NOW) == KIM
    with pytest.raises(AccessDenied):
        parse(issue(KIM, OLD), SigningKeys(current=KEY), NOW)


def test_a_token_ends_a_minute_after_its_time_because_clocks_differ():
    token, end = issue(KIM, KEY), NOW + LIFETIME_S + LEEWAY_S
    assert parse(token, KEYS, end - 1) == KIM
    with pytest.raises(TokenExpired):
        parse(token, KEYS, end)
    assert parse(token, KEYS, end, grace_s=100) == KIM
    with pytest.raises(TokenExpired):
        parse(token, KEYS, end + 100, grace_s=100)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param("x", id="no token"),
        pytest.param("a.b.c", id="three parts of nothing"),
        pytest.param(issue(KIM, KEY)[:-2], id="cut off"),
        pytest.param(issue(KIM, KEY) + "\n", id="line end"),
        pytest.param("a." + "b" * MAX_TOKEN + ".c", id="very long"),
        pytest.param(forged(secret="x" * 43), id="other secret"),
        pytest.param(forged(secret=OLD.secret), id="secret of another kid"),
        pytest.param(forged(secret="x" * 64, algorithm="HS512"), id="other algorithm"),
        pytest.param(
            jwt.encode({"aud": "shop"}, KEY.secret * 2, algorithm="HS512", headers={"kid": "k2"}),
            id="its own algorithm",
        ),
        pytest.param(unsigned({"alg": "none", "kid": "k2"}, {"aud": "shop"}), id="alg none"),
        pytest.param(forged({"kid": "../../k2"}), id="kid with path characters"),
        pytest.param(forged({"kid": "k9"}), id="unknown kid"),
        pytest.param(jwt.encode({"aud": "shop"}, KEY.secret), id="no kid"),
        pytest.param(forged(iss="someone"), id="issuer"),
        pytest.param(forged(aud=["shop"]), id="audience is a list"),
        pytest.param(forged(aud="../shop"), id="audience is no bot id"),
        pytest.param(forged(aud="other"), id="another bot's, for this end user"),
        pytest.param(forged(sub=end_user_id("shop", "web", "lee")), id="another end user"),
        pytest.param(forged(uk="lee"), id="another userKey"),
        pytest.param(forged(uk=None), id="no userKey"),
        pytest.param(forged(exp=None), id="no end"),
        pytest.param(forged(exp="tomorrow"), id="end is a text"),
        pytest.param(forged(exp=10**30), id="no such time"),
        pytest.param(forged(iat=NOW + 3_000), id="issued in the future"),
    ],
)
def test_any_other_token_is_refused_without_a_reason(token):
    with pytest.raises(AccessDenied, match=r"^the token is wrong or missing$"):
        parse(token, KEYS, NOW)


def test_a_token_of_another_bot_is_refused():
    with pytest.raises(AccessDenied):
        parse(issue(KIM, KEY), KEYS, NOW, bot_id="other")
    assert parse(issue(KIM, KEY), KEYS, NOW, bot_id="shop") == KIM


def test_secrets_are_not_shown():
    assert KEY.secret not in repr(KEYS)
    assert KEY.secret not in repr(IdentityKey(key_id="k2", secret=KEY.secret))


# ---- what customers' servers sign

CUSTOMER = IdentityKey(key_id="id_1", secret="c" * 43)


def vouched(header=None, secret=CUSTOMER.secret, **payload) -> str:
    claims = {"sub": "kim", "aud": "shop", "exp": NOW + 300, **payload}
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        secret,
        algorithm="HS256",
        headers={"kid": "id_1", **(header or {})},
    )


def check(token):
    check_identity(token, [CUSTOMER], bot_id="shop", user_key="kim", now_s=NOW)


@pytest.mark.parametrize(
    "token", [vouched(), vouched(aud=["crm", "shop"]), vouched(exp=NOW - 59), vouched(nbf=NOW + 59)]
)
def test_a_customers_server_vouches_for_its_user(token):
    check(token)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(None, id="none"),
        pytest.param(vouched(sub="lee"), id="somebody else"),
        pytest.param(vouched(sub=None), id="nobody"),
        pytest.param(vouched(aud="other"), id="another bot"),
        pytest.param(vouched(aud=None), id="no bot"),
        pytest.param(vouched(exp=NOW - 60), id="over"),
        pytest.param(vouched(exp=None), id="for ever"),
        pytest.param(vouched(nbf=NOW + 61), id="not begun"),
        pytest.param(vouched(secret="x" * 43), id="forged"),
        pytest.param(vouched({"kid": "../id_1"}), id="kid with path characters"),
        pytest.param(vouched({"kid": "id_2"}), id="unknown key"),
        pytest.param(unsigned({"alg": "none", "kid": "id_1"}, {"sub": "kim", "aud": "shop"}), id="alg none"),
        pytest.param(issue(KIM, KEY), id="a token of ours"),
    ],
)
def test_nothing_else_vouches_for_anybody(token):
    with pytest.raises(AccessDenied, match="identity"):
        check(token)
