"""`malgil webhook listen`: a receiver on loopback that checks what comes and prints it."""

import asyncio
import errno
import json
import logging
import signal
import socket
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import typer
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError

from infra.cli.webhook_check import Memory, Noted, ReceivedDelivery, Trust, check, read_delivery
from infra.cli.webhook_words import Words, one_line, ranges
from shared.errors import InvalidInput, Unavailable
from shared.runtime import world
from shared.webhooks.delivery import MAX_BODY_BYTES

JsonObject = dict[str, Any]

HOST: Final = "127.0.0.1"
DEADLINE_SECONDS: Final = 15.0
"""For a whole request; who has not asked for anything by then is hung up on."""
LEAVE_SECONDS: Final = 0.5
MAX_LINE_BYTES: Final = 8190
MAX_HEADERS: Final = 64
MILLISECONDS: Final = 1000
REFUSED: Final = 401
FAULT: Final = 500
SHORT_TRUST: Final = {"verified": ("✓", "green"), "unchecked": ("?", "yellow")}


class Answer(web.Response):
    """What the handler answered: what HTTP's parser refuses never reaches it."""


@dataclass(kw_only=True)
class Receiver:
    """One run. `answer` and `delay_seconds` are what a delivery is answered with, unless its signature is wrong."""

    secrets: Sequence[str]
    words: Words
    answer: int = 200
    delay_seconds: float = 0.0
    as_json: bool = False
    deadline_seconds: float = DEADLINE_SECONDS
    memory: Memory = field(default_factory=Memory)
    deliveries: int = 0
    doubtful: int = 0
    events: int = 0
    repeated: int = 0
    refused: int = 0

    def serve(self, listener: socket.socket, ready: Callable[[], None] = lambda: None) -> None:
        """Until Ctrl-C. `ready` is called once requests are taken."""
        asyncio.run(self._serve(listener, ready))

    async def _serve(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        end = await self.begin(listener)
        try:
            ready()
            await stopped.wait()
        finally:
            await end()

    async def begin(self, listener: socket.socket) -> Callable[[], Coroutine[Any, Any, None]]:
        """Take requests from now on. What is returned ends it."""
        application = web.Application(client_max_size=MAX_BODY_BYTES + 1)
        application.router.add_route("*", "/{path:.*}", self._take)
        runner = web.AppRunner(
            application,
            access_log_class=self._access_log_class(),
            logger=_logger(),
            keepalive_timeout=self.deadline_seconds,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            max_headers=MAX_HEADERS,
            auto_decompress=False,  # signed are the bytes that came
            shutdown_timeout=LEAVE_SECONDS,
        )
        await runner.setup()
        await web.SockSite(runner, listener).start()
        return runner.cleanup

    async def _take(self, request: web.Request) -> Answer:
        if request.method != "POST":
            return self._refuse(405, f"{request.method}: POST is expected")
        try:
            async with asyncio.timeout(self.deadline_seconds):
                body = await request.read()
            if len(body) > MAX_BODY_BYTES:  # versions of aiohttp differ by one
                raise web.HTTPRequestEntityTooLarge(max_size=MAX_BODY_BYTES, actual_size=len(body))
        except TimeoutError:
            return self._refuse(408, f"the body did not come within {self.deadline_seconds:.0f} s")
        except web.HTTPRequestEntityTooLarge:
            return self._refuse(413, f"body: more than {MAX_BODY_BYTES} bytes")
        except web.RequestPayloadError as exc:
            return self._refuse(400, f"body: {exc}")
        trust = check(self.secrets, request.headers, body, world.now_ms() // MILLISECONDS)
        try:
            delivery = read_delivery(body)
            if self.secrets and trust != "no_header" and request.headers["webhook-id"] != delivery.delivery_id:
                raise InvalidInput("webhook-id: is not the id of the body")
        except InvalidInput as exc:
            return self._refuse(400, str(exc))
        self._print(delivery, trust)
        if trust not in {"verified", "unchecked"}:
            return Answer(status=REFUSED, text=trust)
        await asyncio.sleep(self.delay_seconds)
        return Answer(status=self.answer, text="OK" if self.answer in range(200, 300) else "as asked for")

    def _print(self, delivery: ReceivedDelivery, trust: Trust) -> None:
        self.deliveries += 1
        self.events += len(delivery.events)
        is_good = trust in {"verified", "unchecked"}
        self.doubtful += not is_good
        if not self.as_json:
            mark, color = SHORT_TRUST.get(trust, ("✗", "red"))
            count = self.words.say(f"이벤트 {len(delivery.events)}개", _count(len(delivery.events), "event"))
            line = f"{mark} {one_line(delivery.delivery_id)} {self.words.trust(trust)}, {count}"
            typer.echo(typer.style(line, fg=color))
        for event in delivery.events:
            self.words.learn(event)
        for event in delivery.events:
            # Anybody can write what nobody signed: it says nothing about what came and what is missing.
            noted = self.memory.note(event) if is_good else Noted()
            self.repeated += noted.is_repeat
            line = self.words.event(event)
            if self.as_json:
                typer.echo(_json(delivery, trust, noted, event.raw))
                continue
            marks = ", ".join(self.words.marks(noted))
            typer.echo(f"  {line}{typer.style(f'  ({marks})', fg='yellow') if marks else ''}")

    def _refuse(self, status: int, why: str) -> Answer:
        """A request that is no delivery."""
        self._tell_refused(status, why)
        return Answer(status=status, text=f"{why}\n", headers={"connection": "close"})

    def _tell_refused(self, status: int, why: str) -> None:
        self.refused += 1
        if self.as_json:
            typer.echo(json.dumps({"refused": status, "why": why}, ensure_ascii=False))
        else:
            what = self.words.say("거절", "refused")
            typer.echo(typer.style(f"✗ {what} {status}: {one_line(why)}", fg="red"))

    def _access_log_class(self) -> type[AbstractAccessLogger]:
        receiver = self

        class Refusals(AbstractAccessLogger):
            """Sees every answer: of those that the handler did not give, HTTP's parser refused the request."""

            def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
                del request, time
                if not isinstance(response, Answer):
                    why = "not HTTP as it should be" if response.status < FAULT else "a fault of this command"
                    receiver._tell_refused(response.status, why)

        return Refusals

    def summary(self) -> list[str]:
        say, words = self.words.say, self.words
        lines = [
            say(
                f"전송 {self.deliveries}개, 이벤트 {self.events}개 (이미 받은 것 {self.repeated}개)",
                f"{_count(self.deliveries, 'delivery', 'deliveries')}, {_count(self.events, 'event')} "
                f"({self.repeated} seen before)",
            )
        ]
        if self.doubtful:
            lines.append(say(f"확인하지 못한 전송 {self.doubtful}개", f"{self.doubtful} could not be verified"))
        if self.refused:
            refused = _count(self.refused, "request")
            lines.append(say(f"거절한 요청 {self.refused}개", f"{refused} refused"))
        for log, gaps in self.memory.missing().items():
            who = words.name(log) or say("봇", "the bot")
            lines.append(say(f"빠진 번호: {who} {ranges(gaps)}", f"still missing: {who} {ranges(gaps)}"))
        return lines


def listen_on(port: int) -> socket.socket:
    """Raises Unavailable for a busy port."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as exc:
        listener.close()
        if exc.errno != errno.EADDRINUSE:
            raise
        raise Unavailable(f"port {port} is in use: free it, or choose another with --port") from exc
    return listener


def _json(delivery: ReceivedDelivery, trust: Trust, noted: Noted, event: JsonObject) -> str:
    line = {
        "delivery": delivery.delivery_id,
        "trust": trust,
        "seenBefore": noted.is_repeat,
        "late": noted.is_late,
        "missing": list(noted.missing) if noted.missing else None,
        "event": event,
    }
    return json.dumps(line, ensure_ascii=False)


def _count(number: int, word: str, words: str | None = None) -> str:
    return f"{number} {word if number == 1 else words or f'{word}s'}"


def _logger() -> logging.Logger:
    """aiohttp's, without the tracebacks of what is not HTTP: `Refusals` tells of it."""
    logger = logging.getLogger("malgil.webhook.listen")
    logger.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)))
    return logger
