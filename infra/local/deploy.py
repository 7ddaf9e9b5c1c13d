"""Makes a template's resources on the embedded AWS, and works out functions, routes and outputs.

Tables, buckets, queues, topics and subscriptions are created, or left as they are when they exist (a restart); queues
get the attributes that the template has now. Functions, their roles and permissions, layers, alarms, log groups, the
HTTP API, mappings of queues and streams, and schedules are read, not created. Any other type of resource or event
source is an error in one line: a template never half runs.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.local.embedded import ACCOUNT
from infra.local.endpoints import Endpoints
from infra.local.pollers import schedules
from infra.local.pollers.mappings import (
    MAX_STREAM_READERS,
    QueueMapping,
    QueueOptions,
    StreamMapping,
    StreamOptions,
    on_failure,
)
from infra.local.pollers.schedules import Schedule
from infra.local.template import STACK_NAME, Resolver, Template
from infra.local.websocket.api import RESOURCES as OF_SOCKETS
from infra.local.websocket.api import ApiReader, SocketApi
from shared.errors import InvalidInput

MAX_INTEGRATION_SECONDS: Final = 30.0
"""HTTP APIs: an integration has at most 30 s."""
DEFAULT_TIMEOUT_SECONDS: Final = 3
DEFAULT_MEMORY_MEGABYTES: Final = 128
"""AWS::Lambda::Function: defaults of Timeout and MemorySize."""

READ_ONLY: Final = frozenset(
    {
        "AWS::ApiGatewayV2::Api",
        "AWS::ApiGatewayV2::Stage",
        "AWS::CloudWatch::Alarm",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }
    | OF_SOCKETS
)
"""Types that need nothing made: they are read here, or say who may do what, which is not enforced locally."""
MAPPING: Final = "AWS::Lambda::EventSourceMapping"
"""Run when its source is a queue, or the stream of a table, of the template."""
SCHEDULES: Final = frozenset({"AWS::Events::Rule", "AWS::Scheduler::Schedule"})
NOT_YET_RUN: Final = frozenset({"AWS::Lambda::EventInvokeConfig"})

_QUEUE_DEFAULTS: Final = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "DelaySeconds": "0",
    "FifoThroughputLimit": "perQueue",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
"""What a queue has when the template says nothing (any more)."""
_ARN_SERVICES: Final = {"AWS::S3::Bucket": "s3", "AWS::SNS::Topic": "sns", "AWS::SQS::Queue": "sqs"}
_NOT_LOOKED_AT: Final = frozenset({"DeadLetterConfig", "RetryPolicy", "RoleArn"})
"""Of a schedule's target: who may call, and what becomes of calls that Lambda does not accept."""
_KEY_ATTRIBUTES: Final = frozenset({"KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId"})
_FIFO_ATTRIBUTES: Final = frozenset({"ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"})
_TABLE_PROPERTIES: Final = (
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
    "StreamSpecification",
)


@dataclass(frozen=True)
class Function:
    """A Lambda function: where its code lies and how it is run."""

    logical_id: str
    name: str
    arn: str
    code: Path
    handler: str
    timeout_seconds: float
    memory_megabytes: int
    environment: Mapping[str, str]
    max_concurrency: int | None = None


@dataclass(frozen=True)
class Route:
    """One route of the HTTP API. `method` is upper case, or ANY; `path` is as the template writes it, or $default."""

    method: str
    path: str
    function: str
    timeout_seconds: float

    @property
    def key(self) -> str:
        """The routeKey of its events."""
        return self.path if self.path == "$default" else f"{self.method} {self.path}"


@dataclass
class Deployment:
    functions: dict[str, Function] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    queue_mappings: list[QueueMapping] = field(default_factory=list)
    stream_mappings: list[StreamMapping] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    socket_api: SocketApi | None = None


def deploy(template: Template, endpoints: Endpoints, http_url: str, socket_url: str) -> Deployment:
    """Makes what the template asks for. `http_url` and `socket_url` are where the HTTP API and the WebSocket API will
    listen. Raises InvalidInput."""
    return _Deployer(template, endpoints, http_url, socket_url).run()


class _Deployer:
    def __init__(self, template: Template, endpoints: Endpoints, http_url: str, socket_url: str) -> None:
        self._template = template
        self._endpoints = endpoints
        self._http_url = http_url
        self._socket_url = socket_url
        self._resolver = Resolver(template, self._reference, self._attribute, endpoints.region)
        self._attributes: dict[str, dict[str, str]] = {}
        self._under_way: list[str] = []
        self._deployment = Deployment()
        self._makers: dict[str, Callable[[str, dict[str, Any]], dict[str, str]]] = {
            "AWS::DynamoDB::Table": self._table,
            "AWS::S3::Bucket": self._bucket,
            "AWS::SNS::Subscription": self._subscription,
            "AWS::SNS::Topic": self._topic,
            "AWS::SQS::Queue": self._queue,
        }

    def run(self) -> Deployment:
        wanted = [name for name, resource in self._template.resources.items() if self._is_wanted(resource)]
        for name in wanted:
            self._check_type(name)
        self._check_readers(wanted)
        for name in wanted:
            if self._type(name) in self._makers:
                self._made(name)
        for name in wanted:
            if self._type(name) == "AWS::Lambda::Function":
                self._deployment.functions[name] = self._function(name)
        for name in wanted:
            self._read(name)
        for name, output in self._template.outputs.items():
            if self._is_wanted(output):
                self._deployment.outputs[name] = self._localise(self._resolver.value(output["Value"]))
        return self._deployment

    def _read(self, name: str) -> None:
        """What calls functions."""
        kind = self._type(name)
        if kind == "AWS::ApiGatewayV2::Api" and self._is_of_sockets(name):
            self._deployment.socket_api = self._socket_api(name)
        elif kind == "AWS::ApiGatewayV2::Api":
            self._deployment.routes += self._routes(name)
        elif kind == "AWS::ApiGatewayV2::Stage":
            self._check_stage(name)
        elif kind == MAPPING and self._source_table(name):
            self._deployment.stream_mappings.append(self._stream_mapping(name))
        elif kind == MAPPING:
            self._deployment.queue_mappings.append(self._queue_mapping(name))
        elif kind in SCHEDULES:
            self._deployment.schedules.append(self._schedule(name))

    def _type(self, name: str) -> str:
        return str(self._template.resources[name]["Type"])

    def _is_wanted(self, entry: dict[str, Any]) -> bool:
        return "Condition" not in entry or self._resolver.condition(entry["Condition"])

    def _refuse(self, name: str, reason: str) -> InvalidInput:
        kind = self._template.resources[name]["Type"]
        return InvalidInput(f"{self._template.path}: {name} ({kind}): {reason}")

    def _check_type(self, name: str) -> None:
        kind = self._type(name)
        if kind in NOT_YET_RUN:
            raise self._not_yet_run(name)
        if kind == MAPPING and self._source_table(name):
            self._stream_options(name)
        elif kind == MAPPING:
            self._queue_options(name)
        elif kind in SCHEDULES:
            self._schedule(name)
        elif kind not in READ_ONLY and kind not in self._makers:
            raise self._refuse(name, "unknown to the local cloud; remove it, or teach infra/local/deploy.py to make it")

    def _not_yet_run(self, name: str) -> InvalidInput:
        return self._refuse(name, f"not yet run by the local cloud; {self._target_of(name)} would never be called")

    def _target_of(self, name: str) -> str:
        """The function that an event source would call: the one that its properties mention."""
        properties = json.dumps(self._template.resources[name].get("Properties", {}), default=str)
        functions = [other for other, resource in self._template.resources.items() if "Function" in resource["Type"]]
        return next((function for function in functions if f'"{function}"' in properties), "its function")

    def _properties(self, name: str) -> dict[str, Any]:
        properties = self._resolver.value(self._template.resources[name].get("Properties") or {})
        return dict(properties)

    def _made(self, name: str) -> dict[str, str]:
        """The attributes of a resource, made first if it is not yet: Ref is the one called "Ref"."""
        if name not in self._template.resources:
            raise InvalidInput(f"{self._template.path}: there is no parameter or resource {name}")
        if name in self._under_way:
            raise self._refuse(name, f"refers to itself: {' -> '.join([*self._under_way, name])}")
        if name not in self._attributes:
            self._under_way.append(name)
            make = self._makers.get(self._type(name))
            self._attributes[name] = make(name, self._properties(name)) if make else self._described(name)
            self._under_way.pop()
        return self._attributes[name]

    def _reference(self, name: str) -> str:
        return self._made(name)["Ref"]

    def _attribute(self, name: str, attribute: str) -> str:
        attributes = self._made(name)
        if attribute not in attributes:
            raise self._refuse(name, f"its attribute {attribute} is unknown to the local cloud")
        return attributes[attribute]

    def _described(self, name: str) -> dict[str, str]:
        kind = self._type(name)
        if kind == "AWS::Lambda::Function":
            physical = self._physical_name(name, "FunctionName")
            return {"Ref": physical, "Arn": self._arn("lambda", f"function:{physical}")}
        if kind == "AWS::ApiGatewayV2::Api":
            url = self._socket_url if self._is_of_sockets(name) else self._http_url
            return {"Ref": _api_id(name), "ApiId": _api_id(name), "ApiEndpoint": url}
        if kind in OF_SOCKETS:
            return {"Ref": name, "AuthorizerId": name, "RouteId": name}
        if kind == "AWS::IAM::Role":
            return {"Ref": f"{STACK_NAME}-{name}", "Arn": f"arn:aws:iam::{ACCOUNT}:role/{STACK_NAME}-{name}"}
        if kind == "AWS::Logs::LogGroup":
            physical = self._physical_name(name, "LogGroupName")
            return {"Ref": physical, "Arn": self._arn("logs", f"log-group:{physical}:*")}
        if kind == "AWS::Events::Rule":
            physical = self._physical_name(name, "Name")
            return {"Ref": physical, "Arn": self._arn("events", f"rule/{physical}")}
        if kind == "AWS::Scheduler::Schedule":
            physical = self._physical_name(name, "Name")
            group = self._resolver.value((self._template.resources[name].get("Properties") or {}).get("GroupName"))
            return {"Ref": physical, "Arn": self._arn("scheduler", f"schedule/{group or 'default'}/{physical}")}
        return {"Ref": f"{STACK_NAME}-{name}"}

    def _physical_name(self, name: str, property_name: str) -> str:
        given = (self._template.resources[name].get("Properties") or {}).get(property_name)
        return f"{STACK_NAME}-{name}" if given is None else str(self._resolver.value(given))

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self._endpoints.region}:{ACCOUNT}:{resource}"

    def _localise(self, value: Any) -> str:
        """The APIs' URLs on AWS, as a template spells them out, are the gateway's here; https of the WebSocket API is
        where live connections are reached."""
        text = str(value)
        for name, resource in self._template.resources.items():
            if resource["Type"] == "AWS::ApiGatewayV2::Api":
                host = f"{_api_id(name)}.execute-api.{self._endpoints.region}.amazonaws.com"
                if self._is_of_sockets(name):
                    text = text.replace(f"wss://{host}", self._socket_url)
                    text = text.replace(f"https://{host}", self._endpoints.lambda_endpoint)
                else:
                    text = text.replace(f"https://{host}", self._http_url)
        return text

    def _table(self, name: str, properties: dict[str, Any]) -> dict[str, str]:
        dynamodb = self._endpoints.client("dynamodb")
        table_name = properties.get("TableName", f"{STACK_NAME}-{name}")
        wanted: dict[str, Any] = {key: properties[key] for key in _TABLE_PROPERTIES if key in properties}
        if "StreamSpecification" in wanted:
            wanted["StreamSpecification"] = {**wanted["StreamSpecification"], "StreamEnabled": True}
        try:
            table = dynamodb.create_table(TableName=table_name, **wanted)["TableDescription"]
        except dynamodb.exceptions.ResourceInUseException:
            table = self._existing_table(name, dynamodb, table_name, wanted)
        dynamodb.get_waiter("table_exists").wait(TableName=table_name, WaiterConfig={"Delay": 1})
        expiry = properties.get("TimeToLiveSpecification")
        if expiry is not None:
            known = dynamodb.describe_time_to_live(TableName=table_name)["TimeToLiveDescription"]
            if known.get("AttributeName") != expiry["AttributeName"]:
                dynamodb.update_time_to_live(TableName=table_name, TimeToLiveSpecification=expiry)
        attributes = {"Ref": table_name, "Arn": table["TableArn"]}
        if table.get("LatestStreamArn"):
            attributes["StreamArn"] = table["LatestStreamArn"]
        return attributes

    def _existing_table(self, name: str, dynamodb: Any, table_name: str, wanted: dict[str, Any]) -> dict[str, Any]:
        """A table of an earlier start: new indexes and a new stream are added, other keys are refused."""
        table: dict[str, Any] = dynamodb.describe_table(TableName=table_name)["Table"]
        types = {entry["AttributeName"]: entry["AttributeType"] for entry in table["AttributeDefinitions"]}
        wanted_types = {entry["AttributeName"]: entry["AttributeType"] for entry in wanted["AttributeDefinitions"]}
        indexes = {index["IndexName"]: index["KeySchema"] for index in table.get("GlobalSecondaryIndexes") or ()}
        added = []
        for index in wanted.get("GlobalSecondaryIndexes") or ():
            if index["IndexName"] not in indexes:
                added.append({"Create": {key: index[key] for key in ("IndexName", "KeySchema", "Projection")}})
            elif indexes[index["IndexName"]] != index["KeySchema"]:
                raise self._refuse(name, f"{index['IndexName']} has other keys than in the state kept so far")
        changed = any(wanted_types.get(attribute, kind) != kind for attribute, kind in types.items())
        if table["KeySchema"] != wanted["KeySchema"] or changed:
            raise self._refuse(name, "has other keys than in the state kept so far: remove the state to start empty")
        if added:
            dynamodb.update_table(
                TableName=table_name,
                AttributeDefinitions=wanted["AttributeDefinitions"],
                GlobalSecondaryIndexUpdates=added,
            )
        stream = wanted.get("StreamSpecification", {"StreamEnabled": False})
        known = table.get("StreamSpecification", {"StreamEnabled": False})
        if stream != known and known["StreamEnabled"]:
            # As CloudFormation does it: another kind of stream is another stream.
            dynamodb.update_table(TableName=table_name, StreamSpecification={"StreamEnabled": False})
            dynamodb.get_waiter("table_exists").wait(TableName=table_name, WaiterConfig={"Delay": 1})
        if stream != known and stream["StreamEnabled"]:
            dynamodb.update_table(TableName=table_name, StreamSpecification=stream)
        described: dict[str, Any] = dynamodb.describe_table(TableName=table_name)["Table"]
        return described

    def _bucket(self, name: str, properties: dict[str, Any]) -> dict[str, str]:
        if "NotificationConfiguration" in properties:
            raise self._refuse(name, "its notifications are not yet run by the local cloud")
        s3 = self._endpoints.client("s3")
        # Bucket names share one namespace with the whole world, so they carry the account as on AWS.
        bucket = properties.get("BucketName", f"{STACK_NAME}-{name}-{ACCOUNT}".lower())
        if bucket not in {entry["Name"] for entry in s3.list_buckets()["Buckets"]}:
            where = {} if self._endpoints.region == "us-east-1" else {"LocationConstraint": self._endpoints.region}
            s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": where} if where else {}))
        if "VersioningConfiguration" in properties:
            s3.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": properties["VersioningConfiguration"]["Status"]}
            )
        if "CorsConfiguration" in properties:
            rules = properties["CorsConfiguration"]["CorsRules"]
            s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [_cors_rule(rule) for rule in rules]})
        return {
            "Ref": bucket,
            "Arn": f"arn:aws:s3:::{bucket}",
            "DomainName": f"{bucket}.s3.amazonaws.com",
            "RegionalDomainName": f"{bucket}.s3.{self._endpoints.region}.amazonaws.com",
        }

    def _queue(self, name: str, properties: dict[str, Any]) -> dict[str, str]:
        sqs = self._endpoints.client("sqs")
        is_fifo = _attribute_text(properties.pop("FifoQueue", False)) == "true"
        queue = properties.pop("QueueName", f"{STACK_NAME}-{name}{'.fifo' if is_fifo else ''}")
        properties.pop("Tags", None)
        unknown = sorted(set(properties) - set(_QUEUE_DEFAULTS) - _KEY_ATTRIBUTES)
        if unknown:
            raise self._refuse(name, f"{', '.join(unknown)}: unknown to the local cloud")
        given = {key: _attribute_text(value) for key, value in properties.items()}
        try:
            try:
                url = str(sqs.get_queue_url(QueueName=queue)["QueueUrl"])
            except sqs.exceptions.QueueDoesNotExist:
                created = {**given, "FifoQueue": "true"} if is_fifo else given
                url = str(sqs.create_queue(QueueName=queue, Attributes=created)["QueueUrl"])
            else:
                known = {key: value for key, value in _QUEUE_DEFAULTS.items() if is_fifo or key not in _FIFO_ATTRIBUTES}
                sqs.set_queue_attributes(QueueUrl=url, Attributes={**known, **given})
        except ClientError as error:
            raise self._refuse(name, str(error.response["Error"]["Message"])) from error
        return {"Ref": url, "QueueUrl": url, "QueueName": queue, "Arn": self._arn("sqs", queue)}

    def _source(self, name: str, attribute: str, kind: str) -> str:
        """The resource of this template whose attribute a mapping names, or ""; found without making it."""
        source = (self._template.resources[name].get("Properties") or {}).get("EventSourceArn")
        place = source.get("Fn::GetAtt", "") if isinstance(source, dict) else ""
        resource, _, named = (place if isinstance(place, str) else ".".join(place)).partition(".")
        found = (self._template.resources.get(resource) or {}).get("Type")
        return str(resource) if named == attribute and found == kind else ""

    def _source_queue(self, name: str) -> str:
        queue = self._source(name, "Arn", "AWS::SQS::Queue")
        if not queue:
            raise self._not_yet_run(name)
        return queue

    def _source_table(self, name: str) -> str:
        return self._source(name, "StreamArn", "AWS::DynamoDB::Table")

    def _mapped_function(self, name: str) -> str:
        return self._function_of(name, self._template.resources[name]["Properties"]["FunctionName"])

    def _function_of(self, name: str, source: Any) -> str:
        value = self._resolver.value(source)
        for other, resource in self._template.resources.items():
            if resource["Type"] == "AWS::Lambda::Function" and value in self._described(other).values():
                return other
        raise self._refuse(name, f"{value} is no function of this template")

    def _check_readers(self, wanted: list[str]) -> None:
        """Before anything is made, as the options are."""
        readers: dict[str, list[str]] = {}
        for name in wanted:
            table = self._source_table(name) if self._type(name) == MAPPING else ""
            if table and self._stream_options(name).enabled:
                readers.setdefault(table, []).append(name)
        for table, names in readers.items():
            if len(names) > MAX_STREAM_READERS:
                others = " and ".join(names[:MAX_STREAM_READERS])
                raise self._refuse(
                    names[MAX_STREAM_READERS],
                    f"the stream of {table} is read by {others}: AWS throttles more than two readers",
                )

    def _stream_options(self, name: str) -> StreamOptions:
        """Checked before anything is made, as those of queues are."""
        table = self._source_table(name)
        self._mapped_function(name)
        if not (self._template.resources[table].get("Properties") or {}).get("StreamSpecification"):
            raise self._refuse(name, f"{table} has no stream: give it a StreamSpecification")
        properties = dict(self._template.resources[name]["Properties"])
        properties["EventSourceArn"] = table
        destination = properties.pop("DestinationConfig", None)
        if destination is not None:
            properties["DestinationConfig"] = self._unmade(destination)
        try:
            return StreamOptions.parse(self._resolver.value(properties))
        except InvalidInput as error:
            raise self._refuse(name, str(error)) from None

    def _unmade(self, source: Any) -> Any:
        """A part of a mapping with the ARNs that its resources will have, so that none is made to check it."""
        if isinstance(source, list):
            return [self._unmade(member) for member in source]
        if not isinstance(source, dict):
            return source
        for function in ("Ref", "Fn::GetAtt"):
            if set(source) == {function}:
                place = source[function]
                resource = (place if isinstance(place, str) else str(place[0])).partition(".")[0]
                properties = (self._template.resources.get(resource) or {}).get("Properties") or {}
                service = _ARN_SERVICES.get((self._template.resources.get(resource) or {}).get("Type", ""))
                if service is not None:
                    is_fifo = properties.get("FifoQueue") or properties.get("FifoTopic")
                    return f"arn:aws:{service}:::{resource}{'.fifo' if is_fifo else ''}"
        return {key: self._unmade(value) for key, value in source.items()}

    def _stream_mapping(self, name: str) -> StreamMapping:
        function = self._mapped_function(name)
        checked = self._stream_options(name)
        destination = self._resolver.value(self._template.resources[name]["Properties"].get("DestinationConfig"))
        return StreamMapping(
            name=name,
            function=function,
            function_arn=self._described(function)["Arn"],
            stream_arn=self._attribute(self._source_table(name), "StreamArn"),
            options=replace(checked, on_failure=on_failure(destination)),
        )

    def _schedule(self, name: str) -> Schedule:
        """Of a rule or a schedule. Nothing needs to be made for it."""
        properties = dict(self._template.resources[name].get("Properties") or {})
        is_rule = self._type(name) == "AWS::Events::Rule"
        if is_rule and not properties.get("ScheduleExpression"):
            raise self._refuse(
                name, f"rules without a ScheduleExpression are not run; {self._target_of(name)} would never be called"
            )
        # Rights and dead letters are nobody's business here, and would only have to be made.
        target = properties.get("Target")
        if isinstance(target, dict):
            properties["Target"] = {key: value for key, value in target.items() if key not in _NOT_LOOKED_AT}
        if isinstance(properties.get("Targets"), list):
            properties["Targets"] = [
                {key: value for key, value in entry.items() if key not in _NOT_LOOKED_AT}
                for entry in properties["Targets"]
            ]
        try:
            resolved = dict(self._resolver.value(properties))
            arn = (schedules.rule_target if is_rule else schedules.schedule_target)(resolved)
            make = schedules.rule if is_rule else schedules.schedule
            return make(name, self._function_of(name, arn), self._described(name)["Arn"], resolved)
        except InvalidInput as error:
            raise error if str(self._template.path) in str(error) else self._refuse(name, str(error)) from None

    def _queue_options(self, name: str) -> QueueOptions:
        """Checked before anything is made, so that a template never half runs."""
        queue, function = self._source_queue(name), self._mapped_function(name)
        properties = dict(self._template.resources[name]["Properties"])
        properties["EventSourceArn"] = queue
        queue_properties = self._template.resources[queue].get("Properties") or {}
        visibility = float(self._resolver.value(queue_properties.get("VisibilityTimeout", 30)))
        function_properties = self._template.resources[function]["Properties"]
        timeout = float(self._resolver.value(function_properties.get("Timeout", DEFAULT_TIMEOUT_SECONDS)))
        try:
            options = QueueOptions.parse(
                self._resolver.value(properties), is_fifo=bool(self._resolver.value(queue_properties.get("FifoQueue")))
            )
        except InvalidInput as error:
            raise self._refuse(name, str(error)) from None
        if visibility < timeout:
            raise self._refuse(
                name,
                f"the visibility time-out of {queue}, {visibility:g} s, is less than the {timeout:g} s of {function}",
            )
        return options

    def _queue_mapping(self, name: str) -> QueueMapping:
        queue = self._made(self._source_queue(name))
        return QueueMapping(name, self._mapped_function(name), queue["Arn"], queue["Ref"], self._queue_options(name))

    def _topic(self, name: str, properties: dict[str, Any]) -> dict[str, str]:
        sns = self._endpoints.client("sns")
        suffix = ".fifo" if properties.get("FifoTopic") else ""
        topic = properties.pop("TopicName", f"{STACK_NAME}-{name}{suffix}")
        subscriptions = properties.pop("Subscription", ())
        properties.pop("Tags", None)
        attributes = {key: _attribute_text(value) for key, value in properties.items()}
        arn = str(sns.create_topic(Name=topic, Attributes=attributes)["TopicArn"])
        for subscription in subscriptions:
            self._subscription(name, {**subscription, "TopicArn": arn})
        return {"Ref": arn, "TopicArn": arn, "TopicName": topic}

    def _subscription(self, name: str, properties: dict[str, Any]) -> dict[str, str]:
        if properties["Protocol"] == "lambda":
            raise self._refuse(name, "subscriptions of functions are not yet run by the local cloud")
        attributes = {
            key: _attribute_text(properties[key])
            for key in ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
            if key in properties
        }
        subscription = self._endpoints.client("sns").subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties["Endpoint"],
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )
        return {"Ref": subscription["SubscriptionArn"], "Arn": subscription["SubscriptionArn"]}

    def _function(self, name: str) -> Function:
        properties = self._properties(name)
        if name not in self._template.code:
            raise self._refuse(name, "only functions of type AWS::Serverless::Function are run by the local cloud")
        if not str(properties.get("Runtime", "")).startswith("python"):
            raise self._refuse(name, f"the local cloud runs Python, not {properties.get('Runtime')}")
        variables = (properties.get("Environment") or {}).get("Variables") or {}
        described = self._made(name)
        return Function(
            logical_id=name,
            name=described["Ref"],
            arn=described["Arn"],
            code=self._template.code[name],
            handler=properties["Handler"],
            timeout_seconds=float(properties.get("Timeout", DEFAULT_TIMEOUT_SECONDS)),
            memory_megabytes=int(properties.get("MemorySize", DEFAULT_MEMORY_MEGABYTES)),
            environment={key: self._localise(_variable_text(value)) for key, value in variables.items()},
            max_concurrency=properties.get("ReservedConcurrentExecutions"),
        )

    def _routes(self, name: str) -> list[Route]:
        properties = self._properties(name)
        body = properties.get("Body") or {}
        if "CorsConfiguration" in properties or "x-amazon-apigateway-cors" in body:
            raise self._refuse(name, "CORS of the HTTP API is not yet run by the local cloud")
        by_arn = {function.arn: function.logical_id for function in self._deployment.functions.values()}
        return [
            self._route(name, method, path, operation, by_arn)
            for path, operations in (body.get("paths") or {}).items()
            for method, operation in operations.items()
        ]

    def _route(self, name: str, method: str, path: str, operation: dict[str, Any], by_arn: dict[str, str]) -> Route:
        place = f"route {method.upper()} {path}"
        if operation.get("security"):
            raise self._refuse(name, f"{place}: authorizers are not yet run by the local cloud")
        integration = operation["x-amazon-apigateway-integration"]
        if integration.get("payloadFormatVersion") != "2.0":
            raise self._refuse(name, f"{place}: only payload format 2.0 is run by the local cloud")
        function_arn = str(integration["uri"]).rpartition("/functions/")[2].removesuffix("/invocations")
        if function_arn not in by_arn:
            raise self._refuse(name, f"{place}: does not lead to a function of this template")
        any_method = method == "x-amazon-apigateway-any-method"
        milliseconds = integration.get("timeoutInMillis", MAX_INTEGRATION_SECONDS * 1000)
        return Route(
            method="ANY" if any_method else method.upper(),
            path="$default" if path in {"$default", "/$default"} else path,
            function=by_arn[function_arn],
            timeout_seconds=min(float(milliseconds) / 1000, MAX_INTEGRATION_SECONDS),
        )

    def _is_of_sockets(self, name: str) -> bool:
        properties = self._template.resources[name].get("Properties") or {}
        return bool(properties.get("ProtocolType") == "WEBSOCKET")

    def _socket_api(self, name: str) -> SocketApi:
        if self._deployment.socket_api is not None:
            raise self._refuse(name, f"one WebSocket API is run, and {self._deployment.socket_api.name} is it")
        kinds = {"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"} | OF_SOCKETS
        resources = {
            other: (resource["Type"], self._properties(other))
            for other, resource in self._template.resources.items()
            if resource["Type"] in kinds and self._is_wanted(resource)
        }
        by_arn = {function.arn: function.logical_id for function in self._deployment.functions.values()}
        try:
            api = ApiReader(name, resources, by_arn).read()
        except InvalidInput as error:
            raise self._refuse(name, str(error)) from None
        return replace(api, variables={key: self._localise(value) for key, value in api.variables.items()})

    def _check_stage(self, name: str) -> None:
        properties = self._properties(name)
        stage = properties.get("StageName")
        api_of_stage = next(
            (other for other in self._template.resources if _api_id(other) == properties["ApiId"]), None
        )
        if api_of_stage is not None and self._is_of_sockets(api_of_stage):
            return
        if stage != "$default":
            raise self._refuse(name, f"only the stage $default is run by the local cloud, not {stage}")


def _api_id(name: str) -> str:
    return name.lower()


def _attribute_text(value: Any) -> str:
    """An SQS or SNS attribute: text, whatever CloudFormation calls it."""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _variable_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cors_rule(rule: dict[str, Any]) -> dict[str, Any]:
    names = {"MaxAge": "MaxAgeSeconds", "ExposedHeaders": "ExposeHeaders", "Id": "ID"}
    return {names.get(key, key): value for key, value in rule.items()}
