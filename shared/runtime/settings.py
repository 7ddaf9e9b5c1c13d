"""What a deployed function is told by its environment: read here, once, and nowhere else."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.errors import MalgilError
from shared.usage.calendar import DEFAULT_ZONE

TURNS_TABLE: Final = "MALGIL_TURNS_TABLE"
CORE_TABLE: Final = "MALGIL_CORE_TABLE"
BOT_BUCKET: Final = "MALGIL_BOT_BUCKET"
EFFECT_QUEUE: Final = "MALGIL_EFFECT_QUEUE_URL"
EVENT_TOPIC: Final = "MALGIL_EVENT_TOPIC_ARN"
SET_ASIDE_QUEUE: Final = "MALGIL_SET_ASIDE_QUEUE_URL"
DELIVERY_QUEUE: Final = "MALGIL_DELIVERY_QUEUE_URL"
ERASURE_QUEUE: Final = "MALGIL_ERASURE_QUEUE_URL"
UPLOAD_BUCKET: Final = "MALGIL_UPLOAD_BUCKET"
SOCKET_URL: Final = "MALGIL_SOCKET_URL"
SOCKET_CALLBACK_URL: Final = "MALGIL_SOCKET_CALLBACK_URL"
SECRETS_PREFIX: Final = "MALGIL_SECRETS_PREFIX"
MAIL_FROM: Final = "MALGIL_MAIL_FROM"
SCRIPT_FUNCTION: Final = "MALGIL_SCRIPT_FUNCTION"
TIME_ZONE: Final = "MALGIL_TIME_ZONE"
STAGE: Final = "MALGIL_STAGE"
REGION: Final = "AWS_REGION"
LOG_LEVEL: Final = "POWERTOOLS_LOG_LEVEL"
AWS_ENDPOINT: Final = "AWS_ENDPOINT_URL"
S3_ENDPOINT: Final = "AWS_ENDPOINT_URL_S3"
"""These two stand where another server plays AWS: the SDK obeys them by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Names of the stack's resources."""

    turns_table: str
    core_table: str
    bot_bucket: str
    effect_queue_url: str
    stage: str
    region: str
    log_level: str = "INFO"
    event_topic: str = ""
    """ARN of the topic of events; empty, as the next two: nothing is relayed or delivered from here."""
    set_aside_queue_url: str = ""
    delivery_queue_url: str = ""
    erasure_queue_url: str = ""
    """Empty: nobody can be erased from here."""
    upload_bucket: str = ""
    """Of what end users send in the web chat; empty: they cannot send files."""
    upload_origin: str = ""
    """Where browsers put them."""
    socket_url: str = ""
    """Where the web chat's socket is, wss://...; empty: there is none, and clients ask over HTTP."""
    socket_callback_url: str = ""
    """Where functions reach open sockets, https://..."""
    secrets_prefix: str = ""
    """Of the bots' credentials in Secrets Manager; empty: there are none."""
    mail_from: str = ""
    """Sender of the bots' mails; empty: mail is off."""
    script_function: str = ""
    """Empty: scripts of sandbox nodes cannot be run here."""
    time_zone: str = DEFAULT_ZONE
    """Whose months and hours are counted."""

    @classmethod
    def of_process(cls) -> "Settings":
        """For a function that needs nothing else of `wiring`, whose imports take half a second."""
        return cls.from_environment(os.environ)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Raises MalgilError naming every variable that is missing."""
        missing = [
            name for name in (TURNS_TABLE, CORE_TABLE, BOT_BUCKET, EFFECT_QUEUE, REGION) if not environment.get(name)
        ]
        if missing:
            raise MalgilError(f"environment variables are missing: {', '.join(missing)}")
        return cls(
            turns_table=environment[TURNS_TABLE],
            core_table=environment[CORE_TABLE],
            bot_bucket=environment[BOT_BUCKET],
            effect_queue_url=environment[EFFECT_QUEUE],
            stage=environment.get(STAGE, "prod"),
            region=environment[REGION],
            log_level=environment.get(LOG_LEVEL, "INFO").upper(),
            event_topic=environment.get(EVENT_TOPIC, ""),
            set_aside_queue_url=environment.get(SET_ASIDE_QUEUE, ""),
            delivery_queue_url=environment.get(DELIVERY_QUEUE, ""),
            erasure_queue_url=environment.get(ERASURE_QUEUE, ""),
            upload_bucket=environment.get(UPLOAD_BUCKET, ""),
            upload_origin=_upload_origin(environment),
            socket_url=environment.get(SOCKET_URL, ""),
            socket_callback_url=environment.get(SOCKET_CALLBACK_URL, ""),
            secrets_prefix=environment.get(SECRETS_PREFIX, ""),
            mail_from=environment.get(MAIL_FROM, ""),
            script_function=environment.get(SCRIPT_FUNCTION, ""),
            time_zone=environment.get(TIME_ZONE) or DEFAULT_ZONE,
        )


def _upload_origin(environment: Mapping[str, str]) -> str:
    bucket = environment.get(UPLOAD_BUCKET)
    if not bucket:
        return ""
    own = f"https://{bucket}.s3.{environment[REGION]}.amazonaws.com"
    return environment.get(S3_ENDPOINT) or environment.get(AWS_ENDPOINT) or own
