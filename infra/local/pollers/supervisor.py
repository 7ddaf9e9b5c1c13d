"""The pollers of a deployment: started, replaced when the template changes, stopped."""

import asyncio
from collections.abc import Iterable, Mapping

from infra.local.endpoints import Endpoints
from infra.local.functions import FunctionPool
from infra.local.logs import Logs
from infra.local.pollers.mappings import QueueMapping
from infra.local.pollers.sqs import QueueCalls, QueuePoller


class Pollers:
    """All methods run on one event loop."""

    def __init__(self, endpoints: Endpoints, logs: Logs) -> None:
        self._endpoints = endpoints
        self._logs = logs
        self._calls: QueueCalls | None = None
        self._pollers: list[QueuePoller] = []
        self._batches: set[asyncio.Task[None]] = set()

    async def serve(self, mappings: Iterable[QueueMapping], pools: Mapping[str, FunctionPool]) -> None:
        """Runs these mappings in the place of those before; what a function works on already is not interrupted."""
        await self._stop_polling()
        if self._calls is None:
            self._calls = QueueCalls(self._endpoints)
        self._pollers = [
            QueuePoller(mapping, pools[mapping.function], self._calls, self._logs, self._batches)
            for mapping in mappings
            if mapping.options.enabled
        ]
        for poller in self._pollers:
            poller.start()

    async def stop(self) -> None:
        """Interrupts everything: messages in flight come back after their visibility time-out."""
        await self._stop_polling()
        for batch in list(self._batches):
            batch.cancel()
        await asyncio.gather(*self._batches, return_exceptions=True)
        if self._calls is not None:
            await self._calls.close()
            self._calls = None

    async def _stop_polling(self) -> None:
        pollers, self._pollers = self._pollers, []
        await asyncio.gather(*(poller.stop() for poller in pollers))
