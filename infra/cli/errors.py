"""Whatever goes wrong outside is one line on standard error: what happened and what to do, never a traceback."""

from functools import cache
from typing import Final

import typer
from typer.core import TyperGroup

from shared.errors import MalgilError, Unavailable

NO_CREDENTIALS: Final = "no AWS credentials: run `aws configure`, set AWS_PROFILE, or give --profile"
NO_REGION: Final = "no AWS region: set AWS_REGION or give --region"


@cache
def aws_errors() -> tuple[type[BaseException], ...]:
    """What the AWS SDK raises. Imported only when something has been raised: it is most of a start's time."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from pynamodb.exceptions import PynamoDBException  # noqa: PLC0415

    return BotoCoreError, ClientError, PynamoDBException


@cache
def outside_errors() -> tuple[type[BaseException], ...]:
    """Everything that going outside may raise: ours and the SDK's."""
    return MalgilError, *aws_errors()


def sentence(exc: BaseException) -> str:
    """An error in one sentence; an unreachable service's own words come along."""
    from botocore import exceptions as aws  # noqa: PLC0415 - see aws_errors

    cause = _aws_cause(exc)
    if isinstance(cause, aws.NoCredentialsError | aws.PartialCredentialsError):
        return NO_CREDENTIALS
    if isinstance(cause, aws.NoRegionError):
        return NO_REGION
    if isinstance(cause, aws.ClientError):
        error = cause.response.get("Error", {})
        said = f"{cause.operation_name}: {error.get('Code')}: {error.get('Message')}"
    else:
        said = "" if cause is None else str(cause)
    if cause is exc or not isinstance(exc, MalgilError):
        return said or str(exc)
    return f"{exc} ({said})" if said else str(exc)


def _aws_cause(exc: BaseException) -> BaseException | None:
    """The SDK's own error behind an error: PynamoDB keeps it as `cause`, our adapters as `__cause__`."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    found: BaseException | None = exc
    while found is not None and not isinstance(found, BotoCoreError | ClientError):
        inner = getattr(found, "cause", None)
        found = inner if isinstance(inner, BaseException) else found.__cause__
    return found


class OneLineErrors(TyperGroup):
    """A group of commands that ends with one line and exit code 1 instead of a traceback."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except MalgilError as exc:
            line = sentence(exc) if isinstance(exc, Unavailable) else str(exc)
        except (typer.Exit, typer.Abort, BrokenPipeError):  # the last: whoever reads us has gone, `| head` for one
            raise
        except OSError as exc:
            line = str(exc)
        except aws_errors() as exc:
            line = sentence(exc)
        typer.echo(f"malgil: {line}", err=True)
        raise typer.Exit(1)
