"""Secrets of the local cloud survive a restart: in plain text in the state's file, as nothing here protects a key."""

import json
from typing import Any, Final

from moto.core import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends

from infra.local.aws.store import Store

KIND: Final = "secret"
SERVICE: Final = "secretsmanager"
READS: Final = frozenset({"GetSecretValue", "BatchGetSecretValue", "ListSecrets", "DescribeSecret"})


def keep_secrets(store: Store, target: str) -> None:
    """After a call of Secrets Manager; `target` is its X-Amz-Target header, `secretsmanager.CreateSecret`."""
    if target.rpartition(".")[2] in READS:
        return
    found = {
        f"{region} {secret.name}": json.dumps(
            {"region": region, "name": secret.name, "value": value, "deleted": secret.deleted_date}
        )
        for region, backend in _backends()
        for secret in list(backend.secrets.values())
        if (value := _current(secret)) is not None
    }
    known = dict(store.kept(KIND))
    for name in known.keys() - found.keys():
        store.drop(KIND, name)
    for name, value in found.items():
        if known.get(name) != value:
            store.keep(KIND, name, value)


def restore_secrets(store: Store) -> None:
    for _, text in store.kept(KIND):
        kept = json.loads(text)
        backend = secretsmanager_backends[DEFAULT_ACCOUNT_ID][kept["region"]]
        backend.create_secret(
            name=kept["name"],
            secret_string=kept["value"],
            secret_binary=None,
            description=None,
            tags=None,
            kms_key_id=None,
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )
        if kept["deleted"] is not None:
            backend.secrets[kept["name"]].delete(kept["deleted"])


def _current(secret: Any) -> str | None:
    """The newest value; a binary one is not kept, nothing of ours makes one."""
    for version in secret.versions.values():
        if "AWSCURRENT" in version["version_stages"]:
            value: str | None = version.get("secret_string")
            return value
    return None


def _backends() -> list[tuple[str, Any]]:
    return list(secretsmanager_backends[DEFAULT_ACCOUNT_ID].items())
