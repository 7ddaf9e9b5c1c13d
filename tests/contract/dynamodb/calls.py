"""Short ways to say what a check does, on one table with a range key, an index and a stream."""

from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError


def text(value: str) -> dict[str, str]:
    return {"S": value}


def number(value: object) -> dict[str, str]:
    return {"N": str(value)}


@dataclass(frozen=True)
class Table:
    client: Any
    streams: Any
    name: str
    partition: str = "default"
    stream_start: tuple[str, ...] = ()

    @classmethod
    def create(cls, client: Any, streams: Any, name: str) -> "Table":
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
                {"AttributeName": "gpk", "AttributeType": "S"},
                {"AttributeName": "gsk", "AttributeType": "N"},
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "index",
                    "KeySchema": [
                        {"AttributeName": "gpk", "KeyType": "HASH"},
                        {"AttributeName": "gsk", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        client.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
        )
        return cls(client, streams, name)

    def in_partition(self, partition: str) -> "Table":
        """The same table, writing to a partition of its own and reading the stream from here on."""
        arn = self.client.describe_table(TableName=self.name)["Table"]["LatestStreamArn"]
        shards = self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        start = tuple(
            self.streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST")[
                "ShardIterator"
            ]
            for shard in shards
        )
        return replace(self, partition=partition, stream_start=start)

    def with_stream(self, view: str) -> "Table":
        """The same table with a new stream of a view, in the place of the one that it has."""
        for specification in ({"StreamEnabled": False}, {"StreamEnabled": True, "StreamViewType": view}):
            self.client.update_table(TableName=self.name, StreamSpecification=specification)
            self.client.get_waiter("table_exists").wait(TableName=self.name, WaiterConfig={"Delay": 1})
        return self.in_partition(self.partition)

    def with_client(self, client: Any) -> "Table":
        return replace(self, client=client)

    def key(self, sort: str = "1") -> dict[str, Any]:
        return {"pk": text(self.partition), "sk": text(sort)}

    def put(self, sort: str = "1", attributes: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        return self.client.put_item(TableName=self.name, Item={**self.key(sort), **(attributes or {})}, **options)

    def get(self, sort: str = "1", **options: Any) -> dict[str, Any] | None:
        """The item without its key; None when there is none."""
        item = self.client.get_item(TableName=self.name, Key=self.key(sort), ConsistentRead=True, **options).get("Item")
        return None if item is None else {name: value for name, value in item.items() if name not in {"pk", "sk"}}

    def delete(self, sort: str = "1", **options: Any) -> dict[str, Any]:
        return self.client.delete_item(TableName=self.name, Key=self.key(sort), **options)

    def update(
        self,
        expression: str,
        values: dict[str, Any] | None = None,
        names: dict[str, str] | None = None,
        sort: str = "1",
        **options: Any,
    ) -> dict[str, Any]:
        if values is not None:
            options["ExpressionAttributeValues"] = values
        if names is not None:
            options["ExpressionAttributeNames"] = names
        return self.client.update_item(TableName=self.name, Key=self.key(sort), UpdateExpression=expression, **options)

    def query(self, condition: str = "pk = :pk", values: dict[str, Any] | None = None, **options: Any) -> Any:
        return self.client.query(
            TableName=self.name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues={":pk": text(self.partition), **(values or {})},
            **options,
        )

    def holds(self, condition: str, values: dict[str, Any] | None = None, names: dict[str, str] | None = None) -> bool:
        """Whether a condition holds for item "1", asked by a write that it guards."""
        options: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
        literals = {":touched": number(1), **(values or {})}
        try:
            self.update("SET touched = :touched", literals, ConditionExpression=condition, **options)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def put_operation(self, sort: str, attributes: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        return {"Put": {"TableName": self.name, "Item": {**self.key(sort), **(attributes or {})}, **options}}

    def update_operation(self, sort: str, expression: str, values: dict[str, Any], **options: Any) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self.name,
                "Key": self.key(sort),
                "UpdateExpression": expression,
                "ExpressionAttributeValues": values,
                **options,
            }
        }

    def delete_operation(self, sort: str) -> dict[str, Any]:
        return {"Delete": {"TableName": self.name, "Key": self.key(sort)}}

    def check_operation(self, sort: str, condition: str) -> dict[str, Any]:
        return {"ConditionCheck": {"TableName": self.name, "Key": self.key(sort), "ConditionExpression": condition}}

    def transact(self, *operations: dict[str, Any], **options: Any) -> dict[str, Any]:
        return self.client.transact_write_items(TransactItems=list(operations), **options)

    def transact_get(self, *sorts: str) -> list[dict[str, Any]]:
        gets = [{"Get": {"TableName": self.name, "Key": self.key(sort)}} for sort in sorts]
        return self.client.transact_get_items(TransactItems=gets)["Responses"]

    def batch_put(self, *sorts: str) -> dict[str, Any]:
        requests = [{"PutRequest": {"Item": self.key(sort)}} for sort in sorts]
        return self.client.batch_write_item(RequestItems={self.name: requests})

    def batch_get(self, *sorts: str) -> dict[str, Any]:
        keys = [self.key(sort) for sort in sorts]
        return self.client.batch_get_item(RequestItems={self.name: {"Keys": keys}})

    def stream_records(self) -> list[dict[str, Any]]:
        """The records of this partition since `in_partition`, oldest first."""
        found = []
        for start in self.stream_start:
            iterator: str | None = start
            while iterator:
                page = self.streams.get_records(ShardIterator=iterator, Limit=1000)
                found += page["Records"]
                iterator = page.get("NextShardIterator") if page["Records"] else None
        return [record for record in found if record["dynamodb"]["Keys"]["pk"]["S"] == self.partition]

    def stream_events(self) -> list[str]:
        return [record["eventName"] for record in self.stream_records()]
