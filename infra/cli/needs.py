"""What a bot's nodes need of the installation before they can reach the world: credentials, and an address for mail."""

from collections.abc import Iterator
from typing import Any, Final

from infra.cli.errors import outside_errors, sentence
from infra.cli.findings import Finding, doubtful, good
from infra.cli.language import both
from shared.bot.asking_lint import CREDENTIALS
from shared.bot.upgrade import upgrade_data

JsonObject = dict[str, Any]

MAIL_REMEDY: Final = both(
    "MailFrom에 보내는 주소를 넣고 다시 배포하세요", "deploy again with the sender's address in MailFrom"
)
RIGHTS_REMEDY: Final = both(
    "secretsmanager:DescribeSecret 권한이 필요합니다", "secretsmanager:DescribeSecret is needed"
)


def examine_needs(bot_id: str, content: JsonObject) -> Iterator[Finding]:
    """One finding a credential that the nodes name, and one for mail that nobody sends."""
    nodes = list(_nodes(content))
    for name in sorted(_credentials(nodes)):
        yield _credential(bot_id, name)
    if any(kind == "email" for kind, _ in nodes) and not _settings().mail_from:
        yield doubtful("MailFrom 미설정: 메일 노드가 실패합니다", "MailFrom is not set: mail nodes fail", MAIL_REMEDY)


def _nodes(content: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Type and data of each node; what has another shape is for lint to tell."""
    for flow in _objects(content.get("flows")):
        for node in _objects(flow.get("nodes")):
            kind, data = node.get("type"), node.get("data")
            if isinstance(kind, str) and isinstance(data, dict):
                yield kind, upgrade_data(kind, data)


def _objects(given: Any) -> list[JsonObject]:
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def _credentials(nodes: list[tuple[str, JsonObject]]) -> set[str]:
    from shared.providers.credentials import NAME  # noqa: PLC0415 - brings the AWS SDK

    named = (data.get(key) for kind, data in nodes for key in CREDENTIALS.get(kind, ()))
    return {name for name in named if isinstance(name, str) and NAME.fullmatch(name)}


def _credential(bot_id: str, name: str) -> Finding:
    from shared.aws import client  # noqa: PLC0415 - brings the AWS SDK
    from shared.providers.credentials import secret_id  # noqa: PLC0415

    secrets: Any = client("secretsmanager")
    try:
        found = secrets.describe_secret(SecretId=secret_id(_settings().secrets_prefix, bot_id, name))
    except secrets.exceptions.ResourceNotFoundException:
        found = {"DeletedDate": None}
    except outside_errors() as exc:
        what = (f"자격 증명 '{name}': 확인 불가", f"credential '{name}' cannot be looked up: {sentence(exc)}")
        return doubtful(*what, RIGHTS_REMEDY)
    if "DeletedDate" in found:
        return doubtful(f"자격 증명 '{name}' 없음", f"no credential '{name}'", f"malgil secret set {bot_id} {name}")
    return good(f"자격 증명 '{name}' 있음", f"credential '{name}' is stored")


def _settings() -> Any:
    from shared.runtime.wiring import settings  # noqa: PLC0415 - brings the AWS SDK

    return settings()
