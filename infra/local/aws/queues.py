"""SQS as the service keeps it, in the place of moto's: one lock, messages that survive a restart, and the rules that
consumers rely on. Guarded by tests/contract/sqs.

moto answers each connection on a thread of its own and rebuilds its list of messages on every delete, so that a
message sent meanwhile is lost and one received meanwhile is received twice. It wakes a waiting consumer every second,
counts characters where the service counts bytes, deletes by outdated receipt handles, forgets a queue's policy when
another attribute is set, and knows no redrive of a dead-letter queue. Requests are still parsed and answered by moto.
"""

import base64
import binascii
import copy
import secrets
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.sqs import models
from moto.sqs.exceptions import (
    BatchRequestTooLong,
    InvalidParameterValue,
    ReceiptHandleIsInvalid,
    SQSException,
)
from moto.sqs.models import Message, Queue, SQSBackend, _filter_message_attributes
from moto.sqs.responses import SQSResponse

from infra.local.aws.queue_limits import (
    MAX_MESSAGE_BYTES,
    MAX_VISIBILITY_SECONDS,
    check_attributes,
    check_batch,
    check_message,
    message_bytes,
)
from infra.local.aws.store import MessageRow, Store

LOCK: Final = threading.Condition(threading.RLock())
"""Held by every SQS call; a consumer that waits gives it up, and is woken by what changes any queue."""

DEDUPLICATION_SECONDS: Final = 300
MAX_MOVES_PER_SECOND: Final = 500
"""StartMessageMoveTask: the highest MaxNumberOfMessagesPerSecond."""
MAX_LISTED_TASKS: Final = 10

_STATE: Final = (
    "message_attributes",
    "system_attributes",
    "sent_timestamp",
    "approximate_first_receive_timestamp",
    "approximate_receive_count",
    "deduplication_id",
    "group_id",
    "sequence_number",
    "visible_at",
    "delayed_until",
    "receipt_handle",
)
_RUNNING, _COMPLETED, _CANCELLED, _FAILED = "RUNNING", "COMPLETED", "CANCELLED", "FAILED"


class _Caller(threading.local):
    """The connection that the request of this thread came by."""

    def __init__(self) -> None:
        self.connection: socket.socket | None = None


CALLER: Final = _Caller()


def _caller_has_left() -> bool:
    """Whether nobody would read the answer: a message handed out now would be away until its visibility time-out."""
    if CALLER.connection is None:
        return False
    try:
        return CALLER.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@dataclass
class MoveTask:
    """Messages of a dead-letter queue on their way back. `rate` is in messages a second, None as fast as possible."""

    source: str
    destination: str | None
    rate: int | None
    total: int
    handle: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    status: str = _RUNNING
    failure: str = ""
    moved: int = 0
    started: int = field(default_factory=lambda: int(time.time() * 1000))

    def described(self) -> dict[str, Any]:
        described = {
            "TaskHandle": self.handle if self.status == _RUNNING else None,
            "Status": self.status,
            "SourceArn": self.source,
            "DestinationArn": self.destination,
            "MaxNumberOfMessagesPerSecond": self.rate,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.total,
            "FailureReason": self.failure or None,
            "StartedTimestamp": self.started,
        }
        return {name: value for name, value in described.items() if value is not None}


LONG_DELAY_SECONDS: Final = 60
"""Shorter ones keep order between functions; longer ones wait for other people's servers, and may be hurried."""


class KeptQueues(SQSBackend):  # type: ignore[misc]
    """The queues of one region."""

    # moto finds a service's URLs by the name of the module that its backend is in.
    __module__ = SQSBackend.__module__

    store: Store
    hurry = 1

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tasks: list[MoveTask] = []

    def create_queue(self, name: str, tags: dict[str, str] | None = None, **attributes: Any) -> Any:
        attributes.pop("region", None)
        check_attributes(attributes)
        is_new = name not in self.queues
        queue = super().create_queue(name, tags, **attributes)
        if is_new:
            queue.given = attributes
            self.store.write_queue(self.region_name, name, attributes)
        return queue

    def set_queue_attributes(self, queue_name: str, attributes: dict[str, Any]) -> Any:
        queue = self.get_queue(queue_name)
        check_attributes(attributes)
        given = {**queue.given, **attributes}
        queue._set_attributes(given)  # noqa: SLF001 - the model has no other way
        queue.given = given
        self.store.write_queue(self.region_name, queue_name, given)
        LOCK.notify_all()
        return queue

    def delete_queue(self, queue_name: str) -> None:
        super().delete_queue(queue_name)
        self.store.delete_queue(self.region_name, queue_name)
        LOCK.notify_all()

    def purge_queue(self, queue_name: str) -> None:
        super().purge_queue(queue_name)
        self.store.delete_messages(self.region_name, queue_name)

    def send_message(self, queue_name: str, message_body: str, *arguments: Any, **options: Any) -> Any:
        """Also called by moto's SNS, which holds no lock."""
        with LOCK:
            attributes = (arguments[0] if arguments else options.get("message_attributes")) or {}
            check_message(self.get_queue(queue_name), message_body, attributes, options.get("delay_seconds"))
            if int(options.get("delay_seconds") or 0) >= LONG_DELAY_SECONDS:
                options["delay_seconds"] = int(options["delay_seconds"]) // self.hurry
            return super().send_message(queue_name, message_body, *arguments, **options)

    def send_message_batch(
        self, queue_name: str, entries: dict[str, dict[str, Any]]
    ) -> tuple[list[Any], list[dict[str, Any]]]:
        check_batch(list(entries.values()))
        size = sum(message_bytes(entry["MessageBody"], entry["MessageAttributes"]) for entry in entries.values())
        if size > MAX_MESSAGE_BYTES:
            raise BatchRequestTooLong(size)

        def send(entry: dict[str, Any]) -> Any:
            message = self.send_message(
                queue_name,
                entry["MessageBody"],
                message_attributes=entry["MessageAttributes"],
                delay_seconds=entry["DelaySeconds"],
                group_id=entry.get("MessageGroupId"),
                deduplication_id=entry.get("MessageDeduplicationId"),
                system_attributes=entry.get("MessageSystemAttributes"),
            )
            message.user_id = entry["Id"]
            return message

        return _each(entries.values(), send)

    def receive_message(
        self,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[Any]:
        deadline = time.monotonic() + wait_seconds_timeout
        while not _caller_has_left():
            queue = self.get_queue(queue_name)
            taken = self._take(queue, count, visibility_timeout)
            left = deadline - time.monotonic()
            if taken or left <= 0:
                copies = [copy.copy(message) for message in taken]
                for message in copies:
                    _filter_message_attributes(message, message_attribute_names or [])
                return copies
            LOCK.wait(min(left, _seconds_until_next(queue)))
        return []

    def _take(self, queue: Any, count: int, visibility_seconds: int) -> list[Any]:
        """Hands out what can be received now; what was received too often goes to the dead-letter queue instead."""
        now = _now()
        dead_letters = self._dead_letter_queue(queue)
        taken: list[Any] = []
        dead, expired, blocked = [], [], set()
        for message in queue._messages:  # noqa: SLF001
            if len(taken) == count:
                break
            if message.sent_timestamp + queue.message_retention_period * 1000 <= now:
                expired.append(message)
            elif _is_away(message, now):
                blocked.add(message.group_id)
            elif queue.fifo_queue and message.group_id in blocked:
                continue
            elif dead_letters and message.approximate_receive_count >= queue.redrive_policy["maxReceiveCount"]:
                dead.append(message)
            else:
                taken.append(message)
        for message in taken:
            message.approximate_receive_count += 1
            message.approximate_first_receive_timestamp = message.approximate_first_receive_timestamp or now
            message.receipt_handle = _receipt_handle(queue, message)
            message.visible_at = now + int(visibility_seconds) * 1000
        self._remove(queue, expired)
        for message in dead:
            self._remove(queue, [message])
            message.visible_at = message.delayed_until = 0
            message.source_arn = queue.queue_arn
            self._append(dead_letters, message)
        self._keep(queue, taken)
        return taken

    def _dead_letter_queue(self, queue: Any) -> Any:
        policy = queue.redrive_policy
        return self._by_arn(policy["deadLetterTargetArn"]) if policy else None

    def _by_arn(self, arn: str) -> Any:
        """None when there is no such queue (any more)."""
        return next((queue for queue in self.queues.values() if queue.queue_arn == arn), None)

    def add_message(self, queue: Any, message: Any) -> None:
        if queue.fifo_queue:
            now = _now()
            sent_before = queue.deduplication.get(message.deduplication_id, 0)
            if now - sent_before < DEDUPLICATION_SECONDS * 1000:
                return
            queue.deduplication[message.deduplication_id] = now
        self._append(queue, message)

    def _append(self, queue: Any, message: Any) -> None:
        self._keep(queue, [message])
        queue._messages.append(message)  # noqa: SLF001
        LOCK.notify_all()

    def _remove(self, queue: Any, messages: Iterable[Any]) -> None:
        gone = list(messages)
        self.store.write_messages(MessageRow(self.region_name, queue.name, message.id, "", None) for message in gone)
        for message in gone:
            queue._messages.remove(message)  # noqa: SLF001
        if gone and queue.fifo_queue:
            # Its group may go on.
            LOCK.notify_all()

    def _keep(self, queue: Any, messages: Iterable[Any]) -> None:
        self.store.write_messages(
            MessageRow(self.region_name, queue.name, message.id, message.body, _state(message)) for message in messages
        )

    def delete_message(self, queue_name: str, receipt_handle: str) -> None:
        queue = self.get_queue(queue_name)
        message = _received(queue, receipt_handle)
        if message is not None:
            self._remove(queue, [message])

    def delete_message_batch(
        self, queue_name: str, receipts: list[dict[str, Any]]
    ) -> tuple[list[str], list[dict[str, Any]]]:
        check_batch(receipts)

        def delete(entry: dict[str, Any]) -> str:
            self.delete_message(queue_name, entry["ReceiptHandle"])
            return str(entry["Id"])

        return _each(receipts, delete)

    def change_message_visibility(self, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
        queue, seconds, now = self.get_queue(queue_name), int(visibility_timeout), _now()
        if not 0 <= seconds <= MAX_VISIBILITY_SECONDS:
            raise InvalidParameterValue(
                f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and "
                f"{MAX_VISIBILITY_SECONDS}."
            )
        message = _received(queue, receipt_handle)
        if message is None:
            raise InvalidParameterValue(
                f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is "
                "not available for visibility timeout change."
            )
        if message.visible_at <= now:
            raise SQSException("MessageNotInflight", "The message is not in flight.")
        message.visible_at = now + seconds * 1000
        self._keep(queue, [message])
        LOCK.notify_all()

    def change_message_visibility_batch(
        self, queue_name: str, entries: list[dict[str, Any]]
    ) -> tuple[list[str], list[dict[str, Any]]]:
        check_batch(entries)

        def change(entry: dict[str, Any]) -> str:
            self.change_message_visibility(queue_name, entry["ReceiptHandle"], entry["VisibilityTimeout"])
            return str(entry["Id"])

        return _each(entries, change)

    def start_message_move_task(self, source: str, destination: str | None, rate: int | None) -> MoveTask:
        queue = self._by_arn(source)
        if queue is None or (destination is not None and self._by_arn(destination) is None):
            raise SQSException("ResourceNotFoundException", "The resource that you specified doesn't exist.")
        if not any(other.redrive_policy and self._dead_letter_queue(other) is queue for other in self.queues.values()):
            raise InvalidParameterValue("Source queue must be configured as a Dead Letter Queue.")
        if destination == source:
            raise InvalidParameterValue("Source queue and destination queue must be different.")
        if rate is not None and not 1 <= rate <= MAX_MOVES_PER_SECOND:
            raise InvalidParameterValue(
                f"Value {rate} for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must enter a number "
                f"between 1 and {MAX_MOVES_PER_SECOND}."
            )
        if any(task.source == source and task.status == _RUNNING for task in self.tasks):
            raise SQSException(
                "AWS.SimpleQueueService.UnsupportedOperation",
                "There is already a task running. Only one active task is allowed for a source queue arn at a given "
                "time.",
            )
        now = _now()
        total = sum(not _is_away(message, now) for message in queue._messages)  # noqa: SLF001
        task = MoveTask(source, destination, rate, total)
        self.tasks.append(task)
        threading.Thread(target=self._move, args=(task,), daemon=True).start()
        return task

    def _move(self, task: MoveTask) -> None:
        while task.status == _RUNNING:
            with LOCK:
                self._move_one(task)
            if task.rate is not None:
                time.sleep(1 / task.rate)

    def _move_one(self, task: MoveTask) -> None:
        """What is moved back is a new message: its id, its age and its receive count begin again."""
        source, now = self._by_arn(task.source), _now()
        messages = source._messages if source else []  # noqa: SLF001
        message = next((message for message in messages if not _is_away(message, now)), None)
        if task.status != _RUNNING:
            return
        if message is None or task.moved == task.total:
            task.status = _COMPLETED
            return
        destination = self._by_arn(task.destination or str(getattr(message, "source_arn", "")))
        if destination is None:
            task.status, task.failure = _FAILED, "CouldNotDetermineMessageSource"
            return
        moved = Message(str(uuid.uuid4()), message.body, message.system_attributes)
        for name in ("message_attributes", "deduplication_id", "group_id", "sequence_number"):
            setattr(moved, name, getattr(message, name))
        moved.sent_timestamp = now
        self._append(destination, moved)
        self._remove(source, [message])
        task.moved += 1

    def cancel_message_move_task(self, handle: str) -> MoveTask:
        for task in self.tasks:
            if task.handle == handle and task.status == _RUNNING:
                task.status = _CANCELLED
                return task
        raise SQSException("ResourceNotFoundException", "Task does not exist, or it has ended.")

    def list_message_move_tasks(self, source: str, count: int) -> list[MoveTask]:
        if self._by_arn(source) is None:
            raise SQSException("ResourceNotFoundException", "The resource that you specified doesn't exist.")
        if not 1 <= count <= MAX_LISTED_TASKS:
            raise InvalidParameterValue(f"Value {count} for parameter MaxResults is invalid. Reason: Between 1 and 10.")
        return [task for task in reversed(self.tasks) if task.source == source][:count]


def install(store: Store, *, hurry: int = 1) -> None:
    """Puts these queues in the place of moto's in this process; call it before anything uses SQS. Delays of a minute
    and longer are `hurry` times as short."""
    KeptQueues.store = store
    KeptQueues.hurry = hurry
    models.sqs_backends.backend = KeptQueues
    Queue.given = {}
    Queue.redrive_allow_policy = None
    Queue.BASE_ATTRIBUTES = [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]
    Queue.add_message = lambda queue, message: _queues(queue.region).add_message(queue, message)
    initialise = Queue.__init__

    @wraps(initialise)
    def initialised(queue: Any, *arguments: Any, **options: Any) -> None:
        initialise(queue, *arguments, **options)
        queue.deduplication = {}

    Queue.__init__ = initialised
    call_action = SQSResponse.call_action

    @wraps(call_action)
    def locked(handler: Any) -> Any:
        with LOCK:
            return call_action(handler)

    SQSResponse.call_action = locked
    SQSResponse.start_message_move_task = _start_message_move_task
    SQSResponse.cancel_message_move_task = _cancel_message_move_task
    SQSResponse.list_message_move_tasks = _list_message_move_tasks


def restore(store: Store) -> None:
    """Brings back the queues and their messages. Who had received one before may still delete it."""
    with LOCK:
        queues = list(store.queues())
        # A dead-letter queue has to be there before the queue that names it.
        for region, name, attributes in queues:
            _queues(region).create_queue(name, **{key: attributes[key] for key in attributes if key != "RedrivePolicy"})
        for region, name, attributes in queues:
            _queues(region).set_queue_attributes(name, attributes)
        for region, queue_name, identifier, body, state in store.messages():
            message = Message(identifier, body, _with_bytes(state["system_attributes"]))
            for attribute in _STATE:
                setattr(message, attribute, state[attribute])
            message.message_attributes = _with_bytes(state["message_attributes"])
            message.source_arn = state["source_arn"]
            _queues(region).get_queue(queue_name)._messages.append(message)  # noqa: SLF001


@contextmanager
def answering(connection: socket.socket | None) -> Iterator[None]:
    """While a request of this connection is answered on this thread."""
    CALLER.connection = connection
    try:
        yield
    finally:
        CALLER.connection = None


def _start_message_move_task(handler: Any) -> ActionResult:
    parameter = handler._get_param  # noqa: SLF001 - moto's way to read a request
    task = handler.sqs_backend.start_message_move_task(
        parameter("SourceArn"), parameter("DestinationArn"), parameter("MaxNumberOfMessagesPerSecond")
    )
    return ActionResult({"TaskHandle": task.handle})


def _cancel_message_move_task(handler: Any) -> ActionResult:
    task = handler.sqs_backend.cancel_message_move_task(handler._get_param("TaskHandle"))  # noqa: SLF001
    return ActionResult({"ApproximateNumberOfMessagesMoved": task.moved})


def _list_message_move_tasks(handler: Any) -> ActionResult:
    parameter = handler._get_param  # noqa: SLF001
    tasks = handler.sqs_backend.list_message_move_tasks(parameter("SourceArn"), parameter("MaxResults") or 1)
    return ActionResult({"Results": [task.described() for task in tasks]})


def _queues(region: str) -> KeptQueues:
    queues: KeptQueues = models.sqs_backends[DEFAULT_ACCOUNT_ID][region]
    return queues


def _now() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


def _is_away(message: Any, now: int) -> bool:
    return bool(message.visible_at > now or message.delayed_until > now)


def _seconds_until_next(queue: Any) -> float:
    """Until the next message can be received by the passing of time alone."""
    now = _now()
    due = [max(message.visible_at, message.delayed_until) for message in queue._messages]  # noqa: SLF001
    # A millisecond more, so that it is due indeed after the wait.
    return min((at - now + 1 for at in due if at > now), default=MAX_VISIBILITY_SECONDS * 1000) / 1000


def _receipt_handle(queue: Any, message: Any) -> str:
    return base64.urlsafe_b64encode(f"{queue.name} {message.id} {secrets.token_urlsafe(16)}".encode()).decode()


def _received(queue: Any, receipt_handle: str) -> Any:
    """The message of a receipt handle; None when it is gone, or was received again since."""
    try:
        name, identifier, _ = base64.urlsafe_b64decode(receipt_handle).decode().split(" ")
    except (binascii.Error, ValueError):
        raise ReceiptHandleIsInvalid from None
    if name != queue.name:
        raise ReceiptHandleIsInvalid
    for message in queue._messages:  # noqa: SLF001
        if message.id == identifier:
            return message if message.receipt_handle == receipt_handle else None
    return None


def _each(
    entries: Iterable[dict[str, Any]], action: Callable[[dict[str, Any]], Any]
) -> tuple[list[Any], list[dict[str, Any]]]:
    """What came of each entry of a batch, and the entries that were refused: one stops no other."""
    done, failed = [], []
    for entry in entries:
        try:
            done.append(action(entry))
        except SQSException as error:
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message})
    return done, failed


def _state(message: Any) -> dict[str, Any]:
    state = {attribute: getattr(message, attribute) for attribute in _STATE}
    state["message_attributes"] = _without_bytes(message.message_attributes)
    state["system_attributes"] = _without_bytes(message.system_attributes)
    return {**state, "source_arn": getattr(message, "source_arn", "")}


def _without_bytes(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {
            key: {"base64": base64.b64encode(part).decode()} if isinstance(part, bytes) else part
            for key, part in value.items()
        }
        for name, value in attributes.items()
    }


def _with_bytes(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {key: base64.b64decode(part["base64"]) if isinstance(part, dict) else part for key, part in value.items()}
        for name, value in attributes.items()
    }
