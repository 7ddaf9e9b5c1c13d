"""CLOSER's open API over our logs (docs/open-api.md, docs/api/open-api.yaml): bots, people, conversations and what was
said, read and written by customers' own systems with an API key."""

from http import HTTPStatus
from typing import Any, Final

from shared.channels.open_api.parse import MAX_ID, parse_agent, parse_message, parse_meta, parse_params
from shared.errors import InvalidInput
from shared.ids import BOT_ID
from shared.json_input import clean_text
from shared.runtime import wiring
from shared.runtime.api import Api, Request
from shared.runtime.fields import Fields
from shared.runtime.http import Reply, base_url, deadline_ns, header, reply
from shared.services.direct_step import MAX_USER_KEY, PLATFORMS
from shared.services.open_api_reading import Page
from shared.services.open_api_writing import Addressee, Call, Manual, Written
from shared.webhooks.events import AGENT_PLATFORM

JsonObject = dict[str, Any]

BUDGET_MS: Final = 25_000
"""API Gateway hangs up after 30 s."""
MAX_BODY_BYTES: Final = 128 * 1024
"""Parameters take 64 KB at most, and escapes in JSON may double them."""
MAX_LIMIT: Final = 100
DEFAULT_LIMIT: Final = 20
MAX_IDEMPOTENCY_KEY: Final = 255
PAGING: Final = ("limit", "cursor")
TIMES: Final = ("from", "until")
SPEAKING: Final = ("message", "meta", "agent", "sender")
ADDRESSES: Final = ("endUserId", "botId", "platform", "userKey")
MANUAL: Final[dict[str, Manual]] = {
    "request": "request",
    "connect": "connect",
    "complete": "complete",
    "cancel": "cancel",
    "REQUESTED": "request",
    "CONNECTED": "connect",
    "DISCONNECTED": "complete",
    "CANCELLED": "cancel",
}
"""Our words, and the statuses that CLOSER's events use."""

api: Final = Api(wiring.api_keys)


def handler(event: Any, context: Any) -> Reply:
    return api(event, context)


# ---- bots


@api.route("GET", "/openapi/bot", scope="bots:read")
def list_bots(request: Request) -> Reply:
    query = request.query(*PAGING)
    return _page(wiring.read_open_api().list_bots(**_paging(query), deadline_ns=_deadline(request)))


@api.route("GET", "/openapi/bot/{botId}", scope="bots:read")
def get_bot(request: Request) -> Reply:
    request.query()
    return reply(HTTPStatus.OK, wiring.read_open_api().bot(request.path["botId"], _deadline(request)))


@api.route("GET", "/openapi/bot/{botId}/flow", scope="bots:read")
def list_flows(request: Request) -> Reply:
    query = request.query(*PAGING)
    page = wiring.read_open_api().list_flows(request.path["botId"], **_paging(query), deadline_ns=_deadline(request))
    return _page(page)


@api.route("GET", "/openapi/bot/{botId}/conversation", scope="conversations:read")
def list_conversations_of_bot(request: Request) -> Reply:
    query = request.query(*PAGING, *TIMES, "platform")
    return _page(
        wiring.read_open_api().list_conversations(
            request.path["botId"], **_paging(query), **_filters(query), deadline_ns=_deadline(request)
        )
    )


# ---- conversations


@api.route("GET", "/openapi/conversations", scope="conversations:read")
def list_conversations(request: Request) -> Reply:
    query = request.query(*PAGING, *TIMES, "botId", "endUserId", "platform")
    bot_id, person_id = query.text_or_none("botId"), query.text_or_none("endUserId")
    read, listing = wiring.read_open_api(), {**_paging(query), **_filters(query), "deadline_ns": _deadline(request)}
    if person_id is not None:
        return _page(read.list_conversations_of(person_id, bot_id=bot_id, **listing))
    if bot_id is None:
        raise InvalidInput("query: botId or endUserId is expected")
    return _page(read.list_conversations(bot_id, **listing))


@api.route("GET", "/openapi/conversation/{conversationId}", scope="conversations:read")
def get_conversation(request: Request) -> Reply:
    request.query()
    found = wiring.read_open_api().conversation(request.path["conversationId"], _deadline(request))
    return reply(HTTPStatus.OK, found)


@api.route("PUT", "/openapi/conversation/{conversationId}", scope="conversations:write")
def put_conversation(request: Request) -> Reply:
    params = parse_params(_body(request, "params").object_or_none("params"), "body.params")
    call, to = _conversation(request, "params")
    written = wiring.write_open_api().set_params(to, params, call)
    return _pending() if written.is_pending else reply(HTTPStatus.OK, written.conversation)


@api.route("GET", "/openapi/conversation/{conversationId}/manual", scope="conversations:read")
def get_manual(request: Request) -> Reply:
    request.query()
    found = wiring.read_open_api().manual(request.path["conversationId"], _deadline(request))
    return reply(HTTPStatus.OK, found)


@api.route("PUT", "/openapi/conversation/{conversationId}/manual", scope="conversations:write")
def put_manual(request: Request) -> Reply:
    body = _body(request, "status", "agent")
    status = body.choice("status", tuple(MANUAL))
    if status is None:
        raise InvalidInput(f"body.status: one of {', '.join(MANUAL)} is expected")
    given = body.object_or_none("agent")
    agent = None if given is None else parse_agent(given, "body.agent")
    if agent is not None and MANUAL[status] != "connect":
        raise InvalidInput("body.agent: only who connects is an agent")
    call, to = _conversation(request, "manual")
    written = wiring.write_open_api().change_manual(to, MANUAL[status], agent, call)
    return _pending() if written.is_pending else reply(HTTPStatus.OK, written.manual)


@api.route("PUT", "/openapi/conversation/{conversationId}/navigation", scope="conversations:write")
def put_navigation(request: Request) -> Reply:
    body = _body(request, "flowId", "nodeId")
    if not body.has("flowId"):
        raise InvalidInput("body.flowId: a whole number is expected")
    flow_id, node_id = (body.whole(name, default=0, lowest=0, highest=MAX_ID) for name in ("flowId", "nodeId"))
    call, to = _conversation(request, "navigation")
    written = wiring.write_open_api().start_at(to, flow_id, node_id if body.has("nodeId") else None, call)
    if written.is_pending:
        return _pending()
    return reply(HTTPStatus.OK, {"conversation": written.conversation, "messages": written.messages})


# ---- messages


@api.route("GET", "/openapi/conversation/{conversationId}/message", scope="conversations:read")
def list_messages_of_conversation(request: Request) -> Reply:
    query = request.query(*PAGING, "order")
    return _messages(request, query, conversation_id=request.path["conversationId"], person_id=None)


@api.route("GET", "/openapi/messages", scope="conversations:read")
def list_messages(request: Request) -> Reply:
    query = request.query(*PAGING, "order", "conversationId", "endUserId", "botId")
    conversation_id, person_id = query.text_or_none("conversationId"), query.text_or_none("endUserId")
    if query.has("botId") or (conversation_id is None and person_id is None):
        raise InvalidInput(
            "query: conversationId or endUserId is expected; /openapi/conversations?botId=... lists those of a bot"
        )
    return _messages(request, query, conversation_id=conversation_id, person_id=person_id)


@api.route("POST", "/openapi/conversation/{conversationId}/message", scope="conversations:write")
def post_message_to_conversation(request: Request) -> Reply:
    body = _body(request, *SPEAKING)
    spoken = _spoken(body)
    call, to = _conversation(request, "message")
    return _said(wiring.write_open_api().say(to, **spoken, call=call))


@api.route("POST", "/openapi/message", scope="conversations:write")
def post_message(request: Request) -> Reply:
    body = _body(request, *SPEAKING, *ADDRESSES)
    spoken = _spoken(body)
    to, call = _addressee(request, body), _call(request, "message")
    return _said(wiring.write_open_api().say(to, **spoken, call=call))


# ---- people


@api.route("GET", "/openapi/enduser/{endUserId}", scope="endusers:read")
def get_end_user(request: Request) -> Reply:
    request.query()
    return reply(HTTPStatus.OK, wiring.read_open_api().end_user(request.path["endUserId"], _deadline(request)))


@api.route("GET", "/openapi/endusers", scope="endusers:read")
def list_end_users(request: Request) -> Reply:
    query = request.query(*PAGING, *TIMES, "botId", "platform", "userKey")
    bot_id, user_key = query.text("botId"), query.text_or_none("userKey")
    paging, filters = _paging(query), _filters(query)
    read, until = wiring.read_open_api(), _deadline(request)
    if user_key is None:
        return _page(read.list_end_users(bot_id, **paging, **filters, deadline_ns=until))
    if filters["platform"] is None or any(query.has(name) for name in (*TIMES, "cursor")):
        raise InvalidInput("query.userKey: with botId and platform, and nothing else, it names one person")
    return _page(read.find_end_user(bot_id, filters["platform"], user_key, until))


# ---- reading a call, rendering an answer


def _deadline(request: Request) -> int:
    return deadline_ns(request.event, BUDGET_MS)


def _body(request: Request, *known: str) -> Fields:
    request.query()
    return request.body(*known, max_bytes=MAX_BODY_BYTES)


def _paging(query: Fields) -> JsonObject:
    limit = query.whole("limit", default=DEFAULT_LIMIT, lowest=1, highest=MAX_LIMIT)
    return {"limit": limit, "cursor": query.text_or_none("cursor")}


def _filters(query: Fields) -> JsonObject:
    """`from` is the first millisecond, `until` the first one after the last."""
    platform = query.choice("platform", tuple(sorted(PLATFORMS)))
    return {"platform": platform, "from_ms": query.time_or_none("from"), "until_ms": query.time_or_none("until")}


def _call(request: Request, what: str) -> Call:
    """The same key on two kinds of calls names two calls; no channel's own id can look like one."""
    given = header(request.event, "idempotency-key")
    if given is not None and not 0 < len(given) <= MAX_IDEMPOTENCY_KEY:
        raise InvalidInput(f"header Idempotency-Key: 1 to {MAX_IDEMPOTENCY_KEY} characters are expected")
    return Call(
        deadline_ns=_deadline(request),
        client_id=None if given is None else f"open api {what} {given}",
        base_url=base_url(request.event),
    )


def _conversation(request: Request, what: str) -> tuple[Call, Addressee]:
    call = _call(request, what)
    return call, wiring.write_open_api().conversation(request.path["conversationId"], call.deadline_ns)


def _addressee(request: Request, body: Fields) -> Addressee:
    """endUserId, or botId, platform and userKey of somebody who may never have come."""
    if body.has("endUserId"):
        if any(body.has(name) for name in ADDRESSES[1:]):
            raise InvalidInput("body.endUserId: it stands alone, or botId, platform and userKey stand for it")
        return wiring.write_open_api().end_user(body.text("endUserId"), _deadline(request))
    bot_id, user_key = body.text("botId"), clean_text(body.text("userKey"))
    platform = body.choice("platform", tuple(sorted(PLATFORMS)))
    if platform is None:
        raise InvalidInput("body.platform: a text is expected")
    if not BOT_ID.fullmatch(bot_id):
        raise InvalidInput("body.botId: not a bot's id")
    if not 0 < len(user_key) <= MAX_USER_KEY:
        raise InvalidInput(f"body.userKey: 1 to {MAX_USER_KEY} characters are expected")
    return Addressee(bot_id=bot_id, platform=platform, user_key=user_key, may_be_new=True)


def _spoken(body: Fields) -> JsonObject:
    """What is to be said and by whom; `sender` is as in the `meta` of agents' messages."""
    given, sender = body.object_or_none("agent"), body.object_or_none("sender")
    if given is not None and sender is not None:
        raise InvalidInput("body.sender: agent says it already")
    agent = None if given is None else parse_agent(given, "body.agent")
    if sender is not None:
        fields = Fields(sender, ("userKey", "platform"), "body.sender")
        fields.choice("platform", (AGENT_PLATFORM,))
        agent = parse_agent({"id": fields.text("userKey")}, "body.sender")
    meta = parse_meta(body.object_or_none("meta"), "body.meta")
    if meta is not None and agent is not None:
        raise InvalidInput("body.meta: only messages of the bot have one of their own")
    return {"message": parse_message(body.object_or_none("message"), "body.message"), "meta": meta, "agent": agent}


def _messages(request: Request, query: Fields, *, conversation_id: str | None, person_id: str | None) -> Reply:
    order = query.choice("order", ("desc", "asc"), "desc")
    page = wiring.read_open_api().list_messages(
        conversation_id=conversation_id,
        person_id=person_id,
        **_paging(query),
        newest_first=order == "desc",
        deadline_ns=_deadline(request),
    )
    return _page(page)


def _page(page: Page) -> Reply:
    return reply(HTTPStatus.OK, {"items": page.items, "cursor": page.cursor})


def _said(written: Written) -> Reply:
    return _pending() if written.is_pending else reply(HTTPStatus.CREATED, written.messages[-1])


def _pending() -> Reply:
    """It is in the log, and is done after the walk that it met."""
    return reply(HTTPStatus.ACCEPTED, {"pending": True})
