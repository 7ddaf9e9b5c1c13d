"""Events of the WebSocket API: what a browser offers, what the authorizer says to all later events of its socket."""

from typing import Any, Final

from shared.channels.web.frames import SUBPROTOCOL
from shared.channels.web.tokens import Claims
from shared.runtime.http import Event, header

INVOKE: Final = "execute-api:Invoke"


def offered_token(event: Event) -> str | None:
    """The token in the list of subprotocols: a URL would stand in logs, and browsers can set no header. None when the
    protocol itself is not offered before it."""
    offered = [given.strip() for given in (header(event, "sec-websocket-protocol") or "").split(",")]
    return offered[1] if len(offered) == 2 and offered[0] == SUBPROTOCOL else None  # noqa: PLR2004 - both of them


def own_origin(event: Event) -> str | None:
    """Where the installation's own pages are: a variable of the stage."""
    found = (event.get("stageVariables") or {}).get("ownOrigin")
    return found if isinstance(found, str) else None


def welcome(event: Event, claims: Claims) -> dict[str, Any]:
    """The authorizer's answer to whom it lets in. API Gateway hands the context on as texts."""
    return {
        **_policy(event, "Allow", claims.end_user_id),
        "context": {
            "botId": claims.bot_id,
            "endUserId": claims.end_user_id,
            "userKey": claims.user_key,
            "log": claims.log,
            "iat": claims.issued_at_s,
            "exp": claims.expires_at_s,
        },
    }


def refusal(event: Event) -> dict[str, Any]:
    """Its answer to all others: 403, whatever is wrong. An exception would be one to the function's alarm, too."""
    return _policy(event, "Deny", "stranger")


def claims_of(event: Event) -> Claims:
    """Who sends, as the authorizer said."""
    said = event["requestContext"]["authorizer"]
    return Claims(
        bot_id=said["botId"],
        user_key=said["userKey"],
        issued_at_s=int(said["iat"]),
        expires_at_s=int(said["exp"]),
    )


def _policy(event: Event, effect: str, principal: str) -> dict[str, Any]:
    statement = {"Action": INVOKE, "Effect": effect, "Resource": event["methodArn"]}
    return {"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
