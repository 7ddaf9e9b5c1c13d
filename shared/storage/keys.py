"""Every key of the two tables, each with the query that it serves."""

from typing import Final

# turns: pk = one log, sk = its turns in order; "the newest turn" is one reverse query with limit 1.
TURN_PREFIX: Final = "T#"
STATE_PREFIX: Final = "S#"
SYSTEM_LOG: Final = "_sys"
"""The log of a bot's administrative changes."""

# core
BOT_META: Final = "META"
CHANNEL_PREFIX: Final = "CH#"
BOT_LIMITS: Final = "LIMITS"
"""Between CH# and META: one query reads all three."""
VERSION_PREFIX: Final = "V#"
WEBHOOK_PREFIX: Final = "WH#"
IDENTITY_SORT: Final = "ID"
API_KEY_SORT: Final = "K"
CONNECTION_SORT: Final = "N"
TOKEN_KEYS_SORT: Final = "TOKENS"  # noqa: S105 - the name of a row
DEFAULT_WORKSPACE: Final = "default"
LIST_SHARDS: Final = 8
"""Partitions of each list of a bot: a partition takes 1,000 writes a second."""
ACTIVE_SHARDS: Final = 16
"""Counters of a bot's month: transactions that add to the same row cancel each other."""
HOUR_PREFIX: Final = "H#"
MONTH_PREFIX: Final = "M#"


def log_partition(bot_id: str, log: str) -> str:
    return f"C#{bot_id}#{log}"


def turn_sort(revision: int) -> str:
    return f"{TURN_PREFIX}{revision:010d}"


def revision_of(sort: str) -> int:
    return int(sort.removeprefix(TURN_PREFIX))


def state_sort(digest: str) -> str:
    return f"{STATE_PREFIX}{digest}"


def bot_partition(bot_id: str) -> str:
    return f"B#{bot_id}"


def channel_sort(platform: str) -> str:
    return f"{CHANNEL_PREFIX}{platform}"


def version_sort(number: int) -> str:
    return f"{VERSION_PREFIX}{number:06d}"


def webhook_sort(webhook_id: str) -> str:
    """Beside the bot's other rows: its endpoints are one query."""
    return f"{WEBHOOK_PREFIX}{webhook_id}"


def deliveries_partition(webhook_id: str, day: str) -> str:
    """The delivery log of an endpoint by UTC day, yyyymmdd: a busy endpoint fills no partition for ever."""
    return f"D#{webhook_id}#{day}"


def delivery_sort(at_ms: int, delivery_id: str) -> str:
    """In the order of time; a delivery's key follows from what it holds."""
    return f"{at_ms:015d}#{delivery_id}"


def erasures_partition(bot_id: str) -> str:
    """Receipts of the erasures of a bot's end users."""
    return f"ER#{bot_id}"


def claims_partition(bot_id: str, log: str) -> str:
    """Claims on the work of a log: who carries a walk on, who posts a reply."""
    return f"CL#{bot_id}#{log}"


def connections_partition(bot_id: str, log: str) -> str:
    """Sockets of a log: whoever is to be told of its turns is one query."""
    return f"N#{bot_id}#{log}"


def connection_partition(connection_id: str) -> str:
    """A socket by its id: the log that it is of, for when it ends."""
    return f"N#{connection_id}"


def identity_partition(public_id: str) -> str:
    """A public id: whom or what it names, and in which log that lies."""
    return f"ID#{public_id}"


def people_of_bot(bot_id: str, shard: int) -> str:
    """gsi1pk: a share of the bot's end users, by the hour in which they were last seen."""
    return f"E#{bot_id}#{shard}"


def conversations_of_bot(bot_id: str, shard: int) -> str:
    """gsi1pk: a share of the bot's conversations, by the time at which they began."""
    return f"L#{bot_id}#{shard}"


def list_sort(at_ms: int, public_id: str) -> str:
    """gsi1sk of both lists: unique in all shards, so that it is a page's cursor too."""
    return f"{at_ms:015d}#{public_id}"


def counters_partition(bot_id: str) -> str:
    """A bot's counters: a range of hours, or a month's shares, is one query."""
    return f"S#{bot_id}"


def hour_sort(hour: str) -> str:
    return f"{HOUR_PREFIX}{hour}"


def month_sort(month: int, shard: int | None = None) -> str:
    """A share of a month's counter of active end users; without one, what the sort keys of all shares begin with."""
    return f"{MONTH_PREFIX}{month}#" if shard is None else f"{MONTH_PREFIX}{month}#{shard}"


def active_partition(bot_id: str, month: int, shard: int) -> str:
    """A share of a month's active end users: a row for each log; expires."""
    return f"MU#{bot_id}#{month}#{shard}"


def counted_partition(minute: int) -> str:
    """Turns of a minute that are in the hourly counters, of all bots: a row for each time that was counted; expires."""
    return f"CT#{minute}"


def bots_of_workspace(workspace: str) -> str:
    """gsi1pk: the bots of a workspace by the time of their last change."""
    return f"W#{workspace}#B"


def workspace_partition(workspace: str) -> str:
    """What the whole workspace has once, such as the keys that sign the web chat's tokens."""
    return f"W#{workspace}"


def rate_partition(name: str, window: int) -> str:
    """How often somebody did something in a window of time; expires."""
    return f"RL#{name}#{window}"


def api_key_partition(key_id: str) -> str:
    """An API key by the beginning of its digest."""
    return f"K#{key_id}"


def api_keys_of_workspace(workspace: str) -> str:
    """gsi1pk: the API keys of a workspace by the time at which they were made."""
    return f"W#{workspace}#K"


def version_object(bot_id: str, content_hash: str) -> str:
    """S3 key of an immutable content."""
    return f"b/{bot_id}/{content_hash}.json.gz"
