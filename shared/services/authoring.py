"""What bot authors do: import, lint, export, publish, roll back, delete, connect to KakaoTalk and to web pages.

Every change of what end users or receivers see is one transaction of the bot's row and a turn in the bot's `_sys` log,
so that its event keeps the same promise as a conversation's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from shared.bot.document import BotFile, JsonObject, content_bytes, content_hash, join_document, read_bot_file
from shared.bot.lint import lint
from shared.bot.problem import Problem
from shared.bot.record import BotRecord, BotVersion
from shared.channels.kakao.settings import KakaoSettings
from shared.channels.web.settings import CHANGEABLE, MAX_IDENTITY_KEYS, WEB, IdentityKey, WebSettings
from shared.conversation.turn import NO_STATE, LogState, Turn
from shared.errors import Conflict, InvalidBot, InvalidInput, NotFound
from shared.ids import BOT_ID
from shared.json_input import refuse_others
from shared.services.ports import Bots, Documents, Turns
from shared.webhooks.events import EventLog, bot_data

SYSTEM_LOG: Final = "_sys"
HISTORY_KEPT: Final = 20
CONFLICT_TRIES: Final = 3
KAKAO: Final = "kakao"
KEY_ID_CHARACTERS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did: `is_new_version` is false for a repeat of the same content."""

    record: BotRecord
    problems: list[Problem]
    is_new_version: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Authoring:
    """The use cases of bot authors."""

    bots: Bots
    documents: Documents
    turns: Turns
    now_ms: Callable[[], int]
    new_id: Callable[[], str]
    new_secret: Callable[[], str]

    # ---- reading

    def get(self, bot_id: str) -> BotRecord:
        """A bot that is there. Raises NotFound."""
        record = self.bots.get(bot_id)
        if record is None or record.deleted_at_ms is not None:
            raise NotFound(f"no bot '{bot_id}'", bot=bot_id)
        return record

    def export(self, bot_id: str, number: int | None = None) -> JsonObject:
        """The bot file: the draft, or a version by its number."""
        record = self.get(bot_id)
        return join_document(record.profile, self.content(record, number))

    def content(self, record: BotRecord, number: int | None = None) -> JsonObject:
        version = record.latest if number is None else self.bots.version(record.bot_id, number)
        if version is None:
            raise NotFound(f"bot '{record.bot_id}' has no version {number}", bot=record.bot_id)
        return self.documents.get(record.bot_id, version.content_hash)[0]

    def problems(self, bot_id: str) -> list[Problem]:
        """What lint says of the draft."""
        record = self.get(bot_id)
        return lint(self.content(record), record.profile)

    # ---- changing

    def import_file(self, bot_id: str, raw: bytes) -> Imported:
        """Make the file the bot's draft, whatever lint says; a repeat is a new version only when the content differs.

        Raises InvalidBot when the file is neither a bot nor a flow.
        """
        if not BOT_ID.fullmatch(bot_id):
            raise InvalidInput(
                f"'{bot_id}' cannot be a bot's id: use up to 64 letters, digits, - and _ (give one with --id)"
            )
        file = read_bot_file(raw)
        problems = lint(file.content, file.profile)
        for _ in range(CONFLICT_TRIES):
            try:
                record, is_new_version = self._import(bot_id, file)
            except Conflict:
                continue
            return Imported(record=record, problems=problems, is_new_version=is_new_version)
        raise Conflict(f"bot '{bot_id}' is being changed by somebody else: try again")

    def _import(self, bot_id: str, file: BotFile) -> tuple[BotRecord, bool]:
        record = self.bots.get(bot_id)
        now = self.now_ms()
        if record is None:
            record = BotRecord(bot_id=bot_id, profile={}, created_at_ms=now, updated_at_ms=now)
        name = content_hash(file.content)
        profile = _imported_profile(record, file)
        is_same = record.latest is not None and record.latest.content_hash == name
        if is_same and profile == record.profile and record.deleted_at_ms is None:
            return record, False
        version = None
        if not is_same:
            self.documents.put(bot_id, name, file.content)
            number = 1 if record.latest is None else record.latest.number + 1
            size = len(content_bytes(file.content))
            version = BotVersion(number=number, content_hash=name, size=size, created_at_ms=now)
        changed = replace(record, profile=profile, latest=version or record.latest, updated_at_ms=now)
        if record.deleted_at_ms is not None:  # what was taken out of service comes back by a publish alone
            changed = replace(changed, deleted_at_ms=None, published=None, history=())
        if changed.published is not None and profile != record.profile:  # end users and receivers see the new name
            content = self.documents.get(bot_id, changed.published.content_hash)[0]
            return self._change(changed, "bot.updated", content, version=version), not is_same
        self.bots.save(changed, version=version)
        return replace(changed, lock=record.lock + 1), not is_same

    def publish(self, bot_id: str) -> BotRecord:
        """Make the draft what end users meet. Raises InvalidBot with every error that lint finds."""
        record = self.get(bot_id)
        if record.latest is None:
            raise InvalidInput(f"bot '{bot_id}' has no draft to publish")
        content = self.content(record)
        _refuse_errors(record, content)
        return self._point_at(record, record.latest, content)

    def roll_back(self, bot_id: str, number: int | None = None) -> BotRecord:
        """Publish an earlier version again: `number`, or the one that was published before this one.

        Raises InvalidBot for a version with errors, unless it was in service before.
        """
        record = self.get(bot_id)
        if number is None:
            if not record.history:
                raise InvalidInput(f"bot '{bot_id}' has no earlier published version")
            number = record.history[-1]
        version = self.bots.version(bot_id, number)
        if version is None:
            raise NotFound(f"bot '{bot_id}' has no version {number}", bot=bot_id)
        content = self.content(record, number)
        if number not in record.history:
            _refuse_errors(record, content)
        return self._point_at(record, version, content)

    def _point_at(self, record: BotRecord, version: BotVersion, content: JsonObject) -> BotRecord:
        published = record.published
        if published is not None and published.number == version.number:
            return record
        history = record.history
        if published is not None:
            rolled_back = bool(history) and history[-1] == version.number
            history = history[:-1] if rolled_back else (*history, published.number)[-HISTORY_KEPT:]
        changed = replace(record, published=version, history=history, updated_at_ms=self.now_ms())
        return self._change(changed, "bot.updated", content)

    def delete(self, bot_id: str) -> BotRecord:
        """Take a bot out of service; who talks to it is told so. Its logs stay until they are erased."""
        record = self.get(bot_id)
        now = self.now_ms()
        content = {} if record.latest is None else self.content(record)
        return self._change(replace(record, deleted_at_ms=now, updated_at_ms=now), "bot.deleted", content)

    def connect_kakao(
        self,
        bot_id: str,
        *,
        kakao_bot_id: str | None = None,
        welcome_block_id: str | None = None,
        rotate: bool = False,
    ) -> KakaoSettings:
        """The bot's skill URL secrets, made when there are none; the header's previous secret stays valid once.

        Given ids are stored; `rotate` makes a new header secret.
        """
        record = self.get(bot_id)
        stored = record.channels.get(KAKAO)
        if stored is None:
            settings = KakaoSettings(path_secret=self.new_secret(), header_secrets=(self.new_secret(),))
        else:
            settings = KakaoSettings.parse(stored)
            if rotate:
                settings = replace(settings, header_secrets=(self.new_secret(), settings.header_secrets[0]))
        if kakao_bot_id is not None:
            settings = replace(settings, kakao_bot_id=kakao_bot_id.removesuffix("!") or None)
        if welcome_block_id is not None:
            settings = replace(settings, welcome_block_id=welcome_block_id or None)
        self._connect(record, KAKAO, settings.to_dict())
        return settings

    def connect_web(
        self,
        bot_id: str,
        *,
        enabled: bool | None = None,
        origins: tuple[str, ...] | None = None,
        require_identity: bool | None = None,
        new_identity_key: bool = False,
    ) -> WebSettings:
        """Members of the web channel by name; what is None stays as it is. See change_web and make_identity_key."""
        change = {
            "enabled": enabled,
            "allowedOrigins": None if origins is None else list(origins),
            "requireIdentity": require_identity,
        }
        settings = self.change_web(bot_id, {name: value for name, value in change.items() if value is not None})
        return self.make_identity_key(bot_id) if new_identity_key else settings

    def web(self, bot_id: str) -> WebSettings:
        return WebSettings.of(self.get(bot_id).channels)

    def change_web(self, bot_id: str, change: Mapping[str, Any]) -> WebSettings:
        """Change members of the bot's web channel, which are named as WebSettings.to_dict() names them. A theme is laid
        over the one before, and null takes one of its members away.

        Nothing is stored when nothing changes. Raises InvalidInput with the place of what is wrong.
        """
        refuse_others(change, CHANGEABLE, WEB)
        record = self.get(bot_id)
        before = WebSettings.of(record.channels)
        data = {**before.to_dict(), **change}
        if isinstance(data["theme"], dict):
            laid = {**before.theme, **data["theme"]}
            data["theme"] = {name: value for name, value in laid.items() if value is not None}
        return self._set_web(record, WebSettings.parse(data))

    def make_identity_key(self, bot_id: str) -> WebSettings:
        """A new key for the customer's server, which comes first; the one before it stays valid."""
        record = self.get(bot_id)
        before = WebSettings.of(record.channels)
        key = IdentityKey(key_id=f"id_{self.new_secret()[:KEY_ID_CHARACTERS]}", secret=self.new_secret())
        return self._set_web(record, replace(before, identity_keys=(key, *before.identity_keys)[:MAX_IDENTITY_KEYS]))

    def revoke_identity_key(self, bot_id: str, key_id: str) -> WebSettings:
        """What it vouched for renews nothing any more. Raises NotFound."""
        record = self.get(bot_id)
        before = WebSettings.of(record.channels)
        rest = tuple(key for key in before.identity_keys if key.key_id != key_id)
        if len(rest) == len(before.identity_keys):
            raise NotFound(f"bot '{bot_id}' has no identity key '{key_id[:64]}'", bot=bot_id)
        return self._set_web(record, replace(before, identity_keys=rest))

    def _set_web(self, record: BotRecord, settings: WebSettings) -> WebSettings:
        """A bot that was never connected stays so as long as its settings say nothing."""
        if settings != WebSettings.of(record.channels):
            self._connect(record, WEB, settings.to_dict())
        return settings

    def _connect(self, record: BotRecord, platform: str, settings: JsonObject) -> None:
        """Store the settings of a channel, and tell receivers, if they are other ones than before."""
        if settings == record.channels.get(platform):
            return
        channels = {**record.channels, platform: settings}
        changed = replace(record, channels=channels, updated_at_ms=self.now_ms())
        content = {} if record.latest is None else self.content(record)
        self._change(changed, "bot.updated", content, channel=platform)

    def _change(
        self,
        record: BotRecord,
        event: str,
        content: JsonObject,
        *,
        version: BotVersion | None = None,
        channel: str | None = None,
    ) -> BotRecord:
        """Store the row together with the turn that tells of it."""
        newest = self.turns.newest(record.bot_id, SYSTEM_LOG)
        before = NO_STATE if newest is None else newest.state
        log = EventLog(record.bot_id, self.new_id(), record.updated_at_ms, before.sequence)
        log.add(event, _bot_event(record, content))
        turn = Turn(
            bot_id=record.bot_id,
            log=SYSTEM_LOG,
            revision=1 if newest is None else newest.revision + 1,
            commit=log.commit,
            at_ms=record.updated_at_ms,
            state=LogState(first_contact_ms=before.first_contact_ms or record.updated_at_ms, sequence=log.sequence),
            events=log.events,
        )
        self.bots.save(record, version=version, channel=channel, turn=turn)
        return replace(record, lock=record.lock + 1)


def _imported_profile(record: BotRecord, file: BotFile) -> JsonObject:
    """A bot file says all of it, so that its export equals it; a flow file only names a bot that has no name yet."""
    if not file.is_flow:
        return file.profile
    return {**{key: value for key, value in file.profile.items() if value is not None}, **record.profile}


def _refuse_errors(record: BotRecord, content: JsonObject) -> None:
    errors = [problem for problem in lint(content, record.profile) if problem.severity == "error"]
    if errors:
        listed = "\n".join(f"  {problem}" for problem in errors)
        raise InvalidBot(f"bot '{record.bot_id}' cannot be published:\n{listed}", problems=errors)


def _bot_event(record: BotRecord, content: JsonObject) -> JsonObject:
    preference: Any = content.get("preference")
    return bot_data(
        bot_id=record.bot_id,
        profile=record.profile,
        preference=preference if isinstance(preference, dict) else {},
        integration={
            platform: {"enabled": settings.get("enabled") is not False}
            for platform, settings in record.channels.items()
        },
        created_at_ms=record.created_at_ms,
        at_ms=record.updated_at_ms,
        deleted_at_ms=record.deleted_at_ms,
    )
