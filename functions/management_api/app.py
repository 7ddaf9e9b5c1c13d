"""The API for owners of bots, under /api: API keys, web channels, webhooks, usage, erasures. docs/api/management.yaml
describes it."""

import json
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final, cast

from shared.api_key import ApiKey
from shared.channels.web.settings import CHANGEABLE, WebSettings
from shared.conversation.erasure import Erasure
from shared.errors import InvalidInput
from shared.runtime import wiring, world
from shared.runtime.api import Api, Request
from shared.runtime.http import Event, Reply, empty_reply, reply
from shared.services.usage import Unit
from shared.services.webhook_management import MAX_PAGE
from shared.services.webhook_replay import ReplayedPage
from shared.webhooks.delivery import Attempt, Delivery, DeliveryState
from shared.webhooks.endpoint import Endpoint
from shared.webhooks.events import iso

JsonObject = dict[str, Any]

WEB: Final = "/api/bots/{botId}/web"
WEBHOOKS: Final = "/api/bots/{botId}/webhooks"
WEBHOOK: Final = "/api/bots/{botId}/webhooks/{webhookId}"
DELIVERY: Final = "/api/bots/{botId}/webhooks/{webhookId}/deliveries/{deliveryId}"
STATES: Final = ("pending", "delivered", "failed", "held", "erased")
UNITS: Final = ("hour", "day")
DEFAULT_PAGE: Final = 50

api = Api(wiring.api_keys)


def handler(event: Event, context: Any) -> Reply:
    return api(event, context)


# ---- keys


@api.route("GET", "/api/keys", scope="keys:write")
def list_keys(request: Request) -> Reply:
    request.query()
    return reply(HTTPStatus.OK, {"items": [key_json(key) for key in wiring.api_keys().list()]})


@api.route("POST", "/api/keys", scope="keys:write")
def make_key(request: Request) -> Reply:
    body = request.body("name", "scopes")
    key, text = wiring.api_keys().make(name=body.text("name"), scopes=body.texts("scopes"))
    return reply(HTTPStatus.CREATED, {**key_json(key), "key": text})


@api.route("DELETE", "/api/keys/{keyId}", scope="keys:write")
def revoke_key(request: Request) -> Reply:
    wiring.api_keys().revoke(request.path["keyId"])
    return empty_reply()


# ---- the web channel


@api.route("GET", WEB, scope="bots:read")
def get_web(request: Request) -> Reply:
    request.query()
    return reply(HTTPStatus.OK, web_json(wiring.authoring().web(request.path["botId"])))


@api.route("PATCH", WEB, scope="bots:write")
def change_web(request: Request) -> Reply:
    change = request.body(*CHANGEABLE).given()
    return reply(HTTPStatus.OK, web_json(wiring.authoring().change_web(request.path["botId"], change)))


@api.route("POST", f"{WEB}/identity-keys", scope="bots:write")
def make_identity_key(request: Request) -> Reply:
    request.body()
    key = wiring.authoring().make_identity_key(request.path["botId"]).identity_keys[0]
    return reply(HTTPStatus.CREATED, {"id": key.key_id, "secret": key.secret})


@api.route("DELETE", f"{WEB}/identity-keys/{{keyId}}", scope="bots:write")
def revoke_identity_key(request: Request) -> Reply:
    wiring.authoring().revoke_identity_key(request.path["botId"], request.path["keyId"])
    return empty_reply()


# ---- endpoints


@api.route("GET", WEBHOOKS, scope="webhooks:read")
def list_webhooks(request: Request) -> Reply:
    request.query()
    found = wiring.manage_webhooks().list(request.path["botId"])
    return reply(HTTPStatus.OK, {"items": [webhook_json(endpoint) for endpoint in found]})


@api.route("POST", WEBHOOKS, scope="webhooks:write")
def create_webhook(request: Request) -> Reply:
    body = request.body("name", "url", "closerUserAgent")
    endpoint = wiring.manage_webhooks().create(
        request.path["botId"],
        name=body.text("name"),
        url=body.text("url"),
        closer_user_agent=body.flag_or_none("closerUserAgent") or False,
    )
    return reply(HTTPStatus.CREATED, {**webhook_json(endpoint), "secret": endpoint.secret})


@api.route("GET", WEBHOOK, scope="webhooks:read")
def get_webhook(request: Request) -> Reply:
    request.query()
    return reply(HTTPStatus.OK, webhook_json(wiring.manage_webhooks().get(*webhook_of(request))))


@api.route("PATCH", WEBHOOK, scope="webhooks:write")
def change_webhook(request: Request) -> Reply:
    body = request.body("name", "url", "closerUserAgent")
    endpoint = wiring.manage_webhooks().change(
        *webhook_of(request),
        name=body.text_or_none("name"),
        url=body.text_or_none("url"),
        closer_user_agent=body.flag_or_none("closerUserAgent"),
    )
    return reply(HTTPStatus.OK, webhook_json(endpoint))


@api.route("DELETE", WEBHOOK, scope="webhooks:write")
def delete_webhook(request: Request) -> Reply:
    wiring.manage_webhooks().delete(*webhook_of(request))
    return empty_reply()


@api.route("POST", f"{WEBHOOK}/enable", scope="webhooks:write")
def enable_webhook(request: Request) -> Reply:
    request.body()
    return reply(HTTPStatus.OK, webhook_json(wiring.manage_webhooks().enable(*webhook_of(request))))


@api.route("POST", f"{WEBHOOK}/disable", scope="webhooks:write")
def disable_webhook(request: Request) -> Reply:
    request.body()
    return reply(HTTPStatus.OK, webhook_json(wiring.manage_webhooks().disable(*webhook_of(request))))


@api.route("POST", f"{WEBHOOK}/rotate-secret", scope="webhooks:write")
def rotate_secret(request: Request) -> Reply:
    request.body()
    endpoint = wiring.manage_webhooks().rotate_secret(*webhook_of(request))
    return reply(HTTPStatus.OK, {**webhook_json(endpoint), "secret": endpoint.secret})


# ---- deliveries


@api.route("POST", f"{WEBHOOK}/test", scope="webhooks:write")
def test_webhook(request: Request) -> Reply:
    request.body()
    return reply(HTTPStatus.OK, whole_delivery_json(wiring.manage_webhooks().test(*webhook_of(request))))


@api.route("GET", f"{WEBHOOK}/deliveries", scope="webhooks:read")
def list_deliveries(request: Request) -> Reply:
    query = request.query("limit", "cursor", "state", "from", "until")
    page = wiring.manage_webhooks().deliveries(
        *webhook_of(request),
        limit=query.whole("limit", default=DEFAULT_PAGE, lowest=1, highest=MAX_PAGE),
        cursor=query.text_or_none("cursor"),
        state=cast("DeliveryState | None", query.choice("state", STATES)),
        from_ms=query.time_or_none("from"),
        until_ms=query.time_or_none("until"),
    )
    return reply(HTTPStatus.OK, {"items": [delivery_json(found) for found in page.items], "cursor": page.cursor})


@api.route("GET", DELIVERY, scope="webhooks:read")
def get_delivery(request: Request) -> Reply:
    query = request.query("at")
    found = wiring.manage_webhooks().delivery(
        *webhook_of(request), request.path["deliveryId"], query.time_or_none("at")
    )
    return reply(HTTPStatus.OK, whole_delivery_json(found))


@api.route("POST", f"{DELIVERY}/resend", scope="webhooks:write")
def resend_delivery(request: Request) -> Reply:
    body = request.body("at")
    found = wiring.manage_webhooks().delivery(*webhook_of(request), request.path["deliveryId"], body.time_or_none("at"))
    wiring.replay().resend(found.bot_id, found.key)
    return reply(HTTPStatus.ACCEPTED, {"deliveries": 1})


@api.route("GET", f"{WEBHOOK}/held", scope="webhooks:read")
def count_held(request: Request) -> Reply:
    request.query()
    held = wiring.replay().held(*known_webhook_of(request))
    return reply(HTTPStatus.OK, {"count": held.count, "isAll": held.is_all})


@api.route("POST", f"{WEBHOOK}/send-held", scope="webhooks:write")
def send_held(request: Request) -> Reply:
    body = request.body("cursor")
    page = wiring.replay().send_held_part(*known_webhook_of(request), body.text_or_none("cursor"))
    return reply(HTTPStatus.ACCEPTED, replayed_json(page))


@api.route("POST", f"{WEBHOOK}/replay", scope="webhooks:write")
def replay_webhook(request: Request) -> Reply:
    body = request.body("from", "until", "source", "replayId", "cursor")
    from_ms, until_ms, cursor = body.time("from"), body.time("until"), body.text_or_none("cursor")
    if from_ms >= until_ms:
        raise InvalidInput("body.until: a time after `from` is expected")
    bot_id, webhook_id = known_webhook_of(request)
    if body.choice("source", ("deliveries", "log"), "deliveries") == "deliveries":
        if body.has("replayId"):
            raise InvalidInput("body.replayId: only a replay of the log has one")
        page = wiring.replay().resend_range_part(bot_id, webhook_id, from_ms=from_ms, until_ms=until_ms, cursor=cursor)
        return reply(HTTPStatus.ACCEPTED, replayed_json(page))
    if cursor is not None and not body.has("replayId"):
        raise InvalidInput("body.replayId: the one of the part before is expected beside a cursor")
    replay_id = body.text_or_none("replayId") or world.new_id()
    page = wiring.replay().replay_range(
        bot_id, webhook_id, from_ms=from_ms, until_ms=until_ms, replay_id=replay_id, cursor=cursor
    )
    return reply(HTTPStatus.ACCEPTED, {**replayed_json(page), "replayId": replay_id})


# ---- usage


@api.route("GET", "/api/bots/{botId}/usage", scope="usage:read")
def get_usage(request: Request) -> Reply:
    request.query()
    return reply(HTTPStatus.OK, wiring.usage().usage(request.path["botId"]).to_json())


@api.route("GET", "/api/bots/{botId}/statistics", scope="usage:read")
def get_statistics(request: Request) -> Reply:
    query = request.query("from", "until", "unit")
    unit = cast("Unit", query.choice("unit", UNITS, "hour"))
    buckets = wiring.usage().statistics(request.path["botId"], query.time("from"), query.time("until"), unit)
    return reply(
        HTTPStatus.OK,
        {
            "unit": unit,
            "timeZone": wiring.usage_calendar().zone_name,
            "items": [bucket.to_json() for bucket in buckets],
        },
    )


# ---- erasing people


@api.route("DELETE", "/api/bots/{botId}/end-users/{endUserId}", scope="endusers:erase")
def erase_end_user(request: Request) -> Reply:
    request.query()
    erasure = wiring.erase_person().request(
        request.path["botId"], request.path["endUserId"], requested_by=request.key.key_id
    )
    return reply(HTTPStatus.ACCEPTED, erasure_json(erasure))


@api.route("GET", "/api/bots/{botId}/erasures/{erasureId}", scope="endusers:erase")
def get_erasure(request: Request) -> Reply:
    request.query()
    return reply(HTTPStatus.OK, erasure_json(wiring.erase_person().receipt(*erasure_of(request))))


# ---- parsing and rendering


def erasure_of(request: Request) -> tuple[str, str]:
    return request.path["botId"], request.path["erasureId"]


def webhook_of(request: Request) -> tuple[str, str]:
    return request.path["botId"], request.path["webhookId"]


def known_webhook_of(request: Request) -> tuple[str, str]:
    """Raises NotFound."""
    endpoint = wiring.manage_webhooks().get(*webhook_of(request))
    return endpoint.bot_id, endpoint.webhook_id


def key_json(key: ApiKey) -> JsonObject:
    return {"id": key.key_id, "name": key.name, "scopes": list(key.scopes), "createdAt": iso(key.created_at_ms)}


def web_json(settings: WebSettings) -> JsonObject:
    """Without the secrets."""
    return {**settings.to_dict(), "identityKeys": [{"id": key.key_id} for key in settings.identity_keys]}


def webhook_json(endpoint: Endpoint) -> JsonObject:
    """Without the secret."""
    why = endpoint.disabling
    rotated = len(endpoint.secrets(world.now_ms())) > 1
    return {
        "id": endpoint.webhook_id,
        "botId": endpoint.bot_id,
        "name": endpoint.name,
        "url": endpoint.url,
        "enabled": endpoint.enabled,
        "closerUserAgent": endpoint.closer_user_agent,
        "createdAt": iso(endpoint.created_at_ms),
        "updatedAt": iso(endpoint.updated_at_ms),
        "lastSuccessAt": time_json(endpoint.last_success_ms),
        "previousSecretUntil": time_json(endpoint.previous_until_ms if rotated else None),
        "disabledAt": time_json(endpoint.disabled_at_ms),
        "disabling": None
        if why is None
        else {"reason": why.reason, "status": why.status, "error": why.error, "deliveryId": why.delivery_id},
    }


def delivery_json(delivery: Delivery) -> JsonObject:
    """Without its events."""
    return {
        "id": delivery.key.delivery_id,
        "webhookId": delivery.key.webhook_id,
        "at": iso(delivery.key.at_ms),
        "state": delivery.state,
        "test": delivery.is_test,
        "events": delivery.count,
        "round": delivery.round,
        "nextTryAt": time_json(delivery.next_at_ms),
        "attempts": [attempt_json(attempt) for attempt in delivery.attempts],
    }


def whole_delivery_json(delivery: Delivery) -> JsonObject:
    return {**delivery_json(delivery), "messages": json.loads(delivery.events)}


def attempt_json(attempt: Attempt) -> JsonObject:
    return {**attempt.to_json(), "at": iso(attempt.at_ms)}


def replayed_json(page: ReplayedPage) -> JsonObject:
    return {"deliveries": page.deliveries, "cursor": page.cursor}


def erasure_json(erasure: Erasure) -> JsonObject:
    """The receipt, and what the erasure does not reach."""
    return {
        "id": erasure.erasure_id,
        "botId": erasure.bot_id,
        "endUserId": erasure.end_user_id,
        "requestedBy": erasure.requested_by,
        "requestedAt": iso(erasure.requested_at_ms),
        "state": erasure.state,
        "erasedAt": time_json(erasure.erased_at_ms),
        "doneAt": time_json(erasure.done_at_ms),
        "erased": asdict(erasure.counts),
        "stays": [{"what": kept.what, "until": time_json(kept.until_ms)} for kept in erasure.stays()],
    }


def time_json(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso(at_ms)
