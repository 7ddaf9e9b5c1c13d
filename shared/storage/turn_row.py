"""A turn's row as PynamoDB sees it, for the one case where a turn is written together with a row of the core table."""

from typing import Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model


class TurnRow(Model):
    """Attributes as in shared/storage/turns.py: commit, time, format and packed body."""

    class Meta:
        table_name = "unbound"  # bind_turns_table() names it once, at cold start
        region: str | None = None

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    commit = BinaryAttribute(attr_name="c", legacy_encoding=False)
    at_ms = NumberAttribute(attr_name="t")
    format = NumberAttribute(attr_name="f")
    body = BinaryAttribute(attr_name="z", legacy_encoding=False)

    @classmethod
    def of(cls, item: dict[str, Any]) -> "TurnRow":
        """The row of an item that DynamoTurns made."""
        return cls(
            item["pk"]["S"],
            item["sk"]["S"],
            commit=item["c"]["B"],
            at_ms=int(item["t"]["N"]),
            format=int(item["f"]["N"]),
            body=item["z"]["B"],
        )


def bind_turns_table(name: str, region: str) -> None:
    """Name the table; nothing is read from the environment at import."""
    meta: Any = TurnRow.Meta
    meta.table_name, meta.region = name, region
