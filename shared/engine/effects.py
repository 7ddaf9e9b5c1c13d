"""What a walk asks of the world, and what the world answers. The engine only names it; somebody else does it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """One HTTP request of a fetch node. `repeatable`: a GET may be sent again without harm."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout_ms: int
    repeatable: bool


Effect = HttpCall


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """An answer arrived, whatever its status."""

    status: int
    url: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFailed:
    """No answer arrived. `name` is a stable class (Blocked, Timeout, Dns, Tls, Connect, TooLarge, Http)."""

    name: str
    message: str


EffectAnswer = HttpResponse | HttpFailed
