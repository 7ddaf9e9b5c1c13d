"""The web widget beside others: what a page loads, and how soon Chromium shows it and lets people type.

Sizes are gzip, of what a page loads for a chat that works; ours is what `npm run size` holds against its budget. The
others come from their npm packages, as their documentation embeds them. Where a package is a library for React, its
first example is bundled with React, as a site would do it.

Times are those of a visit: a page of text, its script from the same local server, the main thread at a quarter of its
speed, nothing cached. `slow_4g` adds the network of Chromium's "Slow 4G" (1.6 Mbit/s, 150 ms), because without one the
number of round trips costs nothing. The launcher is pressed as soon as it is shown.
What servers say is said by stand-ins that answer at once.
"""

import json
import subprocess
from collections.abc import Callable
from typing import Any, Final

from bench.measure import PAIRS, ROOT, CannotRun, Quantity, Row, Samples, Say, Worker, node_worker, rows

SIZES: Final = (
    Quantity(name="widget.loader_gzip_kb", unit="KB", better="lower", goal=3),
    Quantity(name="widget.unopened_gzip_kb", unit="KB", better="lower", goal=None),
    Quantity(name="widget.total_gzip_kb", unit="KB", better="lower", goal=30),
)
"""The script that a page embeds; what everybody loads who never opens the chat; all of it."""
ALONE: Final = "widget.loader_gzip_kb"
"""No other widget has a loader."""
NETWORKS: Final = ("local", "slow_4g")
OURS: Final = "ours"
PLAIN_PAGE: Final = "none"
WIDGETS: Final = {"typebot": "@typebot.io/js", "botpress": "@botpress/webchat", "rasa": "rasa-webchat"}
"""By the worker's name for them: their packages."""

Visit = dict[str, Any]
Ask = Callable[[str], dict[str, Any]]
"""The worker's result of an operation. Raises CannotRun."""


def _kilobytes(count: float) -> float:
    return count / 1024


def _at_least_one(milliseconds: float) -> float:
    """A visit without a long task has a ratio as well."""
    return max(1.0, milliseconds)


TIMES: Final = {
    "first_paint": Quantity(name="first_paint_ms", unit="ms", better="lower", goal=None),
    "launcher": Quantity(name="launcher_ms", unit="ms", better="lower", goal=None),
    "interactive": Quantity(name="interactive_ms", unit="ms", better="lower", goal=None),
    "typing": Quantity(name="typing_ms", unit="ms", better="lower", goal=None),
    "blocking": Quantity(name="long_tasks_ms", unit="ms", better="lower", goal=None, of=_at_least_one),
    "cpu": Quantity(name="main_thread_cpu_ms", unit="ms", better="lower", goal=None),
    "bytes": Quantity(name="wire_kb", unit="KB", better="lower", goal=None, of=_kilobytes),
}
"""The page's first contentful paint; the launcher is shown; the window is open and a control of it takes the focus; the
text field takes it (ours after a press on "start"); until then: tasks of the main thread over 50 ms, added up; what of
its processor all tasks took, which other programs of the machine disturb least; bytes received."""


def measure(say: Say) -> list[Row]:
    """What could be measured; what is missing for the rest is said."""
    made: list[Row] = []
    try:
        with Worker(node_worker("web/measure.mjs")) as worker:

            def ask(operation: str) -> dict[str, Any]:
                result: dict[str, Any] = worker.run(operation)["result"]
                return result

            say("web: sizes")
            made += sizes(ask)
            for network in NETWORKS:
                say(f"web: visits, network {network}")
                made += visits(ask, network)
    except CannotRun as exc:
        say(f"web: the rest was not measured: {exc}")
    return made


def sizes(ask: Ask) -> list[Row]:
    own = our_sizes()
    theirs: dict[str, Samples] = {}
    for name, package in WIDGETS.items():
        try:
            answer = ask(f"sizes {name}")
        except CannotRun as exc:
            theirs[package] = exc
        else:
            theirs[f"{answer['label']} ({answer['counted']})"] = [_kilobytes(answer["bytes"])]
    return [
        row
        for quantity in SIZES
        for row in rows(quantity, [own[quantity.name]], {} if quantity.name == ALONE else theirs)
    ]


def our_sizes() -> dict[str, float]:
    """What the widget's own check measures; it fails over the budget, which is no matter here."""
    command = [*node_worker("")[:-1], "size.mjs", "--json"]
    done = subprocess.run(command, cwd=ROOT / "web", capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            found: dict[str, float] = json.loads(line)
            return found
    raise CannotRun("the widget is not built: `make web` builds it")


def visits(ask: Ask, network: str) -> list[Row]:
    """Visits round by round, each round beginning with another widget, because one that is slow to end weighs on the
    next; the first round warms the browser and counts for nothing."""
    seen: dict[str, list[Visit] | CannotRun] = {name: [] for name in (OURS, PLAIN_PAGE, *WIDGETS)}
    labels = {PLAIN_PAGE: "the page without a chat", **WIDGETS}
    order = list(seen)
    for turn in range(PAIRS + 1):
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            visits_of = seen[name]
            if isinstance(visits_of, CannotRun):
                continue
            try:
                visit = ask(f"visit {name} {network}")
            except CannotRun as exc:
                seen[name] = exc
                continue
            labels[name] = visit.get("label", OURS)
            if turn:
                visits_of.append(visit)
    own = seen.pop(OURS)
    if isinstance(own, CannotRun):
        raise own
    prefix = "widget." if network == NETWORKS[0] else f"widget.{network}."
    made: list[Row] = []
    for key, quantity in TIMES.items():
        named = Quantity(
            name=prefix + quantity.name, unit=quantity.unit, better=quantity.better, goal=None, of=quantity.of
        )
        peers: dict[str, Samples] = {
            labels[name]: visits_of if isinstance(visits_of, CannotRun) else [visit[key] for visit in visits_of]
            for name, visits_of in seen.items()
            if name != PLAIN_PAGE or key == "first_paint"
        }
        made += rows(named, [visit[key] for visit in own], peers)
    return made
