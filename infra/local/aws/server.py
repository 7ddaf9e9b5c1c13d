"""The embedded AWS as a process: `python -m infra.local.aws`.

It prints one JSON line, {"endpoint": ...} when it listens or {"error": ...} when it cannot, and ends when its standard
input does: so it never outlives the process that started it, even if that one is killed.
"""

import argparse
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import S3Backend, s3_backends
from werkzeug.serving import make_server

from infra.local.aws import mending, queues, streams
from infra.local.aws import outbox as mail
from infra.local.aws.journal import TTL_IDENTITY, Journal
from infra.local.aws.secrets import SERVICE as SECRETS
from infra.local.aws.secrets import keep_secrets, restore_secrets
from infra.local.aws.store import Store
from shared.errors import MalgilError

HOST: Final = "127.0.0.1"
SERVICES: Final = frozenset(
    {"cognito-idp", "dynamodb", "kms", "s3", "secretsmanager", "ses", "sns", "sqs", "ssm", "sts"}
)
"""Signing names that are answered. moto would start containers for some of the others."""
TTL_MAX_AGE_SECONDS: Final = 5 * 365 * 86400
"""DynamoDB: a time to live more than five years in the past does not expire an item."""

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _RequestHandler(MotoRequestHandler):  # type: ignore[misc]
    """Keep-alive and no delayed packets: without them each call of an SDK costs a connection or 40 ms."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, *_arguments: Any) -> None:
        return None


def application(store: Store) -> WsgiApplication:
    """The WSGI application: refuses other services, and keeps changes before a request is answered."""
    moto = DomainDispatcherApplication(create_backend_app)
    changed_objects = _watch_s3(store)
    outbox = mail.Outbox(store)
    outbox.install()

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == mail.PATH:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps({"messages": outbox.mails()}).encode()]
        service = _signed_service(environ)
        if service is not None and service not in SERVICES:
            body = json.dumps({"message": f"{service} is not served by the local cloud"}).encode()
            start_response("501 Not Implemented", [("Content-Type", "application/json")])
            return [body]
        with queues.answering(environ.get("werkzeug.socket")):
            response: Iterable[bytes] = moto(environ, start_response)
        _keep_objects(store, changed_objects)
        if service == SECRETS:
            keep_secrets(store, environ.get("HTTP_X_AMZ_TARGET", ""))
        return response

    return answer


def _signed_service(environ: dict[str, Any]) -> str | None:
    """The service of a SigV4 header: `AWS4-HMAC-SHA256 Credential=key/date/region/service/aws4_request, ...`."""
    credential = environ.get("HTTP_AUTHORIZATION", "").split(",", 1)[0].split("/")
    return credential[3].lower() if len(credential) == 5 else None  # noqa: PLR2004


class _ChangedObjects(threading.local):
    """(bucket, key) pairs that the request of this thread has put or deleted."""

    def __init__(self) -> None:
        self.keys: set[tuple[str, str]] = set()


def _watch_s3(store: Store) -> _ChangedObjects:
    changed = _ChangedObjects()
    put, delete = S3Backend.put_object, S3Backend.delete_object
    create_bucket, delete_bucket = S3Backend.create_bucket, S3Backend.delete_bucket

    def put_object(backend: Any, bucket_name: str, key_name: str, *arguments: Any, **options: Any) -> Any:
        changed.keys.add((bucket_name, key_name))
        return put(backend, bucket_name, key_name, *arguments, **options)

    def delete_object(backend: Any, bucket_name: str, key_name: str, *arguments: Any, **options: Any) -> Any:
        changed.keys.add((bucket_name, key_name))
        return delete(backend, bucket_name, key_name, *arguments, **options)

    def create(backend: Any, bucket_name: str, region_name: str, *arguments: Any, **options: Any) -> Any:
        bucket = create_bucket(backend, bucket_name, region_name, *arguments, **options)
        store.write_bucket(bucket_name, region_name)
        return bucket

    def remove(backend: Any, bucket_name: str) -> Any:
        removed = delete_bucket(backend, bucket_name)
        if removed is not None:
            store.delete_bucket(bucket_name)
        return removed

    S3Backend.put_object, S3Backend.delete_object = put_object, delete_object
    S3Backend.create_bucket, S3Backend.delete_bucket = create, remove
    return changed


def _keep_objects(store: Store, changed: _ChangedObjects) -> None:
    """Writes the newest version of each changed object: a restart keeps objects, not their earlier versions."""
    buckets = _s3().buckets
    while changed.keys:
        bucket_name, key_name = changed.keys.pop()
        found = buckets[bucket_name].keys.get(key_name) if bucket_name in buckets else None
        if found is None or not hasattr(found, "value"):
            store.delete_object(bucket_name, key_name)
        else:
            attributes = {"metadata": dict(found.metadata), "storage": found.storage_class}
            store.write_object(bucket_name, key_name, found.value, attributes)


def _s3() -> Any:
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]


def restore(store: Store) -> None:
    """Brings back what the store holds. Outside any call of the journal, so nothing is written or streamed again."""
    for region, name, definition in store.tables():
        mending.restore_table(dynamodb_backends[DEFAULT_ACCOUNT_ID][region], name, definition)
    for region, table_name, item in store.items():
        dynamodb_backends[DEFAULT_ACCOUNT_ID][region].get_table(table_name).put_item(item)
    for bucket_name, region in store.buckets():
        _s3().create_bucket(bucket_name, region)
    for bucket_name, key_name, body, attributes in store.objects():
        stored = _s3().put_object(bucket_name, key_name, body, storage=attributes["storage"], disable_notification=True)
        stored.set_metadata(attributes["metadata"])
    queues.restore(store)
    restore_secrets(store)


def sweep_expired(journal: Journal, now: float) -> None:
    """Deletes every item whose time to live has passed, as the service does within days."""
    for backend in list(dynamodb_backends[DEFAULT_ACCOUNT_ID].values()):
        for table in list(backend.tables.values()):
            if table.ttl.get("TimeToLiveStatus") != "ENABLED":
                continue
            with journal.call(TTL_IDENTITY):
                for item in mending.items_of(table, table.items.values()):
                    if _has_expired(item, table.ttl["AttributeName"], now):
                        table.delete_item(item.hash_key, item.range_key)


def _has_expired(item: Any, attribute: str, now: float) -> bool:
    value: DynamoType | None = item.attrs.get(attribute)
    if value is None or value.type != "N":
        return False
    return bool(now - TTL_MAX_AGE_SECONDS < value.cast_value < now)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local.aws", description="the embedded AWS")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--state", type=Path, help="SQLite file that keeps everything (default: nothing is kept)")
    parser.add_argument("--ttl-seconds", type=float, default=5.0, help="how often expired items are removed")
    parser.add_argument("--hurry", type=int, default=1, help="how many times shorter delays of a minute and more are")
    options = parser.parse_args(arguments)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    try:
        store = Store(options.state)
        journal = mending.install(store)
        queues.install(store, hurry=options.hurry)
        restore(store)
        server = make_server(HOST, options.port, application(store), threaded=True, request_handler=_RequestHandler)
    except MalgilError as error:
        return _refuse(str(error))
    except SystemExit:
        # werkzeug's way of saying that it could not bind, after printing its own explanation.
        return _refuse(f"port {options.port} is in use")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=_sweep_forever, args=(journal, store, options.ttl_seconds), daemon=True).start()
    sys.stdout.write(json.dumps({"endpoint": f"http://{HOST}:{server.server_port}"}) + "\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    store.close()
    os._exit(0)


def _refuse(reason: str) -> int:
    sys.stdout.write(json.dumps({"error": reason}) + "\n")
    return 1


def _sweep_forever(journal: Journal, store: Store, seconds: float) -> None:
    while True:
        time.sleep(seconds)
        sweep_expired(journal, time.time())
        streams.trim(store, time.time())
