"""How a carrier ends without an answer: raised where it is noticed, an EffectFailed at the carrier's edge."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final, ParamSpec, TypeVar

from shared.engine.effects import TIMEOUT, EffectAnswer, EffectFailed

CREDENTIAL: Final = "CredentialError"
"""A credential is missing, has another shape, or the provider refuses it."""
NOT_CONFIGURED: Final = "NotConfiguredError"
"""The installation or the node lacks a setting; the message names it."""
INVALID_REQUEST: Final = "InvalidRequestError"
"""What the author wrote cannot be sent; nothing was."""
STATUS_CODE: Final = "StatusCodeError"
PROVIDER: Final = "ProviderError"
"""The provider's answer is not what it documents, or it refuses for a reason of its own."""

NAMES: Final = frozenset({CREDENTIAL, NOT_CONFIGURED, INVALID_REQUEST, STATUS_CODE, PROVIDER, TIMEOUT})
"""Beside those of shared.net.effects; docs/errors.md explains each."""

Self_ = TypeVar("Self_")
P = ParamSpec("P")


class ProviderFault(Exception):
    """`name` is stable, `message` fit for the author of the bot."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


def faults_are_answers(
    carry: Callable[Concatenate[Self_, P], EffectAnswer],
) -> Callable[Concatenate[Self_, P], EffectAnswer]:
    """For the method that is a carrier."""

    @wraps(carry)
    def carried(carrier: Self_, /, *arguments: P.args, **options: P.kwargs) -> EffectAnswer:
        try:
            return carry(carrier, *arguments, **options)
        except ProviderFault as fault:
            return EffectFailed(name=fault.name, message=fault.message)

    return carried
