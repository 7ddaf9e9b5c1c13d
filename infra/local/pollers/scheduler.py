"""Calls functions on schedules."""

import asyncio
from collections.abc import Iterable, Mapping

from infra.local.functions import FunctionPool
from infra.local.logs import Logs
from infra.local.pollers.answers import one_line
from infra.local.pollers.clock import Clock
from infra.local.pollers.schedules import Schedule


class Scheduler:
    """Calls functions when their time comes. What comes due while the local cloud is stopped is not made up for."""

    def __init__(self, logs: Logs, clock: Clock) -> None:
        self._logs = logs
        self._clock = clock
        self._waiting: dict[Schedule, asyncio.Task[None]] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._pools: Mapping[str, FunctionPool] = {}

    def serve(self, schedules: Iterable[Schedule], pools: Mapping[str, FunctionPool]) -> None:
        """Runs these in the place of those before. One that has not changed keeps its rhythm."""
        self._pools = pools
        wanted = {schedule for schedule in schedules if schedule.enabled}
        for gone in set(self._waiting) - wanted:
            self._waiting.pop(gone).cancel()
        for new in wanted - set(self._waiting):
            self._waiting[new] = asyncio.create_task(self._run(new))

    async def stop(self) -> None:
        tasks = [*self._waiting.values(), *self._calls]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._waiting = {}

    async def _run(self, schedule: Schedule) -> None:
        begun_at = last = self._clock.now()
        while (due := schedule.next_after(last, begun_at)) is not None:
            await self._clock.sleep_until(due)
            # Hours through which the machine slept are not made up for one by one.
            last = max(due, self._clock.now() - 1)
            call = asyncio.create_task(self._call(schedule, due))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _call(self, schedule: Schedule, due: float) -> None:
        result = await self._pools[schedule.function].invoke(schedule.event(due), patience=None)
        if result.failed:
            self._logs.write(schedule.function, f"schedule {schedule.name}: {one_line(result.payload)}")
