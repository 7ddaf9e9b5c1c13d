"""The composition root: settings -> adapters -> use cases, each made once a process and only when it is asked for."""

import os
from functools import cache
from typing import TYPE_CHECKING

from shared.runtime import world
from shared.runtime.settings import Settings
from shared.services.inbound import HandleInbound
from shared.services.kakao_skill import HandleSkillCall
from shared.services.published_bots import PublishedBots
from shared.services.runnable_bots import CompiledBots
from shared.storage.bots import DynamoBots
from shared.storage.core import bind_core_table
from shared.storage.documents import S3Documents
from shared.storage.turn_row import bind_turns_table
from shared.storage.turns import DynamoTurns

if TYPE_CHECKING:
    from shared.engine.effects import Attempt, Effect, EffectAnswer
    from shared.engine.trace import TraceEntry
    from shared.net.effects import EffectRunner
    from shared.scripting.client import ScriptFunction
    from shared.scripting.host import ScriptHost
    from shared.services.authoring import Authoring
    from shared.services.direct_step import DirectStep

_local_targets: frozenset[tuple[str, int]] = frozenset()


def reach_local_targets(targets: frozenset[tuple[str, int]]) -> None:
    """Let the guarded client reach these loopback addresses. Only the local cloud's worker calls this, in the process
    that it runs handlers in: no environment variable and no setting of a deployed function leads here."""
    global _local_targets  # noqa: PLW0603 - the one switch, set before anything is wired
    _local_targets = targets
    effect_runner.cache_clear()
    script_host.cache_clear()


@cache
def settings() -> Settings:
    return Settings.from_environment(os.environ)


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
def effect_runner() -> "EffectRunner":
    from shared.net.effects import EffectRunner  # noqa: PLC0415 - only bots with HTTP nodes pay for the HTTP client
    from shared.net.guarded_client import GuardedClient  # noqa: PLC0415

    return EffectRunner(GuardedClient(local_targets=_local_targets))


@cache
def script_host() -> "ScriptHost":
    """Runs scripts in this process's child: for the script function, and for tools that have no functions."""
    from shared.net.guarded_client import GuardedClient  # noqa: PLC0415
    from shared.scripting.host import ScriptHost  # noqa: PLC0415 - one function needs it

    return ScriptHost(GuardedClient(local_targets=_local_targets))


@cache
def script_function() -> "ScriptFunction":
    """Carries out ScriptRun effects by invoking the script function."""
    from shared.scripting.client import MAX_WAIT_SECONDS, ScriptFunction  # noqa: PLC0415 - only bots with scripts pay
    from shared.storage.aws import client  # noqa: PLC0415

    return ScriptFunction(settings().script_function, client("lambda", MAX_WAIT_SECONDS, 1))


def carry_out(effect: "Effect", attempt: "Attempt") -> "EffectAnswer":
    return effect_runner()(effect, attempt)


def report_trace(trace: "list[TraceEntry]", bot_id: str) -> None:
    """What a step did, node by node, for the log of whoever asked for it (LogLevel DEBUG)."""
    if settings().log_level == "DEBUG":
        from shared.runtime.observability import log_trace  # noqa: PLC0415 - only who debugs waits for the logger

        log_trace(trace, bot=bot_id)


@cache
def handle_inbound() -> HandleInbound:
    return HandleInbound(
        turns=turns(),
        effects=carry_out,
        now_ms=world.now_ms,
        clock_ns=world.clock_ns,
        random=world.random,
        new_id=world.new_id,
    )


@cache
def handle_skill_call() -> HandleSkillCall:
    return HandleSkillCall(
        published=published_bots(),
        runnable=runnable_bots(),
        turns=turns(),
        handle_inbound=handle_inbound(),
        report_trace=report_trace,
    )


@cache
def direct_step() -> "DirectStep":
    from shared.services.direct_step import DirectStep  # noqa: PLC0415 - the Kakao function does not need it

    return DirectStep(published=published_bots(), runnable=runnable_bots(), handle_inbound=handle_inbound())


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
