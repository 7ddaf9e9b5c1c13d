"""Bot contents in S3: immutable, named by their hash, gzipped JSON."""

import gzip
import zlib
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from shared.aws import BoundedClient, client
from shared.bot.document import MAX_FILE_BYTES, content_bytes, read_content
from shared.errors import NotFound, Unavailable
from shared.storage import keys

WRITE_TIMEOUT_SECONDS: Final = 1.5
GZIP_WINDOW: Final = 31
MAX_CONTENT_BYTES: Final = 2 * MAX_FILE_BYTES
"""Canonical JSON may be longer than the file it came from (1e9 becomes 1000000000.0)."""


class WholeObjects(BoundedClient):
    """S3 calls whose answer's body belongs to the try, so that a body that hangs or breaks off is tried again too."""

    def send(self, operation: str, timeout_seconds: float, parameters: dict[str, Any]) -> Any:
        response = super().send(operation, timeout_seconds, parameters)
        return {**response, "Body": response["Body"].read(MAX_CONTENT_BYTES)}


class S3Documents:
    """The bot bucket."""

    def __init__(self, bucket: str, reader: BoundedClient | None = None) -> None:
        self._bucket = bucket
        self._reader = reader or WholeObjects("s3")

    def put(self, bot_id: str, content_hash: str, content: dict[str, Any]) -> None:
        """Store a content under its name; storing it again changes nothing."""
        try:
            client("s3", WRITE_TIMEOUT_SECONDS).put_object(
                Bucket=self._bucket,
                Key=keys.version_object(bot_id, content_hash),
                Body=gzip.compress(content_bytes(content), mtime=0),
                ContentType="application/json",
            )
        except (ClientError, BotoCoreError) as exc:
            raise Unavailable("the bot bucket did not take the document", bot=bot_id) from exc

    def get(self, bot_id: str, content_hash: str, deadline_ns: int | None = None) -> tuple[dict[str, Any], int]:
        """A content and its size in bytes as JSON. Raises NotFound; Unavailable, also for what is no bot content."""
        key = keys.version_object(bot_id, content_hash)
        try:
            response = self._reader.call("get_object", deadline_ns, Bucket=self._bucket, Key=key)
        except ClientError as exc:
            if exc.response["Error"]["Code"] in ("NoSuchKey", "404"):
                raise NotFound("no such bot document", key=key) from exc
            raise Unavailable("the bot bucket did not give the document", key=key) from exc
        try:
            raw = zlib.decompressobj(GZIP_WINDOW).decompress(response["Body"], MAX_CONTENT_BYTES)
            content = read_content(raw)
        except (zlib.error, ValueError) as exc:
            raise Unavailable("a document in the bot bucket is damaged", key=key) from exc
        if not isinstance(content, dict):
            raise Unavailable("a document in the bot bucket is damaged", key=key)
        return content, len(raw)
