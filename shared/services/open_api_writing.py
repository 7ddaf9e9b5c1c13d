"""The open API's writing: each call is one event of a log, by the use case of every channel.

Nobody waits for its replies: effects are the worker's, and what is said on KakaoTalk, where nobody can be written to,
goes out with the next answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from shared.bot.model import Bot
from shared.channels.open_api.objects import conversation_object, manual_object
from shared.conversation.history import messages_of
from shared.conversation.turn import Turn
from shared.conversation.unfinished import ReplyRoute
from shared.engine.inbound import (
    AgentJoined,
    AgentMessage,
    BotMessage,
    CallCancelled,
    CallCompleted,
    CallRequested,
    Inbound,
    ParametersChanged,
    StartAt,
)
from shared.engine.step import has_expired
from shared.engine.walk import PARAMS_LIMIT, params_size
from shared.errors import Conflict, InvalidInput, NotFound, Unavailable
from shared.services.inbound import HandleInbound
from shared.services.kakao_skill import PLATFORM as KAKAO
from shared.services.open_api_reading import ReadOpenApi, is_nobodys
from shared.services.ports import RunnableBots, Turns
from shared.services.published_bots import PublishedBots
from shared.services.request import Request

JsonObject = dict[str, Any]
Manual = Literal["request", "connect", "complete", "cancel"]

SPEAKS: Final = (AgentMessage, BotMessage, StartAt)
"""What makes something be said: on KakaoTalk it is owed."""


class ConversationOver(Conflict):
    """The conversation has ended: the end user has another one by now, or will with their next contact."""

    code = "conversation_over"
    retryable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Whom a call is about: an end user, in this conversation only where it is named. `may_be_new`: somebody who never
    came may be written to."""

    bot_id: str
    platform: str
    user_key: str
    conversation_id: str | None = None
    may_be_new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What every call carries. `client_id` tells resends; `base_url` is where this API is reached from outside."""

    deadline_ns: int
    client_id: str | None = None
    base_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The turn that a call became. `is_pending`: it waits for a walk, or its own walk waits for the world."""

    turn: Turn
    messages: list[JsonObject]
    is_pending: bool

    @property
    def conversation(self) -> JsonObject:
        session = self.turn.state.session
        assert session is not None  # noqa: S101 - whatever happens, happens in a conversation
        return conversation_object(self.turn, session)

    @property
    def manual(self) -> JsonObject:
        session = self.turn.state.session
        assert session is not None  # noqa: S101 - see conversation
        return manual_object(session)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOpenApi:
    """Ports and the clock."""

    read: ReadOpenApi
    published: PublishedBots
    runnable: RunnableBots
    turns: Turns
    handle_inbound: HandleInbound
    now_ms: Callable[[], int]

    def conversation(self, conversation_id: str, deadline_ns: int) -> Addressee:
        """The end user of a conversation, which must not be over when the event is written."""
        found = self.read.identity(conversation_id, "conversation", deadline_ns)
        return Addressee(
            bot_id=found.bot_id, platform=found.platform, user_key=found.user_key, conversation_id=conversation_id
        )

    def end_user(self, person_id: str, deadline_ns: int) -> Addressee:
        found = self.read.identity(person_id, "end_user", deadline_ns)
        return Addressee(bot_id=found.bot_id, platform=found.platform, user_key=found.user_key)

    def set_params(self, to: Addressee, params: JsonObject, call: Call) -> Written:
        """Raises InvalidInput when they would take too much together."""
        return self._write(to, ParametersChanged(params=params), call, lambda newest: _check_size(newest, params))

    def change_manual(self, to: Addressee, change: Manual, agent: JsonObject | None, call: Call) -> Written:
        """Ask for an agent, let one take over, or end either; what does not apply changes nothing."""
        changes: dict[str, Inbound] = {
            "request": CallRequested(),
            "connect": AgentJoined(agent=agent or {}),
            "complete": CallCompleted(),
            "cancel": CallCancelled(),
        }
        return self._write(to, changes[change], call)

    def say(
        self, to: Addressee, message: JsonObject, *, meta: JsonObject | None, agent: JsonObject | None, call: Call
    ) -> Written:
        """As the bot, or as the agent, who takes the conversation over with it."""
        if agent is not None:
            return self._write(to, AgentMessage(data=message, agent=agent), call)
        return self._write(to, BotMessage(data=message, meta=meta), call)

    def start_at(self, to: Addressee, flow_id: int, node_id: int | None, call: Call) -> Written:
        """Raises InvalidInput for a place that the published bot has not."""
        bot = self._bot(to, call)
        if bot.entry_of(flow_id) is None and node_id is None:
            raise InvalidInput(f"body.flowId: the published bot has no flow {flow_id} with an entry")
        if node_id is not None and bot.node(flow_id, node_id) is None:
            raise InvalidInput(f"body.nodeId: the published bot has no node {node_id} in flow {flow_id}")
        return self._write(to, StartAt(flow_id=flow_id, node_id=node_id), call)

    def _bot(self, to: Addressee, call: Call) -> Bot:
        record = self.published.get(to.bot_id, call.deadline_ns)
        if record is None or record.published is None or record.deleted_at_ms is not None:
            raise NotFound(f"no published bot '{to.bot_id}'", bot=to.bot_id)
        return self.runnable.load(record, record.published, call.deadline_ns)

    def _write(
        self,
        to: Addressee,
        inbound: Inbound,
        call: Call,
        check: Callable[[Turn | None], None] = lambda newest: None,
    ) -> Written:
        bot = self._bot(to, call)
        is_owed = to.platform == KAKAO and isinstance(inbound, SPEAKS)

        def check_all(newest: Turn | None) -> None:
            self._check_addressee(bot, to, newest)
            check(newest)

        request = Request(
            bot=bot,
            platform=to.platform,
            user_key=to.user_key,
            inbound=inbound,
            client_id=call.client_id,
            route=ReplyRoute(base_url=call.base_url) if is_owed else None,
            deadline_ns=call.deadline_ns,
            from_outside=True,
            check=check_all,
        )
        handled = self.handle_inbound(request)
        turn, is_pending = handled.turn, handled.is_waiting
        if handled.is_resend:
            turn, is_pending = self._answer_to(request, handled.turn)
        messages = [
            message for message in messages_of(turn.messages, turn.events, self.now_ms()) if not message["isUser"]
        ]
        return Written(turn=turn, messages=messages, is_pending=is_pending)

    def _check_addressee(self, bot: Bot, to: Addressee, newest: Turn | None) -> None:
        if newest is None or is_nobodys(newest):
            if to.may_be_new:
                return
            raise NotFound("no such end user")  # erased meanwhile
        if to.conversation_id is None:
            return
        session = newest.state.session
        if session is None or session.conversation_id != to.conversation_id:
            raise ConversationOver("the end user has another conversation by now", conversation=to.conversation_id)
        if has_expired(bot, session, self.now_ms()):
            raise ConversationOver(
                "the conversation has expired: the end user's next contact begins another",
                conversation=to.conversation_id,
            )

    def _answer_to(self, request: Request, newest: Turn) -> tuple[Turn, bool]:
        """The turn that answers a call that comes again, and whether it still waits."""
        revision = newest.state.revision_of(request.client_id)
        assert revision is not None  # noqa: S101 - by it the resend was told
        is_pending = newest.state.unfinished.waits_for(revision)
        if revision == newest.revision:
            return newest, is_pending
        turn = self.turns.get(request.bot.id, request.log, revision, request.deadline_ns)
        if turn is None:
            raise Unavailable("the turn of a call is gone", revision=revision)
        return turn, is_pending


def _check_size(newest: Turn | None, params: JsonObject) -> None:
    session = None if newest is None else newest.state.session
    merged = {
        key: value for key, value in {**(session.params if session else {}), **params}.items() if value is not None
    }
    size = params_size(merged)
    if size > PARAMS_LIMIT and any(value is not None for value in params.values()):
        raise InvalidInput(f"body.params: the parameters would take {size} bytes; at most {PARAMS_LIMIT} are kept")
