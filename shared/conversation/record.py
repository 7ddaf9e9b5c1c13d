"""From what a step did to the turn that is written: message ids, masks, state and events. Pure."""

from dataclasses import dataclass
from typing import Any

from shared.conversation.masking import apply_masks, take_masks
from shared.conversation.turn import LogState, Turn
from shared.conversation.unfinished import NOTHING, Unfinished
from shared.engine.session import Session
from shared.engine.walk import Fact
from shared.ids import end_user_id, message_id
from shared.webhooks import events as webhook

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """What happened in a turn before it gets its ids.

    `said` is the end user's message data (None: nothing was said); `client_id` the channel's id of it, for duplicates.
    `session` is the conversation afterwards; `offer` where "계속 보기" goes on, when not everything fitted;
    `unfinished` what is still to be done then. `answers` are the turns whose messages this one answers, `gives` those
    whose replies go out with it. `month` is the usage calendar's (yyyymm); 0: nobody is counted.
    """

    bot_id: str
    log: str
    platform: str
    user_key: str
    at_ms: int
    said: JsonObject | None
    client_id: str | None
    session: Session | None
    messages: list[JsonObject]
    facts: list[Fact]
    bot_version: str
    offer: JsonObject | None = None
    unfinished: Unfinished = NOTHING
    answers: tuple[int, ...] = ()
    gives: tuple[int, ...] = ()
    month: int = 0


def record_turn(before: LogState, happened: Occurrence, *, revision: int, commit: str) -> Turn:
    """The turn to write after `before`."""
    is_first = before.first_contact_ms == 0  # nobody before, or somebody who was erased
    person = webhook.Person(
        bot_id=happened.bot_id,
        end_user_id=end_user_id(happened.bot_id, happened.platform, happened.user_key),
        platform=happened.platform,
        user_key=happened.user_key,
        first_contact_ms=happened.at_ms if is_first else before.first_contact_ms,
    )
    inbound = _inbound(happened, commit)
    messages = [_message(message, index, happened, commit) for index, message in enumerate(happened.messages, start=1)]
    log = webhook.EventLog(happened.bot_id, commit, happened.at_ms, before.sequence)
    last_message_id = _last_message_id(inbound, messages)
    if is_first:  # stands before everything else that is said of the person
        log.add("bot.end_user.created", _end_user(person, before, happened, last_message_id))
    _tell_ended_and_begun(log, person, happened)
    _tell_messages(log, person, happened, inbound, messages)
    _tell_changes(log, person, before, happened, last_message_id, is_first=is_first)
    is_counted = _is_first_of_month(before, happened)
    return Turn(
        bot_id=happened.bot_id,
        log=happened.log,
        revision=revision,
        commit=commit,
        at_ms=happened.at_ms,
        platform=happened.platform,
        user_key=happened.user_key,
        bot_version=happened.bot_version,
        inbound=inbound,
        messages=messages,
        events=log.events,
        first_of_month=happened.month if is_counted else None,
        state=LogState(
            session=happened.session,
            first_contact_ms=person.first_contact_ms,
            sequence=log.sequence,
            recent=before.recent_with(happened.client_id, revision, happened.answers, platform=happened.platform),
            offer=happened.offer,
            unfinished=happened.unfinished,
            active_month=happened.month if is_counted else before.active_month,
        ),
        gives=happened.gives,
    )


def _is_first_of_month(before: LogState, happened: Occurrence) -> bool:
    """Whether the turn tells of a received message (`_tell_messages`), the first of its month. Months only go on: at a
    month's border a machine whose clock is slow must not count the earlier month a second time."""
    is_received = happened.said is not None and happened.session is not None
    return is_received and happened.month > before.active_month


def _inbound(happened: Occurrence, commit: str) -> JsonObject | None:
    if happened.said is None:
        return None
    return {"id": message_id(commit, 0), "data": happened.said}


def plain_message(message: JsonObject, at_ms: int) -> JsonObject:
    """What a walk says as plain JSON, its masked text noted beside it {data, meta, position?, masks?, metaMasks?}; one
    that is plain already stays as it is."""
    data, masks = take_masks(message["data"], at_ms)
    meta, meta_masks = take_masks(message["meta"], at_ms)
    plain: JsonObject = {**message, "data": data, "meta": meta}
    if masks:
        plain["masks"] = masks
    if meta_masks:
        plain["metaMasks"] = meta_masks
    return plain


def _message(message: JsonObject, index: int, happened: Occurrence, commit: str) -> JsonObject:
    plain = plain_message(message, happened.at_ms)
    stored: JsonObject = {"id": message_id(commit, index), "data": plain["data"], "meta": plain["meta"]}
    if message.get("position"):
        stored["position"] = message["position"]
    if message.get("agent"):
        stored["meta"] = webhook.agent_meta(message["agent"])
    for key in ("masks", "metaMasks"):
        if plain.get(key):
            stored[key] = plain[key]
    return stored


def _last_message_id(inbound: JsonObject | None, messages: list[JsonObject]) -> str | None:
    if messages:
        return str(messages[-1]["id"])
    return None if inbound is None else str(inbound["id"])


def _end_user(
    person: webhook.Person, before: LogState, happened: Occurrence, last_message_id: str | None
) -> JsonObject:
    session = happened.session or before.session
    return webhook.end_user_data(
        person,
        params={} if session is None else session.params,
        last_message_id=last_message_id,
        last_conversation_id=None if session is None else session.conversation_id,
        at_ms=happened.at_ms,
    )


def _conversation(
    person: webhook.Person,
    session: Session,
    at_ms: int,
    manual_status: str | None = None,
    agent: JsonObject | None = None,
) -> JsonObject:
    return webhook.conversation_data(
        person,
        conversation_id=session.conversation_id,
        params=session.params,
        navigation=session.navigation,
        created_at_ms=session.created_at_ms,
        at_ms=at_ms,
        manual_status=manual_status,
        agent=agent,
    )


def _tell_ended_and_begun(log: webhook.EventLog, person: webhook.Person, happened: Occurrence) -> None:
    for fact in happened.facts:
        if fact.name in ("conversation.deleted", "conversation.created"):
            log.add(f"bot.{fact.name}", _conversation(person, fact.session, happened.at_ms))


def _tell_messages(
    log: webhook.EventLog,
    person: webhook.Person,
    happened: Occurrence,
    inbound: JsonObject | None,
    messages: list[JsonObject],
) -> None:
    if happened.session is None:
        return  # nothing is said outside a conversation; "(메시지 없음)" only answers the channel
    conversation_id = happened.session.conversation_id
    if inbound is not None:
        log.add(
            "bot.message.received",
            webhook.message_data(
                person,
                message_id=inbound["id"],
                conversation_id=conversation_id,
                is_user=True,
                data=inbound["data"],
                meta=None,
                at_ms=happened.at_ms,
                request_id=inbound["id"],
            ),
        )
    for message in messages:
        is_agents = (message["meta"] or {}).get("persona") is not None
        log.add(
            "bot.message.sent",
            webhook.message_data(
                person,
                message_id=message["id"],
                conversation_id=conversation_id,
                is_user=False,
                data=apply_masks(message["data"], message.get("masks", []), happened.at_ms),
                meta=apply_masks(message["meta"], message.get("metaMasks", []), happened.at_ms),
                at_ms=happened.at_ms,
                request_id=message["id"] if is_agents else None,
            ),
        )


def _tell_changes(
    log: webhook.EventLog,
    person: webhook.Person,
    before: LogState,
    happened: Occurrence,
    last_message_id: str | None,
    *,
    is_first: bool,
) -> None:
    for fact in happened.facts:
        if fact.manual_status is not None:
            log.add(
                f"bot.{fact.name}",
                _conversation(person, fact.session, happened.at_ms, fact.manual_status, fact.agent),
            )
    session, earlier = happened.session, before.session
    if session is None:
        return
    same = earlier is not None and earlier.conversation_id == session.conversation_id
    known_params = earlier.params if same and earlier is not None else {}
    known_navigation = earlier.navigation if same and earlier is not None else {}
    if session.params != known_params or session.navigation != known_navigation:
        log.add("bot.conversation.updated", _conversation(person, session, happened.at_ms))
    persons_params = {} if earlier is None else earlier.params  # of whichever conversation was the last
    if not is_first and session.params != persons_params:
        log.add("bot.end_user.updated", _end_user(person, before, happened, last_message_id))
