"""The private bucket of what end users send. Whoever is allowed to put something does it by themselves, with a URL that
we sign for one key, type and size."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.aws import BoundedClient, session
from shared.channels.web.images import Uploaded
from shared.errors import Unavailable

NEW: Final = "state=new"
"""The tag of what no message names yet; the bucket's lifecycle forgets it (template.yaml)."""
KEPT: Final = {"TagSet": [{"Key": "state", "Value": "kept"}]}
BASE_URL: Final = "base-url"
PAGE: Final = 1_000
GONE: Final = frozenset({"NoSuchKey", "404", "InvalidRange"})
"""The last: an object without a byte."""


class _Heads(BoundedClient):
    """The body belongs to the try, and is as long as was asked for."""

    def send(self, operation: str, timeout_seconds: float, parameters: dict[str, Any]) -> Any:
        response = super().send(operation, timeout_seconds, parameters)
        return {**response, "Body": response["Body"].read(response["ContentLength"])}


class S3Uploads:
    """The port UploadStore."""

    def __init__(self, bucket: str, region: str) -> None:
        self._bucket = bucket
        self._region = region
        self._reader = _Heads("s3")
        self._client = BoundedClient("s3")

    @cached_property
    def _signer(self) -> Any:
        """Signs for the bucket's own host in this region, which redirects nobody, and names no checksum, which the
        browser would have to compute."""
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "virtual"},
            request_checksum_calculation="when_required",
        )
        return session().create_client("s3", region_name=self._region, config=config)

    def put_url(
        self, key: str, *, content_type: str, size: int, base_url: str, seconds: int
    ) -> tuple[str, Mapping[str, str]]:
        """Type, length, state and address are signed with it, and nothing is put over what is there."""
        url = self._signer.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "ContentType": content_type,
                "ContentLength": size,
                "IfNoneMatch": "*",
                "Metadata": {BASE_URL: base_url},
                "Tagging": NEW,
            },
            ExpiresIn=seconds,
        )
        headers = {
            "content-type": content_type,
            "if-none-match": "*",
            f"x-amz-meta-{BASE_URL}": base_url,
            "x-amz-tagging": NEW,
        }
        return url, headers

    def get_url(self, key: str, *, content_type: str, seconds: int) -> str:
        parameters = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentType": content_type,
            "ResponseCacheControl": f"private, max-age={seconds}",
        }
        url: str = self._signer.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)
        return url

    def look(self, key: str, count: int, deadline_ns: int | None = None) -> Uploaded | None:
        """One ranged read."""
        try:
            response = self._reader.call(
                "get_object", deadline_ns, Bucket=self._bucket, Key=key, Range=f"bytes=0-{count - 1}"
            )
        except ClientError as exc:
            if exc.response["Error"]["Code"] in GONE:
                return None
            raise Unavailable("the upload bucket did not give the object", key=key) from exc
        return Uploaded(
            head=response["Body"],
            size=int(response["ContentRange"].rpartition("/")[2]),
            content_type=response["ContentType"],
            base_url=response["Metadata"].get(BASE_URL, ""),
        )

    def keep(self, key: str, deadline_ns: int | None = None) -> None:
        try:
            self._client.call("put_object_tagging", deadline_ns, Bucket=self._bucket, Key=key, Tagging=KEPT)
        except ClientError as exc:
            raise Unavailable("the upload bucket did not keep the object", key=key) from exc

    def delete_before(self, prefix: str, end: str) -> bool:
        """A page: names sort by time, so the first that is newer is the last that is looked at."""
        try:
            page = self._signer.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=PAGE)
            found = [entry["Key"] for entry in page.get("Contents", [])]
            old = [key for key in found if key < end]
            if old:
                answer = self._signer.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in old], "Quiet": True}
                )
                if answer.get("Errors"):
                    raise Unavailable("the upload bucket did not delete everything", prefix=prefix)
        except (ClientError, BotoCoreError) as exc:
            raise Unavailable("the upload bucket did not delete", prefix=prefix) from exc
        return len(old) < len(found) or not page["IsTruncated"]
