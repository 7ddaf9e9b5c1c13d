"""What a million turns of KakaoTalk cost in AWS's Seoul region: modelled, since no bill can be measured here.

Measured, in this run: the calls, units and bytes of the reference turn and of its way through relay, fan-out and
sender, by the real handlers and the published rules of DynamoDB, SNS and SQS; their CPU. From a dated file: the prices.
Assumed, each a constant below: how long AWS and receivers take to answer, how full batches are, what TLS adds.
Left out, as nothing that a turn causes: storage, alarms, the polls of empty queues, cold starts, faults. Lambda's own
lines about an invocation are switched off in template.yaml (SystemLogLevel).
"""

import hashlib
import json
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench import meter, turn, webhooks
from bench.account import Account
from bench.measure import PAIRS, CannotRun, Quantity, Row, Say, Subject, Worker, python_worker, rows
from bench.worker import Operations

PRICES: Final = Path(__file__).parent / "prices" / "2026-06-ap-northeast-2.json"
RESULTS: Final = Path(__file__).parent / "results.json"
PROJECTION_ROW: Final = "projector.wru_per_turn"
PROJECTION_WRITE_UNITS: Final = 0.675
"""Of lists, counters and active users, a turn: what the projector's test meters for people who came before, at eight
turns a conversation and in batches of a hundred. A row of that name in bench/results.json goes before it."""

MEMORY_MB: Final = 1024
SENDER_MEMORY_MB: Final = 512
"""As template.yaml has them."""
MB_OF_A_VCPU: Final = 1769
"""AWS gives a function of so much memory one vCPU. A core of this machine counts as one."""
READ_MS: Final = 6
WRITE_MS: Final = 8
"""DynamoDB's medians, published by others (DeBrie, 2020)."""
QUEUE_MS: Final = 10
"""SNS and SQS, a request: assumed."""
RECEIVER_MS: Final = 200
"""A customer's server, with the connection to it: assumed."""
RECORDS_A_RELAY: Final = 50
MESSAGES_A_FANOUT: Final = 10
JOBS_A_SENDER: Final = 10
"""How many an invocation takes while turns come at a few a second; the mappings allow 100, 100 and 10."""
RECEIVED_AT_ONCE: Final = 10
"""Messages of one ReceiveMessage and one DeleteMessageBatch of Lambda's pollers, as long as there are so many."""
SNS_TO_SQS_REQUESTS: Final = 1
"""SNS's delivery into a queue counts as a request to SQS: whether it is billed is not certain."""
ANSWER_HEADER_BYTES: Final = 300
TLS_BYTES: Final = 800
"""What we send of a handshake, for a connection of its own: assumed."""
MILLION: Final = 1_000_000
TURNS: Final = 100
"""Turns that go down the path together; their costs are divided by as many."""

NO_WEBHOOK: Final = Quantity(name="cost.kakao_turn_usd_per_million", unit="USD", better="lower", goal=3.90)
WITH_WEBHOOK_1: Final = Quantity(name=f"{NO_WEBHOOK.name}.with_webhook_1", unit="USD", better="lower", goal=6.00)
WITH_WEBHOOK_10: Final = Quantity(name=f"{NO_WEBHOOK.name}.with_webhook_10", unit="USD", better="lower", goal=4.60)
"""1 and 10 turns share a delivery."""

Lines = dict[str, float]
"""USD of a million turns, line by line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """USD of one unit, by name."""

    usd: Mapping[str, float]
    unverified: tuple[str, ...]

    @classmethod
    def read(cls, path: Path = PRICES) -> "Prices":
        found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["prices"]
        return cls(
            usd={name: price["usd"] / price["per"] for name, price in found.items()},
            unverified=tuple(name for name, price in found.items() if not price["verified"]),
        )

    def of(self, name: str, amount: float) -> float:
        """What `amount` of it a turn costs a million turns."""
        return MILLION * amount * self.usd[name]

    def lambda_time(self, cpu_ms: float, wait_ms: float, memory_mb: int = MEMORY_MB) -> float:
        """One invocation. Waiting is billed as working is; time is rounded up to the millisecond."""
        ms = math.ceil(cpu_ms * MB_OF_A_VCPU / memory_mb + wait_ms)
        return self.of("lambda_request", 1) + self.of("lambda_gb_second", memory_mb / 1024 * ms / 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFigures:
    """Of one reference turn. `logged` is what the handler itself printed."""

    read_units: float
    write_units: float
    answer_bytes: int
    logged: int
    cpu_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFigures:
    """Of TURNS turns in one of the three functions behind the stream. `counted` as in Account.metered."""

    invocations: int
    cpu_ms: float
    logged: int
    counted: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFigures:
    """Of TURNS turns. `messages` went from SNS into the queue, `jobs` are deliveries, `posted` bytes without TLS."""

    relay: StageFigures
    fanout: StageFigures
    deliver: StageFigures
    messages: int
    jobs: int
    posted: int

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "PathFigures":
        stages = {name: StageFigures(**data[name]) for name in ("relay", "fanout", "deliver")}
        return cls(**{**data, **stages})


def turn_lines(prices: Prices, figures: TurnFigures, projection_units: float) -> Lines:
    """A turn by itself, at no webhook."""
    return {
        "HTTP API": prices.of("http_api_request", 1),
        "Lambda, the turn": prices.lambda_time(figures.cpu_ms, READ_MS + WRITE_MS),
        "DynamoDB, read": prices.of("dynamodb_read_unit", figures.read_units),
        "DynamoDB, write": prices.of("dynamodb_write_unit", figures.write_units),
        "projections": prices.of("dynamodb_write_unit", projection_units),
        "egress": prices.of("egress_byte", figures.answer_bytes + ANSWER_HEADER_BYTES),
        "logs": prices.of("log_byte", figures.logged),
    }


def path_lines(prices: Prices, figures: PathFigures) -> Lines:
    """What the way of its events to one endpoint adds to a turn."""
    stages = (figures.relay, figures.fanout, figures.deliver)
    counted = sum((Counter(stage.counted) for stage in stages), Counter[str]())
    polls = 2 * sum(math.ceil(number / RECEIVED_AT_ONCE) for number in (figures.messages, figures.jobs))
    sqs = figures.messages * SNS_TO_SQS_REQUESTS + counted["sqs_requests"] + polls
    reads = prices.of("dynamodb_read_unit", counted["half_read_units"] / 2)
    writes = prices.of("dynamodb_write_unit", counted["write_units"])
    whole = {
        "stream, relay": _stage(prices, figures.relay, figures.relay.counted["PublishBatch"] * QUEUE_MS),
        "SNS": prices.of("sns_request", counted["sns_requests"]),
        "SQS": prices.of("sqs_request", sqs),
        "Lambda, fan-out": _stage(prices, figures.fanout, _fanout_wait_ms(figures.fanout)),
        "Lambda, sender": _stage(
            prices, figures.deliver, figures.deliver.invocations * _SENDER_WAIT_MS, SENDER_MEMORY_MB
        ),
        "delivery log": reads + writes,
        "egress": prices.of("egress_byte", figures.posted + figures.jobs * TLS_BYTES),
        "logs": prices.of("log_byte", sum(stage.logged for stage in stages)),
    }
    return {name: usd / TURNS for name, usd in whole.items()}


_SENDER_WAIT_MS: Final = 2 * READ_MS + RECEIVER_MS + 2 * WRITE_MS
"""Of an invocation: its jobs wait side by side."""


def _fanout_wait_ms(stage: StageFigures) -> int:
    return stage.counted["Query"] * READ_MS + stage.counted["SendMessageBatch"] * QUEUE_MS


def _stage(prices: Prices, stage: StageFigures, wait_ms: float, memory_mb: int = MEMORY_MB) -> float:
    """All invocations of a function."""
    each = prices.lambda_time(stage.cpu_ms / stage.invocations, wait_ms / stage.invocations, memory_mb)
    return each * stage.invocations


def added(first: Lines, second: Lines) -> Lines:
    return {name: first.get(name, 0.0) + second.get(name, 0.0) for name in {**first, **second}}


def projection_units(results: Path = RESULTS) -> float:
    """Write units of the projections of a turn: measured before, or the constant."""
    if results.exists():
        for row in json.loads(results.read_text(encoding="utf-8")):
            if row["name"] == PROJECTION_ROW:
                return float(row["value"])
    return PROJECTION_WRITE_UNITS


# ---- the worker


class CountingReceiver(webhooks.CannedReceiver):
    """A receiver that remembers how much it was sent."""

    posted = 0

    def send(self, data: Any) -> int:
        CountingReceiver.posted += len(data)
        return super().send(data)


def path_of_1() -> Operations:
    """Each of the turns is of another bot, so that none shares its delivery."""
    return _path(TURNS, 1)


def path_of_10() -> Operations:
    """Ten people talk with each bot at the same moment."""
    return _path(TURNS // 10, 10)


def _path(bots: int, people: int) -> Operations:
    """The reference turn of `people` with each of `bots` bots, which have one endpoint each, from the stream to it.

    `turn` and `path` measure once; the path starts from the same rows each time.
    """
    webhooks.as_deployed()
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415

    from functions.kakao_skill.app import handler as skill  # noqa: PLC0415
    from functions.relay.app import handler as relay  # noqa: PLC0415
    from functions.webhook_deliver.app import handler as deliver  # noqa: PLC0415
    from functions.webhook_fanout.app import handler as fan_out  # noqa: PLC0415
    from shared.net import connection  # noqa: PLC0415
    from shared.runtime import wiring  # noqa: PLC0415

    names = [f"Bd80z{number:03d}" for number in range(bots)]
    account = _account(names)
    session: Any = URLLib3Session
    session.send = lambda _, request: account.send(request)
    sockets: Any = connection
    sockets.connect = lambda addresses, port, budget: CountingReceiver()
    sockets.vetted_addresses = lambda target, resolve, budget: [webhooks.RECEIVER]

    def say(bot_id: str, person: int, text: str) -> str:
        answer = skill(turn.skill_event(text, bot_id=bot_id, user_key=_user_key(bot_id, person)), None)
        if answer["statusCode"] != 200:
            raise CannotRun(f"the handler answers {answer}")
        return str(answer["body"])

    talks = [(name, person) for name in names for person in range(people)]
    for text in turn.BEFORE:
        for name, person in talks:
            say(name, person, text)
    before = account.snapshot()
    account.start_counting()
    for name, person in talks:
        say(name, person, turn.QUESTION)
    records = [_record(item, place) for place, (_, item) in enumerate(account.put)]
    fresh = account.snapshot()

    def one_turn() -> dict[str, Any]:
        account.restore(before)
        account.start_counting()
        printed = StringIO()
        with redirect_stdout(printed):
            answer = say(*talks[0], turn.QUESTION)
        counted = account.metered()
        if counted["PutItem"] != 1 or counted["Query"] not in (1, 2):
            raise CannotRun(f"a turn makes the calls {dict(counted)}")
        return {"answer_bytes": len(answer.encode()), "logged": len(printed.getvalue().encode())}

    def whole_path() -> dict[str, Any]:
        account.restore(fresh)
        wiring.fanout.cache_clear()  # endpoints are asked for, as after five seconds
        CountingReceiver.posted = 0
        account.start_counting()
        relayed = _stage_run(account, relay, [{"Records": part} for part in _parts(records, RECORDS_A_RELAY)])
        messages = account.published
        account.start_counting()
        fanned_out = _stage_run(account, fan_out, _sqs_events(messages, MESSAGES_A_FANOUT))
        jobs = account.sent
        account.start_counting()
        delivered = _stage_run(account, deliver, _sqs_events(jobs, JOBS_A_SENDER))
        if len(jobs) != bots or delivered["counted"]["PutItem"] != bots:
            raise CannotRun(f"{len(jobs)} deliveries were made")
        return {
            "relay": relayed,
            "fanout": fanned_out,
            "deliver": delivered,
            "messages": len(messages),
            "jobs": len(jobs),
            "posted": CountingReceiver.posted,
        }

    return {"turn": one_turn, "path": whole_path}


def _user_key(bot_id: str, person: int) -> str:
    """As long as KakaoTalk's and as random: it is stored and delivered with every turn."""
    return (hashlib.sha256(f"{bot_id}/{person}".encode()).hexdigest() * 2)[: len(turn.USER_KEY)]


def _account(names: list[str]) -> Account:
    from shared.storage import keys  # noqa: PLC0415
    from shared.storage import webhooks as endpoint_rows  # noqa: PLC0415
    from shared.webhooks.endpoint import Endpoint  # noqa: PLC0415
    from shared.webhooks.signature import new_secret  # noqa: PLC0415

    account = Account(turn.published_bot(names[0])[1])
    core = turn.ENVIRONMENT["MALGIL_CORE_TABLE"]
    for number, name in enumerate(names):
        for row in turn.published_bot(name)[0]:
            account.add(core, row)
        endpoint = Endpoint(
            webhook_id=f"11111111-1111-4111-8111-{number:012d}",
            bot_id=name,
            name="bench",
            url="http://receiver.example/webhook-endpoint",
            secret=new_secret(bytes(32)),
            created_at_ms=turn.NOW_MS,
            updated_at_ms=turn.NOW_MS,
        )
        key = {"pk": {"S": keys.bot_partition(name)}, "sk": {"S": keys.webhook_sort(endpoint.webhook_id)}}
        account.add(core, {**key, **endpoint_rows._owners_part(endpoint)})
    return account


def _record(item: meter.Item, place: int) -> dict[str, Any]:
    key = {name: item[name] for name in ("pk", "sk")}
    return {"dynamodb": {"Keys": key, "NewImage": item, "SequenceNumber": f"{place:021d}"}}


def _parts(found: list[Any], size: int) -> list[list[Any]]:
    return [found[start : start + size] for start in range(0, len(found), size)]


def _sqs_events(bodies: list[str], size: int) -> list[dict[str, Any]]:
    return [
        {"Records": [{"messageId": str(number), "body": body} for number, body in enumerate(part)]}
        for part in _parts(bodies, size)
    ]


def _stage_run(account: Account, handler: Callable[[Any, Any], Any], events: list[dict[str, Any]]) -> dict[str, Any]:
    """Invoke a handler with each event: CPU of all its threads, what it asked for and printed."""
    printed = StringIO()
    with redirect_stdout(printed):
        started = time.process_time_ns()
        answers = [handler(event, None) for event in events]
        cpu_ms = (time.process_time_ns() - started) / 1e6
    if any(answer != {"batchItemFailures": []} for answer in answers):
        raise CannotRun(f"a function could not do its work: {answers}")
    return {
        "invocations": len(events),
        "cpu_ms": cpu_ms,
        "logged": len(printed.getvalue().encode()),
        "counted": dict(account.metered()),
    }


# ---- the benchmark


def measured_turn(worker: Worker) -> TurnFigures:
    """From the benchmark of the turn, with its median, and the size of its answer."""
    with Worker(python_worker("bench.turn:ours")) as alone:
        subject = Subject(alone, "turn")
        cpu_ms = median(subject.sample() for _ in range(PAIRS)) * 1000
        figures = [alone.run("metered")["result"] for _ in range(turn.METERED_TURNS)]
    said = worker.run("turn")["result"]
    return TurnFigures(
        read_units=median(figure["read_units"] for figure in figures),
        write_units=median(figure["write_units"] for figure in figures),
        cpu_ms=cpu_ms,
        **said,
    )


def measured_path(worker: Worker) -> PathFigures:
    """The run with the median of all CPU, after one to warm up."""
    worker.run("path")
    runs = [PathFigures.from_json(worker.run("path")["result"]) for _ in range(PAIRS)]
    return sorted(runs, key=lambda run: run.relay.cpu_ms + run.fanout.cpu_ms + run.deliver.cpu_ms)[PAIRS // 2]


def printed(columns: Mapping[str, Lines]) -> str:
    """The lines side by side, and their sums."""
    names = list({name: None for lines in columns.values() for name in lines})
    width = max(len(name) for name in names)
    table = [" ".join([" " * width, *(f"{title:>14}" for title in columns)])]
    for name in names:
        cells = (f"{lines[name]:14.3f}" if name in lines else " " * 14 for lines in columns.values())
        table.append(" ".join([name.ljust(width), *cells]))
    sums = (f"{sum(lines.values()):14.3f}" for lines in columns.values())
    return "\n".join([*table, " ".join(["total".ljust(width), *sums])])


def quantities(title: str, path: PathFigures) -> str:
    """What was measured of the path, for those who ask why it costs so much: of one turn."""
    counted = sum((Counter(stage.counted) for stage in (path.relay, path.fanout, path.deliver)), Counter[str]())
    cpu = ", ".join(
        f"{name} {stage.cpu_ms / TURNS:.2f}"
        for name, stage in (("relay", path.relay), ("fan-out", path.fanout), ("sender", path.deliver))
    )
    return (
        f"{title}: {counted['write_units'] / TURNS:g} write units ({counted['bytes_written'] / TURNS:.0f} B), "
        f"{counted['half_read_units'] / 2 / TURNS:g} read units, {counted['sns_requests'] / TURNS:g} requests to SNS, "
        f"{counted['sqs_requests'] / TURNS:g} sent to SQS, {path.posted / TURNS:.0f} B posted, CPU ms: {cpu}"
    )


def measure(say: Say) -> list[Row]:
    say("what a million turns cost")
    prices = Prices.read()
    with Worker(python_worker("bench.cost:path_of_1")) as worker:
        figures, path_of_one = measured_turn(worker), measured_path(worker)
    with Worker(python_worker("bench.cost:path_of_10")) as worker:
        path_of_ten = measured_path(worker)
    alone = turn_lines(prices, figures, projection_units())
    columns = {
        "no webhook": alone,
        "1 a delivery": added(alone, path_lines(prices, path_of_one)),
        "10 a delivery": added(alone, path_lines(prices, path_of_ten)),
    }
    print(
        f"\nUSD of a million turns on KakaoTalk, modelled. Prices of {PRICES.name}, of which these were not compared "
        f"with AWS's own list: {', '.join(prices.unverified)}.\n\n{printed(columns)}\n\nA turn: "
        f"{figures.write_units:g} write units, {figures.read_units:g} read units, CPU ms: {figures.cpu_ms:.2f}; "
        f"projections {projection_units():g} write units\n"
        f"{quantities('1 a delivery', path_of_one)}\n{quantities('10 a delivery', path_of_ten)}"
    )
    return [
        row
        for quantity, lines in zip((NO_WEBHOOK, WITH_WEBHOOK_1, WITH_WEBHOOK_10), columns.values(), strict=True)
        for row in rows(quantity, [sum(lines.values())], {})
    ]
