"""`malgil usage`: how much a bot is used, what it may use, and the brand line."""

import json
from collections.abc import Sequence
from typing import Any, Final, Literal

import typer
from rich.table import Table
from rich.text import Text

from infra.cli import cloud
from infra.cli.draw import console, safe
from infra.cli.language import both
from shared.runtime import wiring
from shared.services.usage import Bucket, Unit, Usage
from shared.usage.calendar import month_after

MOST_DAYS_BY_HOURS: Final = 2
BARS: Final = "▁▂▃▄▅▆▇█"
NOTHING: Final = "·"
WIDEST_BAR: Final = 32
MEASURES: Final = {
    "received": both("받은 메시지", "received"),
    "sent": both("봇이 보낸 메시지", "sent by the bot"),
    "sent_by_agents": both("상담원 메시지", "sent by agents"),
    "new_end_users": both("새 사용자", "new users"),
    "conversations": both("새 대화", "conversations"),
    "calls_requested": both("상담 요청", "agent calls"),
}
JSON_NAMES: Final = {
    "received": "received",
    "sent": "sent",
    "sent_by_agents": "sentByAgents",
    "new_end_users": "newEndUsers",
    "conversations": "conversations",
    "calls_requested": "callsRequested",
    "calls_connected": "callsConnected",
    "calls_cancelled": "callsCancelled",
    "calls_disconnected": "callsDisconnected",
}


def set_limits(
    choice: cloud.CloudChoice, bot_id: str, *, quota: int | Literal["as it is"] | None, brand_line: str | None
) -> None:
    cloud.enter(choice)
    wiring.usage().set_limits(bot_id, quota=quota, brand_line=brand_line)


def show(choice: cloud.CloudChoice, bot_id: str, days: int, *, as_json: bool) -> None:
    cloud.enter(choice)
    unit: Unit = "hour" if days <= MOST_DAYS_BY_HOURS else "day"
    buckets = wiring.usage().statistics(bot_id, days, unit)
    usage = wiring.usage().usage(bot_id)
    if as_json:
        typer.echo(json.dumps({**_usage_json(usage), f"{unit}s": _buckets_json(buckets)}, ensure_ascii=False, indent=2))
        return
    out = console()
    out.print(Text(f"{usage.bot_id} · {_month(usage.month)} · {usage.time_zone}", style="dim"))
    out.print(_facts(usage))
    out.print()
    out.print(_months(usage))
    out.print()
    out.print(Text(f"{buckets[0].start} … {buckets[-1].start}", style="dim"))
    out.print(_plot(buckets))


def _facts(usage: Usage) -> Table:
    table = _table()
    quota = usage.limits.quota
    limit = f"({both('한도 없음', 'no quota')})" if quota is None else f"/ {quota:,}"
    table.add_row(both("월간 활성 사용자", "monthly active users"), f"{usage.active:,} {limit}")
    shown = both("지금 보임", "shown now") if usage.brand_line is not None else both("안 보임", "not shown")
    table.add_row(both("브랜드 문구", "brand line"), f"{safe(usage.limits.brand_line)} ({shown})")
    table.add_row(both("다시 0부터", "counted anew from"), f"{_month(month_after(usage.month))}-01")
    return table


def _months(usage: Usage) -> Table:
    """The newest month last, as time goes."""
    table = _table()
    most = max(active for _, active in usage.months)
    for month, active in reversed(usage.months):
        bar = "█" * round(WIDEST_BAR * active / most) if most else ""
        table.add_row(_month(month), Text(f"{active:,}", justify="right"), bar or (NOTHING if not active else "▏"))
    return table


def _plot(buckets: Sequence[Bucket]) -> Table:
    """A line for each measure, each by its own highest value, with the sum."""
    table = _table()
    for name, words in MEASURES.items():
        values = [bucket.counts[name] for bucket in buckets]
        table.add_row(words, Text(_bars(values), no_wrap=True), Text(f"{sum(values):,}", justify="right"))
    return table


def _bars(values: Sequence[int]) -> str:
    most = max(values)
    return "".join([BARS[(value * len(BARS) - 1) // most] if value else NOTHING for value in values])


def _table() -> Table:
    return Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))


def _usage_json(usage: Usage) -> dict[str, Any]:
    return {
        "botId": usage.bot_id,
        "timeZone": usage.time_zone,
        "month": _month(usage.month),
        "monthlyActiveUsers": usage.active,
        "quota": usage.limits.quota,
        "brandLine": usage.limits.brand_line,
        "isBrandLineShown": usage.brand_line is not None,
        "months": [{"month": _month(month), "monthlyActiveUsers": active} for month, active in usage.months],
    }


def _buckets_json(buckets: Sequence[Bucket]) -> list[dict[str, Any]]:
    return [
        {
            "start": bucket.start,
            **{shown: bucket.counts[name] for name, shown in JSON_NAMES.items()},
            "receivedByPlatform": dict(sorted(bucket.received_by_platform.items())),
        }
        for bucket in buckets
    ]


def _month(month: int) -> str:
    return f"{month // 100}-{month % 100:02d}"
