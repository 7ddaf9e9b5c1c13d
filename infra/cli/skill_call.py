"""Skill calls as KakaoTalk makes them: the payload, the POST, and what its answer means."""

import json
import time
import uuid
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import httpx

from infra.cli.language import both
from shared.channels.kakao.settings import SECRET_HEADER, KakaoSettings

JsonObject = dict[str, Any]

TIMEOUT_SECONDS: Final = 10.0
"""Twice Kakao's patience: a late answer is still worth seeing."""
CALLBACK_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.2
NEVER_PROXIED: Final = ("all://127.0.0.1", "all://localhost", "all://[::1]")
MAX_ANSWER_BYTES: Final = 1024 * 1024
SOME_BOT_ID: Final = "000000000000000000000000"
SOME_BLOCK_ID: Final = "000000000000000000000001"
FALLBACK_BLOCK: Final[JsonObject] = {"id": "000000000000000000000002", "name": "폴백 블록"}
WELCOME_NAME: Final = "웰컴 블록"

MEANINGS: Final = {
    401: both("비밀 헤더가 없습니다: `malgil bot connect`", "the secret header is missing: `malgil bot connect`"),
    403: both(
        "URL, 헤더값 또는 카카오 봇 ID가 다릅니다: `malgil bot connect`",
        "URL, header value or Kakao bot id is wrong: `malgil bot connect`",
    ),
    404: both("없는 경로입니다: URL을 확인하세요", "there is no such path: check the URL"),
    405: both("POST를 받지 않는 경로입니다", "the path takes no POST"),
    429: both("호출이 너무 많아 거절되었습니다", "throttled: too many calls"),
}
REDIRECTED: Final = both(
    "리디렉션은 따라가지 않습니다: 최종 URL을 입력하세요", "redirects are not followed: use the final URL"
)
SERVER_FAULT: Final = both("스킬 서버의 오류입니다: 로그를 확인하세요", "the skill server's fault: see its log")
NOT_OK: Final = both("카카오톡은 200만 답으로 받습니다", "KakaoTalk takes nothing but 200 for an answer")
UNREACHABLE: Final = both("스킬 서버에 연결할 수 없습니다", "the skill server cannot be reached")
NOT_JSON: Final = both("답이 JSON이 아닙니다", "the answer is not JSON")


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """Where calls go. The ids are what Kakao would send; a bot's settings may insist on them. With `callback_url`, the
    base of a callback server, every call allows the reply to be posted there later."""

    name: str
    url: str
    secret: str | None
    kakao_bot_id: str = SOME_BOT_ID
    welcome_block_id: str = SOME_BLOCK_ID
    callback_url: str | None = None

    @classmethod
    def of_settings(cls, name: str, url: str, settings: KakaoSettings, callback_url: str | None = None) -> "Skill":
        return cls(
            name=name,
            url=url,
            secret=settings.header_secrets[0],
            kakao_bot_id=settings.kakao_bot_id or SOME_BOT_ID,
            welcome_block_id=settings.welcome_block_id or SOME_BLOCK_ID,
            callback_url=callback_url,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `body` is None when it is not a response that could be drawn; `problem` says why then."""

    milliseconds: float
    size: int = 0
    status: int | None = None
    raw: bytes = b""
    body: Any = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls. `user_type` is "accountId" for the admin centre's skill test."""

    user_key: str
    user_type: str = "botUserKey"


def welcome(skill: Skill, caller: Caller) -> JsonObject:
    """The call of the welcome block: somebody comes into the channel's chat for the first time."""
    return _payload(skill, caller, {"id": skill.welcome_block_id, "name": WELCOME_NAME}, "")


def utterance(
    skill: Skill, caller: Caller, text: str, *, trigger: str = "TEXT_INPUT", client_extra: JsonObject | None = None
) -> JsonObject:
    """The call of the fallback block: something typed, or a tap that says `text` and carries `client_extra`."""
    payload = _payload(skill, caller, FALLBACK_BLOCK, text)
    payload["action"]["clientExtra"] = client_extra or {}
    payload["flow"] = {"lastBlock": FALLBACK_BLOCK, "trigger": {"type": trigger}}
    if trigger != "TEXT_INPUT":
        payload["flow"]["trigger"]["referrerBlock"] = FALLBACK_BLOCK
    return payload


def photo(skill: Skill, caller: Caller, url: str) -> JsonObject:
    """The call for an uploaded picture: its address is the utterance."""
    payload = utterance(skill, caller, url, trigger="IMAGE_UPLOAD")
    payload["userRequest"]["params"]["media"] = {"type": "image", "url": url}
    return payload


def _payload(skill: Skill, caller: Caller, block: JsonObject, text: str) -> JsonObject:
    return {
        "bot": {"id": skill.kakao_bot_id, "name": skill.name},
        "intent": {**block, "extra": {"reason": {"code": 1, "message": "OK"}}},
        "action": {
            "id": "000000000000000000000003",
            "name": skill.name,
            "params": {},
            "detailParams": {},
            "clientExtra": {},
        },
        "userRequest": {
            "block": block,
            "user": {"id": caller.user_key, "type": caller.user_type, "properties": {}},
            "utterance": text,
            "params": {"surface": "Kakaotalk.plusfriend"},
            "lang": "ko",
            "timezone": "Asia/Seoul",
        },
        "contexts": [],
    }


@dataclass
class SkillCaller:
    """Sends calls over one connection, as Kakao's servers do."""

    skill: Skill
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=TIMEOUT_SECONDS, mounts=dict.fromkeys(NEVER_PROXIED))
    )

    def send(self, payload: JsonObject) -> Answer:
        """POST a payload; whatever goes wrong is told in the answer."""
        headers = {"content-type": "application/json; charset=utf-8", "x-request-id": str(uuid.uuid4())}
        if self.skill.secret is not None:
            headers[SECRET_HEADER] = self.skill.secret
        started = time.monotonic()
        try:
            with self.client.stream(
                "POST", self.skill.url, content=json.dumps(payload, ensure_ascii=False).encode(), headers=headers
            ) as response:
                raw = _read(response)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            return Answer(milliseconds=_since(started), problem=f"{UNREACHABLE}: {str(exc) or type(exc).__name__}")
        return _answer(response.status_code, raw, _since(started))

    def announce_callback(self, payload: JsonObject) -> str | None:
        """Let this call be answered later: the token, None without a callback server."""
        if self.skill.callback_url is None:
            return None
        token = str(uuid.uuid4())
        url = f"{self.skill.callback_url}/{token}"
        self.client.put(url)
        payload["userRequest"]["callbackUrl"] = url
        return token

    def posted_reply(self, token: str) -> Answer | None:
        """The reply posted for a call, waited for; None when its minute passed."""
        started = time.monotonic()
        while _since(started) < CALLBACK_SECONDS * 1000:
            response = self.client.get(f"{self.skill.callback_url}/{token}")
            if response.status_code == httpx.codes.OK:
                return _answer(response.status_code, response.content, _since(started))
            time.sleep(POLL_SECONDS)
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()


def _read(response: httpx.Response) -> bytes:
    raw = b""
    for piece in response.iter_bytes():
        raw += piece
        if len(raw) > MAX_ANSWER_BYTES:
            break
    return raw


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1000


def _answer(status: int, raw: bytes, milliseconds: float) -> Answer:
    body, problem = None, None
    if status != httpx.codes.OK:
        problem = f"HTTP {status}: {_meaning(status)}"
    else:
        try:
            body = json.loads(raw)
        except ValueError:
            problem = NOT_JSON
    return Answer(milliseconds=milliseconds, size=len(raw), status=status, raw=raw, body=body, problem=problem)


def _meaning(status: int) -> str:
    if status in MEANINGS:
        return MEANINGS[status]
    if httpx.codes.is_redirect(status):
        return REDIRECTED
    return SERVER_FAULT if httpx.codes.is_server_error(status) else NOT_OK
