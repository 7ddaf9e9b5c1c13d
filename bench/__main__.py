"""`make bench`: run every benchmark, print the table, write bench/results.json.

A missed goal is marked in the table and changes nothing else: numbers of one machine are no verdict, and a failed
build would make people stop measuring.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench import cost, engine, load, script, start, templates, turn, web, webhooks
from bench.measure import Row, Say, machine

RESULTS: Final = Path(__file__).parent / "results.json"
BENCHMARKS: Final[dict[str, Callable[[Say], list[Row]]]] = {
    "turn": turn.measure,
    "engine": engine.measure,
    "templates": templates.measure,
    "load": load.measure,
    "start": start.measure,
    "script": script.measure,
    "webhooks": webhooks.measure,
    "web": web.measure,
    "cost": cost.measure,
}
MISSED: Final = "MISSED"


def table(rows: list[Row]) -> str:
    """The rows as aligned text."""
    lines = [("name", "value", "unit", "goal", "", "peer", "peer's", "ratio")]
    lines += [
        (
            row.name,
            f"{row.value:,.6g}",
            row.unit,
            "" if row.goal is None else f"{'<=' if row.better == 'lower' else '>='} {row.goal:,.6g}",
            MISSED if row.misses_goal else "",
            row.peer or "",
            "" if row.peer_value is None else f"{row.peer_value:,.6g}",
            "" if row.ratio is None else f"{row.ratio:.2f}",
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    numbers = (1, 3, 6, 7)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def kept(path: Path, fresh: list[Row]) -> list[dict[str, object]]:
    """Earlier results of the names that were not measured this time."""
    if not path.exists():
        return []
    names = {row.name for row in fresh}
    earlier: list[dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))
    return [row for row in earlier if row["name"] not in names]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="make bench BENCH_FLAGS=...", description="Measure the budgets.")
    parser.add_argument(
        "--only", nargs="+", choices=sorted(BENCHMARKS), help="these alone; the other results stay as they are"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="where to write the rows")
    options = parser.parse_args(arguments)
    measured: list[Row] = []
    for name, measure in BENCHMARKS.items():
        if options.only is None or name in options.only:
            measured += measure(lambda words: print(f"... {words}", file=sys.stderr, flush=True))
    others = [] if options.only is None else kept(options.results, measured)
    written = [row.to_json() for row in measured] + others
    options.results.write_text(json.dumps(written, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(
        f"\n{machine()}; CPU time of one thread, of scripts and visits time on the wall; "
        "ratio: ours / peer's, median of pairs\n"
    )
    print(table(measured))


if __name__ == "__main__":
    main(sys.argv[1:])
