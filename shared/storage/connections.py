"""Sockets of the web channel: which are open for a log, and sending to them."""

from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import ClientError

from shared.aws import BoundedClient
from shared.errors import Unavailable
from shared.storage import keys

LIFETIME_S: Final = 7_800
"""API Gateway ends a socket after two hours; ten minutes more, for clocks."""
MAX_OF_A_LOG: Final = 100
"""Rows that one look-up reads."""
MILLISECONDS: Final = 1_000


class DynamoConnections:
    """The port Connections, on rows that expire by themselves: a socket's end is told by API Gateway as a rule, and not
    always."""

    def __init__(self, table_name: str, now_ms: Callable[[], int], client: BoundedClient | None = None) -> None:
        self._table = table_name
        self._now_ms = now_ms
        self._client = client or BoundedClient()

    def add(self, bot_id: str, log: str, connection_id: str) -> None:
        """Two rows, the one that is looked for first last. What comes again is written over: an id is one socket's."""
        now_ms = self._now_ms()
        ttl = {"N": str(now_ms // MILLISECONDS + LIFETIME_S)}
        rows = (
            {"pk": {"S": keys.connection_partition(connection_id)}, "sk": {"S": keys.CONNECTION_SORT}},
            {"pk": {"S": keys.connections_partition(bot_id, log)}, "sk": {"S": connection_id}},
        )
        of = {"bot": {"S": bot_id}, "log": {"S": log}}
        for row in rows:
            item = {**row, **of, "connectedAt": {"N": str(now_ms)}, "ttl": ttl}
            self._client.call("put_item", None, TableName=self._table, Item=item)

    def of(self, bot_id: str, log: str, deadline_ns: int | None = None) -> list[str]:
        """Consistent: whoever was connected when a turn was written is told of it. The newest first."""
        response = self._client.call(
            "query",
            deadline_ns,
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": keys.connections_partition(bot_id, log)}},
            ConsistentRead=True,
            Limit=MAX_OF_A_LOG,
        )
        now_s = self._now_ms() // MILLISECONDS
        live = [item for item in response["Items"] if int(item["ttl"]["N"]) > now_s]
        live.sort(key=lambda item: int(item["connectedAt"]["N"]), reverse=True)
        return [item["sk"]["S"] for item in live]

    def remove(self, bot_id: str, log: str, connection_id: str, deadline_ns: int | None = None) -> None:
        """A socket that is gone. No condition: its id is no other's, ever."""
        for partition, sort in (
            (keys.connections_partition(bot_id, log), connection_id),
            (keys.connection_partition(connection_id), keys.CONNECTION_SORT),
        ):
            key = {"pk": {"S": partition}, "sk": {"S": sort}}
            self._client.call("delete_item", deadline_ns, TableName=self._table, Key=key)

    def end(self, connection_id: str) -> None:
        """A socket that has ended, by its id alone."""
        key = {"pk": {"S": keys.connection_partition(connection_id)}, "sk": {"S": keys.CONNECTION_SORT}}
        item = self._client.call("get_item", None, TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        if item is not None:
            self.remove(item["bot"]["S"], item["log"]["S"], connection_id)


class SocketPost:
    """The port Post, on API Gateway's @connections of one stage."""

    def __init__(self, endpoint: str, client: BoundedClient | None = None) -> None:
        self._client = client or BoundedClient("apigatewaymanagementapi", endpoint)

    def __call__(self, connection_id: str, frame: bytes, deadline_ns: int | None = None) -> bool:
        try:
            self._client.call("post_to_connection", deadline_ns, ConnectionId=connection_id, Data=frame)
        except ClientError as exc:
            refusal: Any = exc.response["Error"]["Code"]
            if refusal == "GoneException":
                return False
            raise Unavailable("a socket takes nothing", code=refusal) from exc
        return True
