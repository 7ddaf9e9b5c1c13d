"""Calls of AWS services that no author can point elsewhere, each once and within the effect's time."""

from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004

from shared.aws import CONNECT_TIMEOUT_SECONDS, client
from shared.engine.effects import TIMEOUT
from shared.errors import Unavailable
from shared.net.effects import ERROR_NAMES
from shared.providers.calls import SHOWN, Deadline
from shared.providers.fault import ProviderFault

READ_TIMEOUTS_SECONDS: Final = (25.0, 10.0, 5.0, 3.0, 2.0, 1.0, 0.5, 0.25)
"""A client's time-outs are fixed when it is made: each effect takes the longest that fits."""

MakeClient = Callable[..., Any]


def call_once(
    deadline: Deadline,
    service: str,
    operation: str,
    parameters: dict[str, Any],
    *,
    region: str | None,
    make: MakeClient,
) -> Any:
    """The answer. ClientError passes: what a refusal means depends on the service. Raises ProviderFault for the time
    and the connection."""
    left = deadline.seconds_left()
    fitting = (seconds for seconds in READ_TIMEOUTS_SECONDS if seconds + min(CONNECT_TIMEOUT_SECONDS, seconds) <= left)
    seconds = next(fitting, None)
    if seconds is None:
        raise ProviderFault(TIMEOUT, f"{deadline.who}: no time was left for the call")
    try:
        return getattr(make(service, seconds, 1, region), operation)(**parameters)
    except HTTPClientError as exc:  # read time-outs are among them
        raise ProviderFault(
            TIMEOUT, f"{deadline.who} did not answer in time; nobody knows whether it happened"
        ) from exc
    except ConnectionError as exc:
        raise ProviderFault(ERROR_NAMES["connect"], f"{deadline.who} cannot be reached") from exc
    except ClientError:
        raise
    except BotoCoreError as exc:  # no credentials, no region: nothing that a bot's author could mend
        raise Unavailable(f"{deadline.who} cannot be called", reason=type(exc).__name__) from exc


def code_and_words(exc: ClientError) -> tuple[str, str]:
    """AWS's code and message, the message short."""
    error = exc.response.get("Error", {})
    return str(error.get("Code", "")), " ".join(str(error.get("Message", "")).split())[:SHOWN]


default_client: Final[MakeClient] = client
