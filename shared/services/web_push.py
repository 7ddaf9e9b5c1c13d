"""Telling open sockets of what happened in their log: hints that may get lost. A client that misses one sees by the
next revision, or by the answer to its ping, that it has to ask.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Protocol

from shared.channels.web.frames import fitting, frame_bytes
from shared.channels.web.streamed import StreamedWebTurn
from shared.errors import InvalidInput, MalgilError
from shared.services.ports import Turns
from shared.services.published_bots import PublishedBots
from shared.services.web_ports import Connections, Post
from shared.services.web_turns import agent_frame, messages_frame
from shared.usage.calendar import UsageCalendar

JsonObject = dict[str, Any]

MAX_SOCKETS: Final = 20
"""Of one log that are told, the newest: more are no tabs of one person."""
THREADS: Final = 8
BUDGET_NS: Final = 5_000_000_000
"""Of one batch of the stream; events wait for it no longer."""


class PushFrames(Protocol):
    """Sends frames to all sockets of a log but one. Raises nothing: what does not arrive is reported."""

    def __call__(
        self,
        bot_id: str,
        log: str,
        frames: Sequence[JsonObject],
        *,
        but: str | None = None,
        deadline_ns: int | None = None,
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PushToSockets:
    """The PushFrames of an installation with sockets."""

    connections: Connections
    post: Post
    report: Callable[[Exception], None]

    def __call__(
        self,
        bot_id: str,
        log: str,
        frames: Sequence[JsonObject],
        *,
        but: str | None = None,
        deadline_ns: int | None = None,
    ) -> None:
        try:
            for connection_id in self.connections.of(bot_id, log, deadline_ns)[:MAX_SOCKETS]:
                if connection_id != but:
                    self.send(
                        bot_id, log, connection_id, [frame_bytes(fitting(frame)) for frame in frames], deadline_ns
                    )
        except MalgilError as exc:
            self.report(exc)

    def send(
        self, bot_id: str, log: str, connection_id: str, frames: Sequence[bytes], deadline_ns: int | None = None
    ) -> None:
        """All frames to one socket, until it is gone or takes nothing: the rest would only show it a gap."""
        try:
            for frame in frames:
                if not self.post(connection_id, frame, deadline_ns):
                    self.connections.remove(bot_id, log, connection_id, deadline_ns)
                    return
        except MalgilError as exc:
            self.report(exc)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushTurns:
    """Tells sockets of the turns of a batch of the stream, each log in order, several logs at a time. `read` gives None
    for turns of other channels."""

    read: Callable[[JsonObject], StreamedWebTurn | None]
    turns: Turns
    published: PublishedBots
    to_sockets: PushToSockets
    calendar: UsageCalendar
    now_ms: Callable[[], int]
    clock_ns: Callable[[], int]

    def __call__(self, records: Sequence[JsonObject]) -> None:
        """Raises nothing."""
        logs: dict[tuple[str, str], list[StreamedWebTurn]] = {}
        for record in records:
            turn = self._read(record)
            if turn is not None:
                logs.setdefault((turn.bot_id, turn.log), []).append(turn)
        if not logs:
            return
        deadline_ns = self.clock_ns() + BUDGET_NS
        with ThreadPoolExecutor(min(THREADS, len(logs))) as threads:
            for done in [threads.submit(self._tell, turns, deadline_ns) for turns in logs.values()]:
                fault = done.exception()
                if isinstance(fault, Exception):
                    self.to_sockets.report(fault)

    def _read(self, record: JsonObject) -> StreamedWebTurn | None:
        try:
            return self.read(record)
        except InvalidInput:  # the relay has set it aside, and said so
            return None

    def _tell(self, turns: list[StreamedWebTurn], deadline_ns: int) -> None:
        bot_id, log = turns[0].bot_id, turns[0].log
        sockets = self.to_sockets.connections.of(bot_id, log, deadline_ns)[:MAX_SOCKETS]
        if not sockets:
            return
        frames = [frame_bytes(fitting(frame)) for turn in turns for frame in self._frames(turn, deadline_ns)]
        for connection_id in sockets:
            self.to_sockets.send(bot_id, log, connection_id, frames, deadline_ns)

    def _frames(self, streamed: StreamedWebTurn, deadline_ns: int) -> list[JsonObject]:
        turn = streamed.turn or self.turns.get(streamed.bot_id, streamed.log, streamed.revision, deadline_ns)
        if turn is None:
            return []  # erased meanwhile
        now_ms = self.now_ms()
        self.published.get(turn.bot_id, deadline_ns)
        brand_line = self.published.brand_line(turn.bot_id, self.calendar.month_of(now_ms))
        agent = agent_frame(turn)
        return [messages_frame(turn, now_ms, brand_line=brand_line), *([] if agent is None else [agent])]
