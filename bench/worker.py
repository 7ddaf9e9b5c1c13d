"""A process that runs one subject's operations when it is told to: `python -m bench.worker module:function`.

The function returns operations by name, each without arguments. Beside them the process loads nothing, so that its
memory is the subject's own.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

Operations = dict[str, Callable[[], Any]]


def run(operation: Callable[[], Any], count: int) -> tuple[float, Any]:
    """Seconds of this thread's CPU time for `count` runs, and what the last one returned."""
    result: Any = None
    started = time.thread_time_ns()
    for _ in range(count):
        result = operation()
    return (time.thread_time_ns() - started) / 1e9, result


def serve(operations: Operations) -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        operation = operations.get(asked["operation"])
        if operation is None:
            say({"error": f"there is no operation {asked['operation']}"})
            continue
        seconds, result = run(operation, asked["count"])
        say({"seconds": seconds, "result": result if isinstance(result, dict) else None})


def say(words: dict[str, Any]) -> None:
    print(json.dumps(words), flush=True)


def main(subject: str) -> None:
    module, _, name = subject.partition(":")
    try:
        operations: Operations = getattr(importlib.import_module(module), name)()
    except ImportError as exc:
        say({"error": str(exc)})
        return
    say({"ready": os.getpid()})
    serve(operations)


if __name__ == "__main__":
    main(sys.argv[1])
