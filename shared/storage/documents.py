"""Bot contents in S3: immutable, named by their hash, gzipped JSON."""

import gzip
import json
import zlib
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from shared.bot.document import MAX_FILE_BYTES, content_bytes
from shared.errors import NotFound, Unavailable
from shared.storage import keys
from shared.storage.aws import client

READ_TIMEOUT_SECONDS: Final = 1.5
GZIP_WINDOW: Final = 31


class S3Documents:
    """The bot bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def put(self, bot_id: str, content_hash: str, content: dict[str, Any]) -> None:
        """Store a content under its name; storing it again changes nothing."""
        body = gzip.compress(content_bytes(content), mtime=0)
        self._call(
            "put_object", Key=keys.version_object(bot_id, content_hash), Body=body, ContentType="application/json"
        )

    def get(self, bot_id: str, content_hash: str) -> tuple[dict[str, Any], int]:
        """A content and its size in bytes as JSON. Raises NotFound, Unavailable."""
        response = self._call("get_object", Key=keys.version_object(bot_id, content_hash))
        try:
            packed = response["Body"].read()
        except (BotoCoreError, OSError) as exc:
            raise Unavailable("cannot read the bot's document", bot=bot_id) from exc
        raw = zlib.decompressobj(GZIP_WINDOW).decompress(packed, 2 * MAX_FILE_BYTES)
        content: dict[str, Any] = json.loads(raw)
        return content, len(raw)

    def _call(self, operation: str, **parameters: Any) -> Any:
        try:
            return getattr(client("s3", READ_TIMEOUT_SECONDS), operation)(Bucket=self._bucket, **parameters)
        except ClientError as exc:
            if exc.response["Error"]["Code"] in ("NoSuchKey", "404"):
                raise NotFound("no such bot document", key=parameters["Key"]) from exc
            raise Unavailable("the bot bucket did not answer", operation=operation) from exc
        except BotoCoreError as exc:
            raise Unavailable("the bot bucket did not answer", operation=operation) from exc
