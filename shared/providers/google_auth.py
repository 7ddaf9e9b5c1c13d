"""Access tokens of Google: for a service account (a signed JWT, RFC 7523) or a person's refresh token (RFC 6749, 6).

https://developers.google.com/identity/protocols/oauth2/service-account#httprest
https://developers.google.com/identity/protocols/oauth2/web-server#offline
"""

import base64
import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from shared.net.messages import OutboundResponse
from shared.providers.answers import Answer
from shared.providers.calls import Calls
from shared.providers.credentials import Credential
from shared.providers.fault import CREDENTIAL, PROVIDER, ProviderFault

TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
"""Fixed: the one in a service account's file is not asked, a file could send the signature anywhere."""
JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT_SECONDS: Final = 3600
"""Google: at most an hour."""
KEPT_SECONDS: Final = 3600
"""At most, whatever the answer says."""
MARGIN_MS: Final = 60_000
"""A token this close to its end counts as over: the clocks differ and the call takes time."""
KEPT_MOST: Final = 256
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
BAD_REQUEST: Final = 400
MILLISECONDS: Final = 1000


class GoogleTokens:
    """Gets tokens and remembers them until they end. `now_ms` is the time of day."""

    def __init__(self, now_ms: Callable[[], int], *, token_url: str = TOKEN_URL) -> None:
        self._now_ms = now_ms
        self._token_url = token_url
        self._kept: dict[tuple[str, str], tuple[int, str]] = {}

    def send(
        self, calls: Calls, credential: Credential, *, scope: str, method: str, url: str, body: bytes = b""
    ) -> OutboundResponse:
        """A call with a token. A token that Google no longer takes is replaced once: the call it refused did nothing.
        Raises ProviderFault when Google refuses the credential itself, or what it may do."""
        response = self._send(calls, self._token(calls, credential, scope), method, url, body)
        if response.status == UNAUTHORIZED:
            self._kept.pop((credential.fingerprint, scope), None)
            response = self._send(calls, self._token(calls, credential, scope), method, url, body)
        if response.status in {UNAUTHORIZED, FORBIDDEN}:
            fault = calls.refused(response, CREDENTIAL)
            account = credential.optional_text("client_email")
            hint = f"; what it is for must be shared with {account}" if account else ""
            raise ProviderFault(CREDENTIAL, f"{fault.message}, with credential '{credential.name}'{hint}")
        return response

    def _send(self, calls: Calls, token: str, method: str, url: str, body: bytes) -> OutboundResponse:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if body:
            headers["Content-Type"] = "application/json; charset=utf-8"
        return calls.send(method, url, headers=headers, body=body)

    def _token(self, calls: Calls, credential: Credential, scope: str) -> str:
        key = (credential.fingerprint, scope)
        kept = self._kept.get(key)
        if kept is None or kept[0] <= self._now_ms():
            kept = self._asked(calls, credential, scope)
            while len(self._kept) >= KEPT_MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = kept
        calls.hide(kept[1])
        return kept[1]

    def _asked(self, calls: Calls, credential: Credential, scope: str) -> tuple[int, str]:
        """(when it ends in epoch milliseconds, token)"""
        asked_at = self._now_ms()
        form = self._form(credential, scope, asked_at)
        response = calls.send("POST", self._token_url, headers=FORM, body=urlencode(form).encode())
        if BAD_REQUEST <= response.status <= FORBIDDEN:
            words = calls.words_of(response)
            raise ProviderFault(CREDENTIAL, f"Google refuses credential '{credential.name}' ({words or 'no reason'})")
        answer = calls.read(response)
        # A token whose end Google does not say is used now and not kept.
        seconds = min(answer["expires_in"].optional_number() or 0, KEPT_SECONDS)
        return asked_at + int(seconds * MILLISECONDS) - MARGIN_MS, _token_of(answer)

    def _form(self, credential: Credential, scope: str, now_ms: int) -> dict[str, str]:
        if credential.optional_text("refresh_token") is not None:
            return {
                "grant_type": "refresh_token",
                "refresh_token": credential.text("refresh_token"),
                "client_id": credential.text("client_id"),
                "client_secret": credential.text("client_secret"),
            }
        issued_at = now_ms // MILLISECONDS
        claims = {
            "iss": credential.text("client_email"),
            "scope": scope,
            "aud": TOKEN_URL,
            "iat": issued_at,
            "exp": issued_at + JWT_SECONDS,
        }
        header = {"alg": "RS256", "typ": "JWT"}
        key_id = credential.optional_text("private_key_id")
        if key_id is not None:
            header["kid"] = key_id
        signed = f"{_segment(header)}.{_segment(claims)}"
        signature = _rs256(signed.encode("ascii"), credential)
        return {"grant_type": JWT_BEARER, "assertion": f"{signed}.{_base64url(signature)}"}


def _token_of(answer: Answer) -> str:
    token = answer["access_token"].text()
    if not token or not token.isascii() or not token.isprintable():
        raise ProviderFault(PROVIDER, f"{answer.place}.access_token is no token")
    return token


def _rs256(data: bytes, credential: Credential) -> bytes:
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, 3.3)."""
    from Cryptodome.Hash import SHA256  # noqa: PLC0415 - only who signs waits for it
    from Cryptodome.PublicKey import RSA  # noqa: PLC0415
    from Cryptodome.Signature import pkcs1_15  # noqa: PLC0415

    try:
        key = RSA.import_key(credential.text("private_key"))
        return pkcs1_15.new(key).sign(SHA256.new(data))
    except (ValueError, IndexError, TypeError):  # TypeError: it is a public key
        # The library's words come from the key: they are not passed on.
        raise ProviderFault(
            CREDENTIAL, f"the private_key of credential '{credential.name}' is not an RSA key in PEM"
        ) from None


def _segment(value: dict[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
