"""What the environment says, where more than a name is read out of it."""

import pytest

from shared.runtime import settings
from shared.runtime.settings import Settings

NAMES = (settings.TURNS_TABLE, settings.CORE_TABLE, settings.BOT_BUCKET, settings.EFFECT_QUEUE)
NEEDED = {**dict.fromkeys(NAMES, "x"), settings.REGION: "ap-northeast-2"}
WITH_BUCKET = {**NEEDED, settings.UPLOAD_BUCKET: "pictures"}


@pytest.mark.parametrize(
    ("environment", "origin"),
    [
        (NEEDED, ""),
        (WITH_BUCKET, "https://pictures.s3.ap-northeast-2.amazonaws.com"),
        ({**WITH_BUCKET, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "http://127.0.0.1:1"),
        ({**WITH_BUCKET, "AWS_ENDPOINT_URL": "http://a:1", "AWS_ENDPOINT_URL_S3": "http://b:2"}, "http://b:2"),
        ({**NEEDED, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, ""),
    ],
)
def test_browsers_put_uploads_to_the_buckets_own_host_or_to_what_plays_aws(
    environment: dict[str, str], origin: str
) -> None:
    assert Settings.from_environment(environment).upload_origin == origin
