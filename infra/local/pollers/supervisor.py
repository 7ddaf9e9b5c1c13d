"""The pollers of a deployment: started, replaced when the template changes, stopped."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

import aiohttp

from infra.local.endpoints import Endpoints
from infra.local.functions import FunctionPool
from infra.local.logs import Logs
from infra.local.pollers.calls import CallError, Calls
from infra.local.pollers.checkpoints import Checkpoints
from infra.local.pollers.clock import Clock
from infra.local.pollers.failures import FailureDestinations
from infra.local.pollers.mappings import QueueMapping, StreamMapping
from infra.local.pollers.scheduler import Scheduler
from infra.local.pollers.schedules import Schedule
from infra.local.pollers.sqs import QueuePoller
from infra.local.pollers.streams import StreamPoller, StreamWorkshop


class Pollers:
    """Made and used on one event loop. Raises Unavailable when the checkpoints cannot be read."""

    def __init__(self, endpoints: Endpoints, logs: Logs, checkpoints: Path, clock: Clock) -> None:
        self._logs = logs
        self._checkpoints = Checkpoints(checkpoints)
        self._queues = Calls(endpoints, "sqs")
        self._streams = Calls(endpoints, "dynamodbstreams")
        self._workshop = StreamWorkshop(
            self._streams, self._checkpoints, FailureDestinations(endpoints), self._logs, clock
        )
        self._scheduler = Scheduler(logs, clock)
        self._queue_pollers: list[QueuePoller] = []
        self._stream_pollers: dict[str, StreamPoller] = {}
        self._ending: set[StreamPoller] = set()
        """Stopped, and still waiting for their function."""
        self._batches: set[asyncio.Task[None]] = set()

    async def serve(
        self,
        queues: Iterable[QueueMapping],
        streams: Iterable[StreamMapping],
        schedules: Iterable[Schedule],
        pools: Mapping[str, FunctionPool],
    ) -> None:
        """Runs these in the place of those before; what a function works on already is not interrupted."""
        await self._stop_polling()
        self._queue_pollers = [
            QueuePoller(mapping, pools[mapping.function], self._queues, self._logs, self._batches)
            for mapping in queues
            if mapping.options.enabled
        ]
        for queue_poller in self._queue_pollers:
            queue_poller.start()
        await self._serve_streams(list(streams), pools)
        self._scheduler.serve(schedules, pools)

    async def _serve_streams(self, mappings: list[StreamMapping], pools: Mapping[str, FunctionPool]) -> None:
        before = self._stream_pollers
        self._ending = {poller for poller in {*self._ending, *before.values()} if poller.is_running}
        self._checkpoints.keep_only(mappings)
        self._stream_pollers = {}
        for mapping in mappings:
            if mapping.options.enabled:
                poller = StreamPoller(mapping, pools[mapping.function], self._workshop)
                await _settle(poller)
                poller.start(after=before.get(mapping.name))
                self._stream_pollers[mapping.name] = poller

    async def stop(self) -> None:
        """Interrupts everything: what is in flight is worked on again."""
        await self._stop_polling()
        for batch in list(self._batches):
            batch.cancel()
        await asyncio.gather(*self._batches, return_exceptions=True)
        await asyncio.gather(*(poller.kill() for poller in {*self._stream_pollers.values(), *self._ending}))
        await self._scheduler.stop()
        await self._queues.close()
        await self._streams.close()

    async def _stop_polling(self) -> None:
        for stream_poller in self._stream_pollers.values():
            stream_poller.stop()
        pollers, self._queue_pollers = self._queue_pollers, []
        await asyncio.gather(*(poller.stop() for poller in pollers))


async def _settle(poller: StreamPoller) -> None:
    """Before the first write that the mapping is to see; a stream that cannot be read now is tried again later."""
    try:
        await poller.settle()
    except (CallError, aiohttp.ClientError, OSError) as error:
        poller.say(f"cannot be read yet: {error}")
