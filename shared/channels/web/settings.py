"""A bot's web channel: whether it is on, which sites may show it, who end users are, what it looks like."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shared.channels.web.hours import WeeklyHours
from shared.channels.web.origins import parse_origin
from shared.errors import InvalidInput
from shared.graphemes import graphemes
from shared.json_input import clean_text, refuse_others

JsonObject = dict[str, Any]

WEB: Final = "web"
"""The platform, and the name of the channel's settings."""
MAX_ORIGINS: Final = 50
MAX_IDENTITY_KEYS: Final = 2
"""The newest first; the one before stays valid while the customer's server changes over."""
MIN_SECRET_LENGTH: Final = 32
"""HS256 wants a key as long as its digest (RFC 7518 3.2)."""
MAX_THEME_BYTES: Final = 4_096
THEME: Final = (
    *("title", "description", "icon", "position", "positionStrategy", "textColor", "primaryColor"),
    *("primaryContrastTextColor", "pageMargin", "zIndex", "defaultWindowSize", "greetingMessage", "enableResize"),
    *("buttonSize", "buttonIconSize", "buttonRadius", "colorScheme", "skipWelcome", "hideBrand"),
    *("announceAgent", "greetingReplies", "locale"),
)
TEXTS: Final = (
    *("title", "description", "icon", "greetingMessage", "position", "positionStrategy"),
    *("textColor", "primaryColor", "primaryContrastTextColor", "colorScheme", "locale"),
)
"""Members of a theme that are texts, also when they look like numbers."""
LOCALES: Final = ("ko", "en", "auto")
MAX_GREETING_REPLIES: Final = 3
MAX_REPLY: Final = 20
CONTACT_FIELDS: Final = ("name", "phone", "email")
MAX_CONSENT: Final = 300
CHARACTER_POINTS: Final = 12
"""Code points that a character as people count them may have: a family emoji has up to 11."""

CHANGEABLE: Final = ("enabled", "allowedOrigins", "requireIdentity", "theme", "uploads", "contactForm", "hours")
"""Members of the settings that their owner writes; identity keys are made and revoked."""

_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityKey:
    """The customer's server signs with `secret`, as it is written, and names it by `key_id` in the header `kid`."""

    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactForm:
    """What end users are asked before they talk; who may skip it is asked where it is not `required`. `consent` is
    what they agree to, "" for a form without."""

    required: bool
    fields: tuple[str, ...]
    consent: str = ""

    @classmethod
    def parse(cls, data: Any, place: str) -> "ContactForm":
        """Raises InvalidInput with the place of what is wrong."""
        if not isinstance(data, dict):
            raise InvalidInput(f"{place}: an object of required, fields and consent is expected")
        refuse_others(data, ("required", "fields", "consent"), place)
        fields = data.get("fields")
        if not isinstance(fields, list) or not fields or any(name not in CONTACT_FIELDS for name in fields):
            raise InvalidInput(f"{place}.fields: a list of {', '.join(CONTACT_FIELDS)} is expected, one at least")
        required = data.get("required", False)
        if not isinstance(required, bool):
            raise InvalidInput(f"{place}.required: true or false is expected")
        consent = data.get("consent", "")
        if not _is_short(consent, MAX_CONSENT):
            raise InvalidInput(f"{place}.consent: a text of at most {MAX_CONSENT} characters is expected")
        return cls(
            required=required,
            fields=tuple(name for name in CONTACT_FIELDS if name in fields),
            consent=clean_text(consent).strip(),
        )

    def to_dict(self) -> JsonObject:
        return {"required": self.required, "fields": list(self.fields), "consent": self.consent}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Stored as to_dict() gives it. No `allowed_origins`: every site may show the bot. No `hours`: nobody is told when
    agents are there."""

    enabled: bool = False
    allowed_origins: tuple[str, ...] = ()
    require_identity: bool = False
    identity_keys: tuple[IdentityKey, ...] = ()
    theme: JsonObject = field(default_factory=dict)
    uploads: bool = True
    contact_form: ContactForm | None = None
    hours: WeeklyHours | None = None

    @classmethod
    def of(cls, channels: Mapping[str, Any]) -> "WebSettings":
        """Out of the channels of a bot's record; one that was never connected is off. Raises InvalidInput."""
        return cls.parse(channels[WEB]) if WEB in channels else cls()

    @classmethod
    def parse(cls, data: Any) -> "WebSettings":
        """Settings from JSON data. Raises InvalidInput with the place of what is wrong."""
        if not isinstance(data, dict):
            raise InvalidInput("web: an object is expected")
        origins = _list(data, "allowedOrigins", MAX_ORIGINS)
        keys = _list(data, "identityKeys", MAX_IDENTITY_KEYS)
        form, hours = data.get("contactForm"), data.get("hours")
        return cls(
            enabled=_flag(data, "enabled", default=True),
            allowed_origins=tuple(
                dict.fromkeys(_origin(origin, f"web.allowedOrigins[{index}]") for index, origin in enumerate(origins))
            ),
            require_identity=_flag(data, "requireIdentity", default=False),
            identity_keys=tuple(_identity_key(key, f"web.identityKeys[{index}]") for index, key in enumerate(keys)),
            theme=_theme(data.get("theme")),
            uploads=_flag(data, "uploads", default=True),
            contact_form=None if form is None else ContactForm.parse(form, "web.contactForm"),
            hours=None if hours is None else WeeklyHours.parse(hours, "web.hours"),
        )

    def to_dict(self) -> JsonObject:
        return {
            "enabled": self.enabled,
            "allowedOrigins": list(self.allowed_origins),
            "requireIdentity": self.require_identity,
            "identityKeys": [{"id": key.key_id, "secret": key.secret} for key in self.identity_keys],
            "theme": self.theme,
            "uploads": self.uploads,
            "contactForm": None if self.contact_form is None else self.contact_form.to_dict(),
            "hours": None if self.hours is None else self.hours.to_dict(),
        }


def _list(data: JsonObject, name: str, most: int) -> list[Any]:
    value = data.get(name) or []
    if not isinstance(value, list) or len(value) > most:
        raise InvalidInput(f"web.{name}: a list of at most {most} is expected")
    return value


def _flag(data: JsonObject, name: str, *, default: bool) -> bool:
    value = data.get(name, default)
    if not isinstance(value, bool):
        raise InvalidInput(f"web.{name}: true or false is expected")
    return value


def _origin(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{place}: a text is expected")
    return parse_origin(value, place)


def _identity_key(value: Any, place: str) -> IdentityKey:
    key_id = value.get("id") if isinstance(value, dict) else None
    secret = value.get("secret") if isinstance(value, dict) else None
    if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
        raise InvalidInput(f"{place}.id: up to 64 letters, digits, - and _ are expected")
    if (
        not isinstance(secret, str)
        or len(secret) < MIN_SECRET_LENGTH
        or not (secret.isascii() and secret.isprintable())
    ):
        raise InvalidInput(f"{place}.secret: at least {MIN_SECRET_LENGTH} printable ASCII characters are expected")
    return IdentityKey(key_id=key_id, secret=secret)


def _theme(value: Any) -> JsonObject:
    """What the widget takes; it checks the values of looks, which it shows in a page of somebody else."""
    theme = {} if value is None else value
    if not isinstance(theme, dict):
        raise InvalidInput("web.theme: an object is expected")
    refuse_others(theme, THEME, "web.theme")
    if not isinstance(theme.get("announceAgent", True), bool):
        raise InvalidInput("web.theme.announceAgent: true or false is expected")
    for name in TEXTS:
        if not isinstance(theme.get(name, ""), str):
            raise InvalidInput(f"web.theme.{name}: a text is expected")
    if theme.get("locale", "auto") not in LOCALES:
        raise InvalidInput(f"web.theme.locale: one of {', '.join(LOCALES)} is expected")
    replies = theme.get("greetingReplies", [])
    if not isinstance(replies, list) or len(replies) > MAX_GREETING_REPLIES:
        raise InvalidInput(f"web.theme.greetingReplies: a list of at most {MAX_GREETING_REPLIES} texts is expected")
    for index, reply in enumerate(replies):
        if not _is_short(reply, MAX_REPLY) or not reply.strip():
            raise InvalidInput(f"web.theme.greetingReplies[{index}]: 1 to {MAX_REPLY} characters are expected")
    if len(json.dumps(theme, ensure_ascii=False).encode("utf-8", "surrogatepass")) > MAX_THEME_BYTES:
        raise InvalidInput(f"web.theme: at most {MAX_THEME_BYTES} bytes are kept")
    return theme


def _is_short(value: Any, most: int) -> bool:
    """Whether it is a text of at most `most` characters as people count them."""
    if not isinstance(value, str) or len(value) > most * CHARACTER_POINTS:
        return False
    return len(value) <= most or sum(1 for _ in graphemes(value)) <= most
