"""The composition root: settings -> adapters -> use cases, each made once a process and only when it is asked for."""

from functools import cache
from typing import TYPE_CHECKING

from shared.runtime import world
from shared.runtime.settings import Settings
from shared.services import kakao_reply
from shared.services.advance import Advance
from shared.services.inbound import HandleInbound
from shared.services.kakao_skill import HandleSkillCall
from shared.services.published_bots import PublishedBots
from shared.services.runnable_bots import CompiledBots
from shared.services.timed_effects import TimedEffects
from shared.services.turn_writer import TurnWriter
from shared.services.walks import Walks
from shared.storage.bots import DynamoBots
from shared.storage.claims import DynamoClaims
from shared.storage.core import bind_core_table
from shared.storage.documents import S3Documents
from shared.storage.turn_row import bind_turns_table
from shared.storage.turns import DynamoTurns
from shared.storage.work_queue import SqsWorkQueue
from shared.usage.calendar import UsageCalendar

if TYPE_CHECKING:
    from shared.engine.effects import Attempt, Effect, EffectAnswer
    from shared.engine.trace import TraceEntry
    from shared.net.effects import EffectRunner
    from shared.net.guarded_client import GuardedClient
    from shared.providers.carriers import Carriers
    from shared.scripting.client import ScriptFunction
    from shared.scripting.host import ScriptHost
    from shared.services.api_keys import ApiKeys
    from shared.services.authoring import Authoring
    from shared.services.direct_step import DirectStep
    from shared.services.erase_person import ErasePerson, EraseRows
    from shared.services.open_api_reading import ReadOpenApi
    from shared.services.open_api_writing import WriteOpenApi
    from shared.services.project import Project
    from shared.services.rate_limit import RateLimit
    from shared.services.relay import Relay
    from shared.services.unfinished_walks import FinishWalks
    from shared.services.usage import ShowUsage
    from shared.services.web_chat import WebChat
    from shared.services.web_push import PushToSockets, PushTurns
    from shared.services.web_session import WebSessions
    from shared.services.web_tokens import WebTokens
    from shared.services.web_uploads import WebUploads
    from shared.services.webhook_deliver import Deliver
    from shared.services.webhook_fanout import Fanout
    from shared.services.webhook_management import ManageWebhooks
    from shared.services.webhook_replay import Replay
    from shared.storage.connections import DynamoConnections
    from shared.storage.counters import DynamoCounters
    from shared.storage.deliveries import DynamoDeliveries
    from shared.storage.delivery_queue import SqsDeliveryQueue
    from shared.storage.erasures import DynamoErasures, SqsErasureQueue
    from shared.storage.identities import DynamoIdentities
    from shared.storage.usage_limits import DynamoUsageLimits
    from shared.storage.webhooks import DynamoEndpoints

_local_targets: frozenset[tuple[str, int]] = frozenset()


def reach_local_targets(targets: frozenset[tuple[str, int]]) -> None:
    """Let the guarded client reach these loopback addresses. Only the local cloud's worker calls this, in the process
    that it runs handlers in: no environment variable and no setting of a deployed function leads here."""
    global _local_targets  # noqa: PLW0603 - the one switch, set before anything is wired
    _local_targets = targets
    for made in (
        *(guarded_client, carriers, script_host, effect_runner),
        *(advance, handle_inbound, handle_skill_call, finish_walks, deliver, manage_webhooks),
    ):
        made.cache_clear()


@cache
def settings() -> Settings:
    return Settings.of_process()


@cache
def turns() -> DynamoTurns:
    return DynamoTurns(settings().turns_table)


@cache
def bots() -> DynamoBots:
    bind_core_table(settings().core_table, settings().region)
    bind_turns_table(settings().turns_table, settings().region)
    return DynamoBots(turns())


@cache
def documents() -> S3Documents:
    return S3Documents(settings().bot_bucket)


@cache
def published_bots() -> PublishedBots:
    return PublishedBots(bots(), world.clock_ns)


@cache
def runnable_bots() -> CompiledBots:
    return CompiledBots(documents())


@cache
def guarded_client() -> "GuardedClient":
    from shared.net.guarded_client import GuardedClient  # noqa: PLC0415 - only bots that ask the world pay for it

    return GuardedClient(local_targets=_local_targets)


@cache
def carriers() -> "Carriers":
    from shared.providers.carriers import Carriers  # noqa: PLC0415 - see effect_runner

    return Carriers(
        client=guarded_client(),
        now_ms=world.now_ms,
        clock_ns=world.clock_ns,
        secrets_prefix=settings().secrets_prefix,
        mail_from=settings().mail_from,
    )


@cache
def effect_runner() -> "EffectRunner":
    from shared.engine.effects import ScriptRun  # noqa: PLC0415 - only bots with effects wait for it
    from shared.net.effects import EffectRunner  # noqa: PLC0415
    from shared.providers.carriers import makers_of  # noqa: PLC0415

    return EffectRunner(guarded_client(), makers={**makers_of(carriers), ScriptRun: script_function})


@cache
def script_host() -> "ScriptHost":
    """Runs scripts in this process's child: for the script function, and for tools that have no functions."""
    from shared.scripting.host import ScriptHost  # noqa: PLC0415 - one function needs it

    return ScriptHost(guarded_client())


@cache
def script_function() -> "ScriptFunction":
    """Carries out ScriptRun effects by invoking the script function."""
    from shared.aws import client  # noqa: PLC0415
    from shared.scripting.client import MAX_WAIT_SECONDS, ScriptFunction  # noqa: PLC0415 - only bots with scripts pay

    return ScriptFunction(settings().script_function, client("lambda", MAX_WAIT_SECONDS, 1))


def carry_out(effect: "Effect", attempt: "Attempt") -> "EffectAnswer":
    return effect_runner()(effect, attempt)


def report_trace(trace: "list[TraceEntry]", bot_id: str) -> None:
    """What a step did, node by node, for the log of whoever asked for it (LogLevel DEBUG)."""
    if settings().log_level == "DEBUG":
        from shared.runtime.observability import log_trace  # noqa: PLC0415 - only who debugs waits for the logger

        log_trace(trace, bot=bot_id)


def report_fault(fault: Exception) -> None:
    """A fault of ours that did not stop anything: for the log and the alarm."""
    from shared.runtime.observability import report_own_fault  # noqa: PLC0415 - there is nothing to report yet

    report_own_fault(fault)


@cache
def usage_calendar() -> UsageCalendar:
    return UsageCalendar(settings().time_zone)


@cache
def claims() -> DynamoClaims:
    return DynamoClaims(settings().core_table)


@cache
def advance() -> Advance:
    effects = TimedEffects.of(carry_out, world.clock_ns)
    return Advance(
        turns=turns(),
        walks=Walks(
            effects=effects,
            now_ms=world.now_ms,
            clock_ns=world.clock_ns,
            random=world.random,
            new_id=world.new_id,
        ),
        writer=TurnWriter(turns=turns(), new_id=world.new_id, calendar=usage_calendar()),
        queue=SqsWorkQueue(settings().effect_queue_url),
        versions=runnable_bots(),
        paginate=kakao_reply.paginate,
        now_ms=world.now_ms,
        report=report_fault,
    )


@cache
def handle_inbound() -> HandleInbound:
    return HandleInbound(turns=turns(), advance=advance(), claims=claims(), now_ms=world.now_ms, report=report_fault)


@cache
def handle_skill_call() -> HandleSkillCall:
    return HandleSkillCall(
        published=published_bots(),
        runnable=runnable_bots(),
        turns=turns(),
        handle_inbound=handle_inbound(),
        now_ms=world.now_ms,
        calendar=usage_calendar(),
        local_targets=_local_targets,
        report_trace=report_trace,
    )


@cache
def finish_walks() -> "FinishWalks":
    from shared.net.callback import CallbackClient  # noqa: PLC0415 - the worker alone posts replies
    from shared.services.unfinished_walks import FinishWalks  # noqa: PLC0415

    return FinishWalks(
        published=published_bots(),
        runnable=runnable_bots(),
        turns=turns(),
        advance=advance(),
        claims=claims(),
        post=CallbackClient(guarded_client()),
        now_ms=world.now_ms,
        clock_ns=world.clock_ns,
        sleep=world.sleep,
        report=report_fault,
        calendar=usage_calendar(),
        report_trace=report_trace,
    )


@cache
def usage_limits() -> "DynamoUsageLimits":
    from shared.storage.usage_limits import DynamoUsageLimits  # noqa: PLC0415 - the front reads them with the bot

    return DynamoUsageLimits(settings().core_table)


@cache
def usage() -> "ShowUsage":
    from shared.services.usage import ShowUsage  # noqa: PLC0415 - for management alone

    return ShowUsage(
        bots=bots(), limits=usage_limits(), counters=counters(), calendar=usage_calendar(), now_ms=world.now_ms
    )


@cache
def endpoints() -> "DynamoEndpoints":
    from shared.storage.webhooks import DynamoEndpoints  # noqa: PLC0415 - only the path of events has endpoints

    return DynamoEndpoints(settings().core_table)


@cache
def deliveries() -> "DynamoDeliveries":
    from shared.storage.deliveries import DynamoDeliveries  # noqa: PLC0415 - see endpoints

    return DynamoDeliveries(settings().core_table, world.now_ms)


@cache
def delivery_queue() -> "SqsDeliveryQueue":
    from shared.storage.delivery_queue import SqsDeliveryQueue  # noqa: PLC0415 - see endpoints

    return SqsDeliveryQueue(settings().delivery_queue_url)


@cache
def identities() -> "DynamoIdentities":
    from shared.storage.identities import DynamoIdentities  # noqa: PLC0415 - nobody on the hot path looks people up

    return DynamoIdentities(settings().core_table, world.now_ms)


@cache
def counters() -> "DynamoCounters":
    from shared.storage.counters import DynamoCounters  # noqa: PLC0415 - see identities

    return DynamoCounters(settings().core_table)


@cache
def relay() -> "Relay":
    from shared.services.relay import Relay  # noqa: PLC0415 - one function relays
    from shared.storage.event_topic import SnsEventTopic, SqsSetAside  # noqa: PLC0415
    from shared.storage.turn_stream import read_turn  # noqa: PLC0415

    return Relay(
        read=read_turn,
        topic=SnsEventTopic(settings().event_topic),
        set_aside=SqsSetAside(settings().set_aside_queue_url),
        report=report_fault,
        sleep=world.sleep,
        push=push_turns() if settings().socket_callback_url else lambda records: None,
    )


@cache
def push_turns() -> "PushTurns":
    from shared.services.web_push import PushTurns  # noqa: PLC0415 - see relay
    from shared.storage.turn_stream import read_web_turn  # noqa: PLC0415

    return PushTurns(
        read=read_web_turn,
        turns=turns(),
        published=published_bots(),
        to_sockets=push_to_sockets(),
        calendar=usage_calendar(),
        now_ms=world.now_ms,
        clock_ns=world.clock_ns,
    )


@cache
def project() -> "Project":
    from shared.services.project import Project  # noqa: PLC0415 - one function projects
    from shared.storage.event_topic import SqsSetAside  # noqa: PLC0415
    from shared.storage.turn_stream import read_seen_turn  # noqa: PLC0415

    return Project(
        read=read_seen_turn,
        index=identities(),
        counters=counters(),
        quotas=usage_limits(),
        calendar=usage_calendar(),
        set_aside=SqsSetAside(settings().set_aside_queue_url),
        report=report_fault,
        sleep=world.sleep,
        random=world.random,
    )


@cache
def fanout() -> "Fanout":
    from shared.services.webhook_fanout import Fanout  # noqa: PLC0415 - one function fans out

    return Fanout(
        endpoints=endpoints(),
        deliveries=deliveries(),
        queue=delivery_queue(),
        now_ms=world.now_ms,
        clock_ns=world.clock_ns,
        report=report_fault,
    )


@cache
def deliver() -> "Deliver":
    from shared.net.deliveries import DeliveryClient  # noqa: PLC0415 - one function delivers
    from shared.services.timed_effects import CircuitBreaker  # noqa: PLC0415
    from shared.services.webhook_deliver import HUNG_SECONDS, Deliver  # noqa: PLC0415

    return Deliver(
        endpoints=endpoints(),
        deliveries=deliveries(),
        queue=delivery_queue(),
        post=DeliveryClient(guarded_client(), now_ms=world.now_ms, clock_ns=world.clock_ns),
        now_ms=world.now_ms,
        breaker=CircuitBreaker(world.clock_ns, open_ms=1_000 * HUNG_SECONDS),
    )


@cache
def replay() -> "Replay":
    from shared.services.webhook_replay import Replay  # noqa: PLC0415 - for management alone

    return Replay(
        endpoints=endpoints(),
        deliveries=deliveries(),
        queue=delivery_queue(),
        turns=turns(),
        identities=identities(),
        now_ms=world.now_ms,
    )


@cache
def erasures() -> "DynamoErasures":
    from shared.storage.erasures import DynamoErasures  # noqa: PLC0415 - for management and its worker alone

    bots()  # binds the tables
    return DynamoErasures(turns())


@cache
def erasure_queue() -> "SqsErasureQueue":
    from shared.storage.erasures import SqsErasureQueue  # noqa: PLC0415 - see erasures

    return SqsErasureQueue(settings().erasure_queue_url)


@cache
def erase_person() -> "ErasePerson":
    from shared.services.erase_person import ErasePerson  # noqa: PLC0415 - see erasures

    return ErasePerson(
        identities=identities(),
        turns=turns(),
        erasures=erasures(),
        queue=erasure_queue(),
        now_ms=world.now_ms,
        new_id=world.new_id,
    )


@cache
def manage_webhooks() -> "ManageWebhooks":
    from shared.net.deliveries import DeliveryClient  # noqa: PLC0415 - for management alone
    from shared.net.target_check import TargetCheck  # noqa: PLC0415
    from shared.services.webhook_management import ManageWebhooks  # noqa: PLC0415

    return ManageWebhooks(
        bots=bots(),
        endpoints=endpoints(),
        log=deliveries(),
        post=DeliveryClient(guarded_client(), now_ms=world.now_ms, clock_ns=world.clock_ns),
        refuse_target=TargetCheck(local_targets=_local_targets),
        now_ms=world.now_ms,
        new_id=world.new_id,
        random_bytes=world.random_bytes,
    )


@cache
def erase_rows() -> "EraseRows":
    from shared.services.erase_person import EraseRows  # noqa: PLC0415 - one function erases
    from shared.storage.old_rows import DynamoOldRows  # noqa: PLC0415

    return EraseRows(
        erasures=erasures(),
        queue=erasure_queue(),
        turns=turns(),
        rows=DynamoOldRows(settings().turns_table, settings().core_table),
        identities=identities(),
        endpoints=endpoints(),
        deliveries=deliveries(),
        now_ms=world.now_ms,
        clock_ns=world.clock_ns,
        report=report_fault,
        holdings=(web_uploads().erase,) if settings().upload_bucket else (),
    )


@cache
def api_keys() -> "ApiKeys":
    from shared.services.api_keys import ApiKeys  # noqa: PLC0415 - only APIs have keys
    from shared.storage.api_keys import DynamoApiKeys  # noqa: PLC0415

    return ApiKeys(rows=DynamoApiKeys(settings().core_table), now_ms=world.now_ms, new_secret=world.new_secret)


@cache
def web_tokens() -> "WebTokens":
    from shared.services.web_tokens import WebTokens  # noqa: PLC0415 - only the web channel has tokens
    from shared.storage.signing_keys import DynamoSigningKeys  # noqa: PLC0415

    return WebTokens(
        DynamoSigningKeys(settings().core_table),
        now_ms=world.now_ms,
        clock_ns=world.clock_ns,
        new_secret=world.new_secret,
    )


@cache
def web_sessions() -> "WebSessions":
    from shared.services.web_session import WebSessions  # noqa: PLC0415 - see web_tokens

    return WebSessions(published=published_bots(), turns=turns(), tokens=web_tokens(), random_key=world.new_secret)


@cache
def web_uploads() -> "WebUploads":
    from shared.services.web_uploads import WebUploads  # noqa: PLC0415 - see web_tokens
    from shared.storage.uploads import S3Uploads  # noqa: PLC0415

    return WebUploads(
        store=S3Uploads(settings().upload_bucket, settings().region),
        now_ms=world.now_ms,
        random_bytes=world.random_bytes,
    )


def rate_limit(*, limit: int, window_ms: int, free: int) -> "RateLimit":
    """One for each kind of thing that is limited; whoever asks keeps it."""
    from shared.services.rate_limit import RateLimit  # noqa: PLC0415 - see web_tokens
    from shared.storage.rates import DynamoRates  # noqa: PLC0415

    rates = DynamoRates(settings().core_table)
    return RateLimit(rates, limit=limit, window_ms=window_ms, free=free, now_ms=world.now_ms)


@cache
def direct_step() -> "DirectStep":
    from shared.services.direct_step import DirectStep  # noqa: PLC0415 - the Kakao function does not need it

    return DirectStep(published=published_bots(), runnable=runnable_bots(), handle_inbound=handle_inbound())


@cache
def connections() -> "DynamoConnections":
    from shared.storage.connections import DynamoConnections  # noqa: PLC0415 - only the web chat has sockets

    return DynamoConnections(settings().core_table, world.now_ms)


@cache
def push_to_sockets() -> "PushToSockets":
    from shared.services.web_push import PushToSockets  # noqa: PLC0415 - see connections
    from shared.storage.connections import SocketPost  # noqa: PLC0415

    return PushToSockets(
        connections=connections(), post=SocketPost(settings().socket_callback_url), report=report_fault
    )


@cache
def web_chat() -> "WebChat":
    from shared.services.web_chat import WebChat, no_uploads  # noqa: PLC0415 - see connections
    from shared.storage.rates import DynamoRates  # noqa: PLC0415

    return WebChat(
        published=published_bots(),
        runnable=runnable_bots(),
        turns=turns(),
        handle_inbound=handle_inbound(),
        rates=DynamoRates(settings().core_table),
        push=push_to_sockets(),
        calendar=usage_calendar(),
        now_ms=world.now_ms,
        report=report_fault,
        report_trace=report_trace,
        accept_upload=web_uploads().accept if settings().upload_bucket else no_uploads,
    )


@cache
def read_open_api() -> "ReadOpenApi":
    from shared.services.open_api_reading import ReadOpenApi  # noqa: PLC0415 - one function has the open API

    return ReadOpenApi(
        bots=bots(), runnable=runnable_bots(), turns=turns(), identities=identities(), now_ms=world.now_ms
    )


@cache
def write_open_api() -> "WriteOpenApi":
    from shared.services.open_api_writing import WriteOpenApi  # noqa: PLC0415 - see read_open_api

    return WriteOpenApi(
        read=read_open_api(),
        published=published_bots(),
        runnable=runnable_bots(),
        turns=turns(),
        handle_inbound=handle_inbound(),
        now_ms=world.now_ms,
    )


@cache
def authoring() -> "Authoring":
    from shared.services.authoring import Authoring  # noqa: PLC0415 - no function of the hot path authors bots

    return Authoring(
        bots=bots(),
        documents=documents(),
        turns=turns(),
        now_ms=world.now_ms,
        new_id=world.new_id,
        new_secret=world.new_secret,
    )
