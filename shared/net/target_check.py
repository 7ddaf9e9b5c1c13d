"""Whether a URL may be registered: what the guarded client would refuse to call is refused here already."""

from typing import Final

from shared.errors import BlockedAddress
from shared.net.budget import Budget
from shared.net.messages import OutboundError, Resolver
from shared.net.url import LocalTargets, parse_url

LOOK_UP_SECONDS: Final = 2.0


class TargetCheck:
    """The port RefuseTarget. `resolve` and `local_targets` are the guarded client's."""

    def __init__(
        self,
        *,
        local_targets: LocalTargets = frozenset(),
        resolve: Resolver | None = None,
        look_up_seconds: float = LOOK_UP_SECONDS,
    ) -> None:
        self._local_targets = local_targets
        self._resolve = resolve
        self._look_up_seconds = look_up_seconds

    def __call__(self, url: str) -> None:
        """Raises BlockedAddress. A name that has no address now, or takes too long, is accepted: it may have one
        later, and every send looks it up and decides anew."""
        from shared.net.connection import system_resolver, vetted_addresses  # noqa: PLC0415 - brings httpcore

        target = parse_url(url, self._local_targets)
        budget = Budget(seconds=self._look_up_seconds, wire_bytes=0)
        try:
            vetted_addresses(target, self._resolve or system_resolver, budget)
        except OutboundError as refusal:
            if refusal.kind == "blocked":
                raise BlockedAddress(str(refusal)) from refusal
