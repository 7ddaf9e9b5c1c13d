"""`malgil doctor`: this machine, the deployment, and each bot's connection to KakaoTalk."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import httpx

from infra.cli import phone, skill_call
from infra.cli.cloud import Cloud, CloudChoice, enter
from infra.cli.draw import Screen, safe
from infra.cli.errors import outside_errors, sentence
from infra.cli.findings import MARKS, Finding, ask, broken, doubtful, good
from infra.cli.language import both
from infra.cli.machine import examine_machine
from infra.cli.needs import examine_needs
from infra.cli.skill_call import Caller, Skill, SkillCaller
from shared.bot.lint import lint
from shared.bot.record import BotRecord
from shared.channels.kakao.settings import KakaoSettings
from shared.errors import NotFound

if TYPE_CHECKING:
    from shared.services.authoring import Authoring

CALLER: Final = Caller(user_key="malgil-doctor", user_type="accountId")
"""Always the same end user, and marked as the admin centre marks its skill test."""
LEAST_CONCURRENCY: Final = 100
"""Concurrent executions of an account; new ones may have 10, which one busy minute of KakaoTalk uses up."""
CLOCK_SKEW: Final = timedelta(seconds=60)
"""AWS refuses requests that are 5 minutes off."""
REFUSALS: Final = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
NOBODY: Final = "malgil-doctor"
CHECK_RIGHTS: Final = both("권한, 리전, 스택을 확인하세요", "check your rights, the region and the stack")
ADMIN_CENTRE: Final = (
    ask(
        "웰컴 블록과 폴백 블록 모두에 스킬이 연결되어 있나요?",
        "Is the skill set on both the welcome and the fallback block?",
    ),
    ask("두 블록의 응답이 '스킬데이터 사용'인가요?", "Do both blocks answer with 스킬데이터 사용?"),
    ask("다른 스킬이나 시나리오 블록이 없나요?", "Is there no other skill and no other scenario block?"),
    ask("스킬과 봇을 모두 배포했나요?", "Are the skill and the bot deployed?"),
    ask("운영 채널에 올바른 채널이 연결되어 있나요?", "Is the right channel connected?"),
    ask(
        "웰컴 메시지는 계정과 채널마다 처음 한 번만 보입니다",
        "The welcome shows once per account and channel: do not wait for a second one",
    ),
)


def examine(choice: CloudChoice, bot_id: str | None) -> bool:
    """Examine everything and draw it. False when something is broken."""
    screen = Screen()
    place, missing = _find(choice)
    states = [_draw(screen, finding) for finding in examine_machine(is_running=place is not None and place.is_local)]
    if place is None:
        states.append(_draw(screen, missing))
    else:
        screen.line(f"\n{place.name}", "bold")
        states += [_draw(screen, finding) for finding in _examine_cloud(place)]
        if "broken" not in states:
            states += _examine_bots(screen, place, bot_id)
    return "broken" not in states


def _draw(screen: Screen, finding: Finding) -> str:
    mark, style = MARKS[finding.state]
    screen.line(f"{mark} {safe(finding.what)}", style)
    if finding.remedy:
        screen.line(f"  → {safe(finding.remedy)}")
    return finding.state


def _find(choice: CloudChoice) -> tuple[Cloud | None, Finding]:
    """The cloud to examine, or what to say instead: a machine without one is no fault unless one was named."""
    try:
        return enter(choice), good("클라우드", "cloud")
    except NotFound as exc:
        if choice.stack is not None or choice.is_local:
            return None, broken("클라우드 없음", "no cloud", str(exc))
        return None, doubtful("클라우드 없음", "no cloud", str(exc))
    except outside_errors() as exc:
        return None, broken("클라우드 접근 불가", "the cloud cannot be reached", sentence(exc))


# ---- the deployment


def _examine_cloud(place: Cloud) -> Iterator[Finding]:
    from shared.runtime.wiring import settings  # noqa: PLC0415 - brings the AWS SDK

    names = settings()
    for table in (names.turns_table, names.core_table):
        yield _tried(f"테이블 {table}", f"table {table}", partial(_table, table))
    yield _tried(f"버킷 {names.bot_bucket}", f"bucket {names.bot_bucket}", partial(_bucket, names.bot_bucket))
    yield from _api(place)
    if not place.is_local:
        yield _tried("Lambda 동시성", "Lambda concurrency", _concurrency)


def _tried(korean: str, english: str, check: Callable[[], Finding | None]) -> Finding:
    """A check of an AWS service: its own finding, or good when it has nothing to say and nothing went wrong."""
    try:
        return check() or good(korean, english)
    except outside_errors() as exc:
        return broken(f"{korean}: 실패", f"{english}: failed", f"{sentence(exc)}. {CHECK_RIGHTS}")


def _client(service: str) -> Any:
    from shared.aws import client  # noqa: PLC0415 - brings the AWS SDK

    return client(service)


def _table(name: str) -> Finding | None:
    status = _client("dynamodb").describe_table(TableName=name)["Table"]["TableStatus"]
    if status in ("ACTIVE", "UPDATING"):
        return None
    return broken(f"테이블 {name}: {status}", f"table {name} is {status}", both("잠시 후 다시", "try again in a while"))


def _bucket(name: str) -> None:
    _client("s3").head_bucket(Bucket=name)


def _concurrency() -> Finding | None:
    limit = _client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    if limit >= LEAST_CONCURRENCY:
        return good(f"Lambda 동시 실행 {limit}", f"{limit} concurrent executions")
    return doubtful(
        f"Lambda 동시 실행 {limit}",
        f"only {limit} concurrent executions in this account",
        both("Service Quotas에서 1,000으로 늘려 달라고 신청하세요", "ask for 1,000 in Service Quotas"),
    )


def _api(place: Cloud) -> Iterator[Finding]:
    """The API refuses a call without secrets; the clock of its answer is compared with ours."""
    url = place.skill_url(NOBODY, NOBODY)
    with httpx.Client(timeout=skill_call.TIMEOUT_SECONDS, mounts=dict.fromkeys(skill_call.NEVER_PROXIED)) as client:
        try:
            response = client.post(url, json={})
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            yield broken("HTTP API 응답 없음", "the HTTP API does not answer", f"{place.http_url}: {exc}")
            return
    if response.status_code in REFUSALS:
        yield good("HTTP API: 비밀 없는 호출을 거절", "HTTP API refuses calls without secrets")
    else:
        remedy = both("배포를 확인하세요", "check the deployment")
        yield broken(f"HTTP API: {response.status_code}", f"HTTP API: {response.status_code} instead of 401", remedy)
    skew = _skew(response.headers.get("date"))
    if skew is None:
        return
    seconds = round(skew.total_seconds())
    if abs(skew) <= CLOCK_SKEW:
        yield good("시계 일치", "the clocks agree")
    else:
        remedy = both("이 컴퓨터의 시간을 맞추세요(NTP)", "set this machine's time (NTP)")
        yield broken(f"시계 차이 {seconds}초", f"the clocks differ by {seconds} s", remedy)


def _skew(date: str | None) -> timedelta | None:
    try:
        return None if date is None else datetime.now(UTC) - parsedate_to_datetime(date)
    except (TypeError, ValueError):  # not a date, or one without a zone
        return None


# ---- the bots


def _examine_bots(screen: Screen, place: Cloud, bot_id: str | None) -> list[str]:
    from shared.runtime.wiring import authoring  # noqa: PLC0415

    use_cases = authoring()
    bot_ids = [bot_id] if bot_id is not None else [record.bot_id for record in use_cases.bots]
    states = []
    is_connected = False
    for each in bot_ids:
        record = use_cases.get(each)
        screen.line(f"\n{each}", "bold")
        is_connected = is_connected or "kakao" in record.channels
        states += [_draw(screen, finding) for finding in _examine_bot(use_cases, place, record)]
    if is_connected:
        screen.line(f"\n{both('챗봇 관리자센터에서 확인', 'to be seen in the admin centre (챗봇 관리자센터)')}", "bold")
        states += [_draw(screen, finding) for finding in ADMIN_CENTRE]
    return states


def _examine_bot(use_cases: "Authoring", place: Cloud, record: BotRecord) -> Iterator[Finding]:
    yield _published(use_cases, record)
    if record.published is not None:
        yield from examine_needs(record.bot_id, use_cases.content(record, record.published.number))
    stored = record.channels.get("kakao")
    if stored is None:
        yield doubtful("카카오톡 미연결", "not connected to KakaoTalk", f"malgil bot connect {record.bot_id}")
        return
    settings = KakaoSettings.parse(stored)
    if settings.kakao_bot_id is None:
        yield doubtful(
            "카카오 봇 ID 미설정",
            "Kakao bot id not set: calls of other bots are not refused",
            f"malgil bot connect {record.bot_id} --kakao-bot-id ...",
        )
    else:
        yield good("카카오 봇 ID 설정됨", "Kakao bot id set")
    yield _called(Skill.of_settings(record.bot_id, place.skill_url(record.bot_id, settings.path_secret), settings))


def _published(use_cases: "Authoring", record: BotRecord) -> Finding:
    published = record.published
    if published is None:
        tell = broken if "kakao" in record.channels else doubtful
        return tell("게시되지 않음", "not published", f"malgil bot publish {record.bot_id}")
    problems = lint(use_cases.content(record, published.number), record.profile)
    errors = sum(problem.severity == "error" for problem in problems)
    if errors:
        return broken(
            f"게시된 버전 {published.number}에 오류 {errors}개",
            f"the published version {published.number} has {errors} errors",
            f"malgil bot export {record.bot_id} --version {published.number} -o bot.json; malgil bot lint bot.json",
        )
    return good(f"버전 {published.number} 게시됨", f"version {published.number} is published")


def _called(skill: Skill) -> Finding:
    """A real call of the welcome block: answered with 200, in time, with bubbles that Kakao takes."""
    with SkillCaller(skill) as caller:
        answer = caller.send(skill_call.welcome(skill, CALLER))
    took = f"{answer.milliseconds:.0f} ms"
    if answer.problem is not None:
        return broken(f"스킬 호출 실패 ({took})", f"the skill call failed ({took})", answer.problem)
    if answer.milliseconds > phone.SECONDS * 1000:
        return broken(
            f"스킬 응답이 늦음 ({took})", f"the skill answers too late ({took})", both("로그 확인", "see the log")
        )
    refused = [notice for notice in phone.notices(answer.body, answer.size) if notice.severity == "refused"]
    if refused:
        first = refused[0]
        return broken(
            "스킬 응답 형식 오류", "invalid skill response", f"{first.path}: {both(first.korean, first.english)}"
        )
    return good(f"스킬 호출 성공 ({took})", f"the skill answers ({took}, {answer.size} bytes)")
