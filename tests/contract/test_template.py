"""Rules that every resource of template.yaml keeps: least privilege, logs that end, alarms, keys of the tables."""

import ast
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.shared.constants import LAMBDA_ADVANCED_LOGGING_LEVELS
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from infra.check_layer import kept_services
from shared.net.deliveries import TIMEOUT_SECONDS
from shared.services.relay import PATIENCE_SECONDS
from shared.storage import uploads
from shared.storage.keys import TURN_PREFIX

ROOT = Path(__file__).parents[2]
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
RESOURCES = TEMPLATE["Resources"]
GLOBALS = TEMPLATE["Globals"]["Function"]


def of_type(kind):
    return {name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
FOLDERS = {path.name for path in (ROOT / "functions").iterdir() if path.is_dir() and path.name != "__pycache__"}
WALKS_FLOWS = ("kakao_skill", "flow_step", "effect_worker", "web_session")
SCRIPT_FUNCTION = "MALGIL_SCRIPT_FUNCTION"
each_function = pytest.mark.parametrize("name", sorted(FUNCTIONS))


def folder_of(name):
    return Path(FUNCTIONS[name]["CodeUri"]).name


def listed(value):
    return value if isinstance(value, list) else [value]


def statements(name):
    """What a function may do: its own policies and the template's that it refers to."""
    policies = [
        RESOURCES[policy["Ref"]]["Properties"]["PolicyDocument"] if "Ref" in policy else policy
        for policy in FUNCTIONS[name].get("Policies", [])
    ]
    return [unconditional(statement) for policy in policies for statement in policy["Statement"]]


def unconditional(statement):
    """A statement that only stands under a condition, as it is then."""
    if "Fn::If" not in statement:
        return statement
    _, then, otherwise = statement["Fn::If"]
    assert otherwise == {"Ref": "AWS::NoValue"}
    return then


def carries_out_effects(name):
    return {"Ref": "CarryOutEffectsPolicy"} in FUNCTIONS[name].get("Policies", [])


def actions_of(name):
    return {action for statement in statements(name) for action in listed(statement["Action"])}


def environment(name):
    own = FUNCTIONS[name].get("Environment", {}).get("Variables", {})
    return {**GLOBALS["Environment"]["Variables"], **own}


def alarms_on(dimension, value):
    wanted = {"Name": dimension, "Value": value}
    for properties in of_type("AWS::CloudWatch::Alarm").values():
        metrics = [properties, *(m["MetricStat"]["Metric"] for m in properties.get("Metrics", []) if "MetricStat" in m)]
        for metric in metrics:
            if wanted in metric.get("Dimensions", []):
                yield metric["Namespace"], metric["MetricName"]


def settings_read_by_the_code() -> Iterator[str]:
    for folder in ("shared", "functions"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield from re.findall(r"^MALGIL_[A-Z_]+$", node.value)


def test_each_function_folder_has_exactly_one_resource_and_the_reverse():
    assert sorted(folder_of(name) for name in FUNCTIONS) == sorted(FOLDERS)


@each_function
def test_a_function_resource_is_named_after_its_folder(name):
    assert name == folder_of(name).replace("_", " ").title().replace(" ", "") + "Function"
    assert FUNCTIONS[name]["CodeUri"] == f"functions/{folder_of(name)}/"


def test_functions_run_python_313_on_the_chosen_architecture_with_both_layers():
    assert GLOBALS["Runtime"] == "python3.13"
    assert GLOBALS["Architectures"] == [{"Ref": "Architecture"}]
    assert GLOBALS["Handler"] == "app.handler"
    assert GLOBALS["Layers"] == [{"Ref": "DepsLayer"}, {"Ref": "SharedLayer"}]
    overridden = {key for properties in FUNCTIONS.values() for key in properties}
    assert not overridden & {"Runtime", "Architectures", "Handler", "Role"}


def test_only_the_script_function_carries_the_script_engine():
    added = {name: properties["Layers"] for name, properties in FUNCTIONS.items() if "Layers" in properties}
    assert added == {"ScriptFunction": [{"Ref": "ScriptLayer"}]}


def test_authors_scripts_run_where_no_policy_allows_anything():
    assert not {"Policies", "Role", "VpcConfig", "Events"} & set(FUNCTIONS["ScriptFunction"])


def test_arm64_is_the_default_architecture():
    assert TEMPLATE["Parameters"]["Architecture"]["Default"] == "arm64"


def test_every_parameter_has_a_default():
    assert [name for name, parameter in TEMPLATE["Parameters"].items() if "Default" not in parameter] == []


@each_function
def test_a_function_stops_before_its_caller_gives_up(name):
    # KakaoTalk waits 5 s, a WebSocket route of API Gateway 29 s, nobody for workers and lists.
    longest = {"kakao_skill": 5, "effect_worker": 120, "projector": 120, "end_user_eraser": 60}.get(folder_of(name), 29)
    assert 0 < FUNCTIONS[name]["Timeout"] <= longest


def test_the_skill_route_carries_the_bot_and_the_secret_in_its_path():
    (event,) = FUNCTIONS["KakaoSkillFunction"]["Events"].values()
    assert event["Type"] == "HttpApi"
    assert event["Properties"]["Method"] == "POST"
    assert event["Properties"]["Path"] == "/kakao/{botId}/{secret}"
    assert event["Properties"]["TimeoutInMillis"] == 1000 * FUNCTIONS["KakaoSkillFunction"]["Timeout"]


def test_the_management_api_answers_everything_under_its_path_and_changes_no_turn():
    (event,) = FUNCTIONS["ManagementApiFunction"]["Events"].values()
    assert (event["Type"], event["Properties"]["Method"]) == ("HttpApi", "ANY")
    assert event["Properties"]["Path"] == "/api/{proxy+}"
    assert event["Properties"]["TimeoutInMillis"] == 1000 * FUNCTIONS["ManagementApiFunction"]["Timeout"]
    turns = {"Fn::GetAtt": ["TurnsTable", "Arn"]}
    allowed = [found["Action"] for found in statements("ManagementApiFunction") if turns in listed(found["Resource"])]
    assert allowed == [["dynamodb:Query", "dynamodb:GetItem"], "dynamodb:PutItem"], "the last erases and tells of bots"


def test_the_open_api_answers_everything_under_its_path_and_writes_turns_alone():
    (event,) = FUNCTIONS["OpenApiFunction"]["Events"].values()
    assert (event["Type"], event["Properties"]["Method"]) == ("HttpApi", "ANY")
    assert event["Properties"]["Path"] == "/openapi/{proxy+}"
    assert event["Properties"]["TimeoutInMillis"] == 1000 * FUNCTIONS["OpenApiFunction"]["Timeout"]
    writing = [found for found in statements("OpenApiFunction") if "dynamodb:PutItem" in listed(found["Action"])]
    assert [found["Resource"] for found in writing] == [{"Fn::GetAtt": ["TurnsTable", "Arn"]}]


def test_the_web_session_api_answers_everything_under_its_path_and_only_appends_turns():
    (event,) = FUNCTIONS["WebSessionFunction"]["Events"].values()
    assert (event["Type"], event["Properties"]["Method"]) == ("HttpApi", "ANY")
    assert event["Properties"]["Path"] == "/webchat/v1/{proxy+}"
    assert event["Properties"]["TimeoutInMillis"] == 1000 * FUNCTIONS["WebSessionFunction"]["Timeout"]
    turns = {"Fn::GetAtt": ["TurnsTable", "Arn"]}
    allowed = [found["Action"] for found in statements("WebSessionFunction") if turns in listed(found["Resource"])]
    assert allowed == [["dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem"]]


def test_the_widget_and_its_page_are_served_without_rights_and_take_nothing_from_the_chats_api():
    events = [event["Properties"] for event in FUNCTIONS["WebPageFunction"]["Events"].values()]
    paths = {"/webchat.js", "/js/webchat.min.js", "/sdk/{proxy+}", "/webchat/{name}", "/webchat/v2/{botId}"}
    assert {event["Path"] for event in events} == paths
    assert {event["Method"] for event in events} == {"GET"}
    assert {event["TimeoutInMillis"] for event in events} == {1000 * FUNCTIONS["WebPageFunction"]["Timeout"]}
    assert not {"Policies", "Role"} & set(FUNCTIONS["WebPageFunction"])


def test_uploads_are_put_from_any_page_and_go_by_themselves_unless_a_message_names_them():
    bucket = RESOURCES["UploadBucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert "VersioningConfiguration" not in bucket, "an old version would outlive an erasure"
    (rule,) = bucket["CorsConfiguration"]["CorsRules"]
    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == (["*"], ["PUT"])
    (unsent,) = [found for found in bucket["LifecycleConfiguration"]["Rules"] if "TagFilters" in found]
    ((name, value),) = [(tag["Key"], tag["Value"]) for tag in unsent["TagFilters"]]
    assert f"{name}={value}" == uploads.NEW
    assert (unsent["Prefix"], unsent["ExpirationInDays"]) == ("u/", 2)


def test_no_access_log_writes_down_the_secret_in_the_path():
    assert all("AccessLogSettings" not in api for api in of_type("AWS::Serverless::HttpApi").values())


@each_function
def test_every_setting_that_the_code_reads_is_set(name):
    walks = "lambda:InvokeFunction" in actions_of(name)
    needed = set(settings_read_by_the_code()) - (set() if walks else {SCRIPT_FUNCTION})
    assert needed <= set(environment(name))


@each_function
def test_a_function_is_told_of_the_script_function_if_it_may_invoke_it(name):
    told = environment(name).get(SCRIPT_FUNCTION) == {"Ref": "ScriptFunction"}
    assert told == ("lambda:InvokeFunction" in actions_of(name)) == (folder_of(name) in WALKS_FLOWS)


def test_every_setting_in_the_template_is_read_by_the_code():
    set_ = {variable for name in FUNCTIONS for variable in environment(name) if variable.startswith("MALGIL_")}
    assert set_ == set(settings_read_by_the_code())


@each_function
def test_a_function_names_itself_in_logs_and_metrics(name):
    assert environment(name)["POWERTOOLS_SERVICE_NAME"] == {"Fn::Sub": folder_of(name) + "-${Stage}"}
    assert environment(name)["POWERTOOLS_METRICS_NAMESPACE"] == "Malgil"


@each_function
def test_a_role_allows_no_wildcard(name):
    for statement in statements(name):
        assert not [action for action in listed(statement["Action"]) if "*" in action]
        assert "*" not in listed(statement["Resource"])
        assert set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}, "NotAction allows all the rest"


OF_THIS_STACK = "${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}"
TABLES_AND_BOTS = [
    {"Fn::GetAtt": ["TurnsTable", "Arn"]},
    {"Fn::GetAtt": ["CoreTable", "Arn"]},
    {"Fn::Sub": "${BotBucket.Arn}/b/*"},
    {"Fn::GetAtt": ["EffectQueue", "Arn"]},
    {"Fn::GetAtt": ["ScriptFunction", "Arn"]},
]
UPLOADS = [{"Fn::GetAtt": ["UploadBucket", "Arn"]}, {"Fn::Sub": "${UploadBucket.Arn}/u/*"}]
PATH_OF_EVENTS: dict[str, list[Any]] = {
    "web_session": [*TABLES_AND_BOTS, *UPLOADS, {"Fn::GetAtt": ["ErasureQueue", "Arn"]}],
    "flow_step": [*TABLES_AND_BOTS, *UPLOADS],
    "relay": [
        {"Fn::GetAtt": ["TurnsTable", "StreamArn"]},
        {"Fn::Sub": "${TurnsTable.Arn}/stream/*"},
        {"Ref": "EventTopic"},
        {"Fn::GetAtt": ["RelaySetAsideQueue", "Arn"]},
        *({"Fn::GetAtt": [name, "Arn"]} for name in ("TurnsTable", "CoreTable")),
    ],
    "ws_authorizer": [{"Fn::GetAtt": ["CoreTable", "Arn"]}],
    "ws_connect": [{"Fn::GetAtt": ["CoreTable", "Arn"]}],
    "projector": [
        {"Fn::GetAtt": ["TurnsTable", "StreamArn"]},
        {"Fn::Sub": "${TurnsTable.Arn}/stream/*"},
        {"Fn::GetAtt": ["CoreTable", "Arn"]},
        {"Fn::GetAtt": ["RelaySetAsideQueue", "Arn"]},
    ],
    "webhook_fanout": [{"Fn::GetAtt": [name, "Arn"]} for name in ("CoreTable", "EventQueue", "DeliveryQueue")],
    "webhook_deliver": [{"Fn::GetAtt": [name, "Arn"]} for name in ("CoreTable", "DeliveryQueue")],
    "open_api": [
        *TABLES_AND_BOTS[:4],
        {"Fn::Sub": "${CoreTable.Arn}/index/GSI1"},
    ],
    "management_api": [
        *({"Fn::GetAtt": [name, "Arn"]} for name in ("CoreTable", "TurnsTable", "DeliveryQueue", "ErasureQueue")),
        {"Fn::Sub": "${CoreTable.Arn}/index/GSI1"},
        {"Fn::Sub": "${BotBucket.Arn}/b/*"},
    ],
}
"""What the functions around the log reach."""
ERASING = {
    "end_user_eraser": [
        *({"Fn::GetAtt": [name, "Arn"]} for name in ("TurnsTable", "CoreTable", "ErasureQueue")),
        *UPLOADS,
    ]
}
CHATTING = {"flow_step": [*TABLES_AND_BOTS, *UPLOADS]}
EFFECTS = {
    "secretsmanager:GetSecretValue": {"Fn::Sub": f"arn:{OF_THIS_STACK % 'secretsmanager'}:secret:malgil/${{Stage}}/*"},
    "ses:SendEmail": {"Fn::Sub": f"arn:{OF_THIS_STACK % 'ses'}:identity/*"},
    "bedrock:InvokeModel": {"Fn::Split": [",", {"Ref": "BedrockModelArn"}]},
}
SOCKETS = {
    "execute-api:ManageConnections": {
        "Fn::Sub": f"arn:{OF_THIS_STACK % 'execute-api'}:${{SocketApi}}/chat/POST/@connections/*"
    }
}
"""Sending to sockets of this API alone."""


@each_function
def test_a_role_reaches_only_the_tables_published_bots_and_what_effects_need(name):
    for statement in statements(name):
        for action in listed(statement["Action"]):
            others = {**PATH_OF_EVENTS, **ERASING, **CHATTING}.get(folder_of(name), TABLES_AND_BOTS)
            alone = {**EFFECTS, **SOCKETS}
            expected = [alone[action]] if action in alone else others
            assert all(resource in expected for resource in listed(statement["Resource"]))


def test_credentials_are_read_under_the_prefix_that_the_code_is_told():
    assert GLOBALS["Environment"]["Variables"]["MALGIL_SECRETS_PREFIX"] == {"Fn::Sub": "malgil/${Stage}"}
    assert TEMPLATE["Outputs"]["SecretsPrefix"]["Value"] == {"Fn::Sub": "malgil/${Stage}"}


def test_mail_and_models_are_allowed_only_when_they_are_configured():
    guarded = {}
    for statement in RESOURCES["CarryOutEffectsPolicy"]["Properties"]["PolicyDocument"]["Statement"]:
        if "Fn::If" in statement:
            condition, then, _ = statement["Fn::If"]
            guarded[then["Action"]] = condition
    assert guarded == {"ses:SendEmail": "HasMailFrom", "bedrock:InvokeModel": "HasBedrockModel"}
    for condition, parameter in (("HasMailFrom", "MailFrom"), ("HasBedrockModel", "BedrockModelArn")):
        assert TEMPLATE["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}
        assert TEMPLATE["Parameters"][parameter]["Default"] == ""


def test_mail_goes_out_only_under_the_sender_of_the_installation():
    (mail,) = [found for found in statements("KakaoSkillFunction") if found["Action"] == "ses:SendEmail"]
    assert mail["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "MailFrom"}}}


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        ("MailFrom", ["", "bot@shop.example"], ["bot", "Shop <bot@shop.example>", "a b@c", "@"]),
        ("TimeZone", ["Asia/Seoul", "UTC", "Etc/GMT+9", "America/Indiana/Knox"], ["", "../etc", "Asia/", "Asia Seoul"]),
        (
            "BedrockModelArn",
            ["", "arn:aws:bedrock:us-east-1::foundation-model/x", "arn:aws:a:b::c,arn:aws:a:b::d"],
            ["*", "x", "arn:aws:a:b::c,", "arn:aws:a:b::c,*"],
        ),
    ],
)
def test_a_parameter_has_a_form(parameter, good, bad):
    pattern = TEMPLATE["Parameters"][parameter]["AllowedPattern"]
    assert all(re.fullmatch(pattern, value) for value in good)
    assert not any(re.fullmatch(pattern, value) for value in bad)


@each_function
def test_a_role_can_only_read_put_carry_out_effects_and_ask_the_worker(name):
    actions = {action for statement in statements(name) for action in listed(statement["Action"])}
    reads_and_puts = {"dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "s3:GetObject"}
    talking = reads_and_puts | {"sqs:SendMessage", "lambda:InvokeFunction"} | EFFECTS.keys()
    taking_jobs = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    telling_sockets = {"dynamodb:Query", "dynamodb:DeleteItem"} | SOCKETS.keys()
    chatting = talking | telling_sockets | {"dynamodb:UpdateItem", "s3:PutObjectTagging", "s3:ListBucket"}
    allowed = {
        "kakao_skill": talking,
        "flow_step": chatting,
        "effect_worker": talking | taking_jobs,
        "web_session": chatting | {"s3:PutObject"},
    }
    assert carries_out_effects(name) == (folder_of(name) in allowed)
    reading_the_stream = {
        f"dynamodb:{word}" for word in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    }
    path_of_events = {
        "relay": reading_the_stream | telling_sockets | {"sns:Publish", "sqs:SendMessage", "dynamodb:GetItem"},
        "ws_authorizer": {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"},
        "ws_connect": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"},
        "projector": reading_the_stream
        | {f"dynamodb:{word}" for word in ("BatchGetItem", "Query", "GetItem", "PutItem", "UpdateItem")}
        | {"sqs:SendMessage"},
        "webhook_fanout": taking_jobs | {"dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "sqs:SendMessage"},
        "webhook_deliver": taking_jobs
        | {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "sqs:SendMessage"},
        "open_api": reads_and_puts | {"sqs:SendMessage"},
        "management_api": {
            *(f"dynamodb:{word}" for word in ("Query", "GetItem", "PutItem", "UpdateItem", "DeleteItem")),
            "sqs:SendMessage",
            "s3:GetObject",
        },
    }
    deleting = {f"dynamodb:{word}" for word in ("DeleteItem", "BatchWriteItem", "UpdateItem")}
    deleting |= {"s3:ListBucket", "s3:DeleteObject"}
    erasing = {"end_user_eraser": taking_jobs | reads_and_puts - {"s3:GetObject"} | deleting | {"sqs:SendMessage"}}
    assert actions == {**allowed, **path_of_events, **erasing}.get(folder_of(name), set())


def test_only_who_erases_people_can_change_or_delete_turns():
    deleting = {"dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:UpdateItem"}
    can = {
        folder_of(name)
        for name in FUNCTIONS
        for statement in statements(name)
        if deleting & set(listed(statement["Action"]))
        and {"Fn::GetAtt": ["TurnsTable", "Arn"]} in listed(statement["Resource"])
    }
    assert can == {"end_user_eraser"}


@each_function
def test_the_layer_keeps_the_api_model_of_every_service_that_a_role_allows(name):
    models = {
        "ses": "sesv2",
        "bedrock": "bedrock-runtime",
        "execute-api": "apigatewaymanagementapi",
    }  # where the SDK's name is another than the permission's
    services = {action.split(":")[0] for statement in statements(name) for action in listed(statement["Action"])}
    assert {models.get(service, service) for service in services} <= set(kept_services())


def transformed(monkeypatch) -> dict[str, Any]:
    """The resources as CloudFormation gets them."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        for uri in ("CodeUri", "ContentUri"):
            if uri in resource["Properties"]:
                resource["Properties"][uri] = "s3://bucket/key"
    found: dict[str, Any] = transform(template, {}, ManagedPolicies())["Resources"]
    return found


def test_each_function_gets_a_role_of_its_own(monkeypatch):
    resources = transformed(monkeypatch)
    roles = {name: resource for name, resource in resources.items() if resource["Type"] == "AWS::IAM::Role"}
    functions = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::Lambda::Function"]
    assert sorted(function["Role"]["Fn::GetAtt"][0] for function in functions) == sorted(roles)
    for role in roles.values():
        logs, *shared = role["Properties"]["ManagedPolicyArns"]
        assert logs.endswith("/service-role/AWSLambdaBasicExecutionRole")
        assert shared in ([], [{"Ref": "CarryOutEffectsPolicy"}])


class ManagedPolicies:
    """What the translator asks for when a policy is named instead of written out; ours never are."""

    def load(self):
        return {}


@each_function
def test_a_function_writes_to_a_log_group_whose_entries_expire(name):
    group = FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]
    assert RESOURCES[group]["Type"] == "AWS::Logs::LogGroup"
    assert RESOURCES[group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_log_groups_are_not_shared():
    groups = [FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"] for name in FUNCTIONS]
    assert sorted(groups) == sorted(of_type("AWS::Logs::LogGroup"))


def test_lambda_says_nothing_of_an_invocation_that_went_well(monkeypatch):
    """START, END and REPORT are of the level INFO. The functions' own lines have the level that was asked for."""
    for properties in functions_as_deployed(monkeypatch):
        config = properties["LoggingConfig"]
        assert config.pop("LogGroup")["Ref"] in of_type("AWS::Logs::LogGroup")
        assert config == {"LogFormat": "JSON", "ApplicationLogLevel": {"Ref": "LogLevel"}, "SystemLogLevel": "WARN"}
        assert properties["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == {"Ref": "LogLevel"}


def test_lambda_the_logger_and_our_settings_know_every_log_level():
    """Lambda says WARN where Python says WARNING."""
    levels = TEMPLATE["Parameters"]["LogLevel"]["AllowedValues"]
    assert set(levels) < {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}
    assert set(levels) < set(LAMBDA_ADVANCED_LOGGING_LEVELS)
    assert set(levels) < set(logging.getLevelNamesMapping())


def functions_as_deployed(monkeypatch) -> list[dict[str, Any]]:
    """The functions' properties, with those of all functions merged into them."""
    return [
        found["Properties"] for found in transformed(monkeypatch).values() if found["Type"] == "AWS::Lambda::Function"
    ]


@each_function
def test_a_function_has_alarms_on_errors_throttles_and_own_faults(name):
    found = set(alarms_on("FunctionName", {"Ref": name}))
    assert found >= {("AWS/Lambda", "Errors"), ("AWS/Lambda", "Throttles")}
    source = (ROOT / "functions" / folder_of(name) / "app.py").read_text(encoding="utf-8")
    counts_faults = "report_own_fault" in source or "shared.runtime.api" in source
    counted = ("Malgil", "OwnFault") in set(alarms_on("service", environment(name)["POWERTOOLS_SERVICE_NAME"]))
    assert counted == counts_faults


def test_an_alarm_goes_off_before_kakaotalk_gives_up():
    assert ("AWS/Lambda", "Duration") in set(alarms_on("FunctionName", {"Ref": "KakaoSkillFunction"}))
    assert RESOURCES["KakaoSkillDurationAlarm"]["Properties"]["Threshold"] < 5000


@pytest.mark.parametrize("table", ["TurnsTable", "CoreTable"])
def test_a_throttled_table_sets_off_an_alarm(table):
    found = set(alarms_on("TableName", {"Ref": table}))
    assert found == {("AWS/DynamoDB", "ReadThrottleEvents"), ("AWS/DynamoDB", "WriteThrottleEvents")}


def test_faults_of_the_api_set_off_an_alarm():
    assert ("AWS/ApiGateway", "5xx") in set(alarms_on("ApiId", {"Ref": "HttpApi"}))


def test_every_alarm_tells_the_address_when_there_is_one():
    topic = {"Fn::If": ["HasAlarmEmail", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]}
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == topic, name
        assert alarm["TreatMissingData"] == "notBreaching", name


def keys(properties):
    return {key["KeyType"]: key["AttributeName"] for key in properties["KeySchema"]}


def test_turns_are_keyed_by_log_and_revision_with_no_index():
    table = RESOURCES["TurnsTable"]["Properties"]
    assert keys(table) == {"HASH": "pk", "RANGE": "sk"}
    assert "GlobalSecondaryIndexes" not in table


def test_the_stream_of_the_turns_carries_the_new_image():
    assert RESOURCES["TurnsTable"]["Properties"]["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}


def test_the_core_table_has_two_indexes_that_hold_everything():
    table = RESOURCES["CoreTable"]["Properties"]
    assert keys(table) == {"HASH": "pk", "RANGE": "sk"}
    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    assert keys(indexes["GSI1"]) == {"HASH": "gsi1pk", "RANGE": "gsi1sk"}
    assert keys(indexes["GSI2"]) == {"HASH": "gsi2pk", "RANGE": "gsi2sk"}
    assert [index["Projection"] for index in indexes.values()] == [{"ProjectionType": "ALL"}] * 2
    assert "StreamSpecification" not in table


@pytest.mark.parametrize("table", ["TurnsTable", "CoreTable"])
def test_a_table_expires_rows_can_be_restored_and_costs_nothing_when_idle(table):
    properties = RESOURCES[table]["Properties"]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("name", ["TurnsTable", "CoreTable", "BotBucket"])
def test_data_outlives_the_stack(name):
    assert RESOURCES[name]["DeletionPolicy"] == "Retain"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_is_private_and_encrypted():
    bucket = RESOURCES["BotBucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_the_bucket_refuses_plain_http():
    (statement,) = RESOURCES["BotBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


ROUTES = {route["RouteKey"]: route for route in of_type("AWS::ApiGatewayV2::Route").values()}


def function_of(integration):
    uri = RESOURCES[integration]["Properties"]["IntegrationUri"]["Fn::Sub"]
    (name,) = re.findall(r"\$\{(\w+)\.Arn\}/invocations$", uri)
    return name


def target_of(route):
    return ROUTES[route]["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")


def test_the_socket_has_three_routes_and_only_who_has_a_token_connects():
    assert {key: function_of(target_of(key)) for key in ROUTES} == {
        "$connect": "WsConnectFunction",
        "$disconnect": "WsConnectFunction",
        "$default": "FlowStepFunction",
    }
    assert ROUTES["$connect"]["AuthorizationType"] == "CUSTOM"
    authorizer = RESOURCES[ROUTES["$connect"]["AuthorizerId"]["Ref"]]["Properties"]
    assert authorizer["AuthorizerType"] == "REQUEST"
    assert "${WsAuthorizerFunction.Arn}" in authorizer["AuthorizerUri"]["Fn::Sub"]
    assert authorizer["IdentitySource"] == ["route.request.header.Sec-WebSocket-Protocol"], "never the URL"


def test_frames_are_answered_on_the_socket_that_they_came_from():
    (response,) = of_type("AWS::ApiGatewayV2::RouteResponse").values()
    assert response["RouteId"] == {"Ref": "SocketFrameRoute"}
    assert response["RouteResponseKey"] == "$default"
    assert ROUTES["$default"]["RouteResponseSelectionExpression"] == "$default"


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_a_function_behind_the_socket_ends_before_api_gateway_gives_up(route):
    integration = RESOURCES[target_of(route)]["Properties"]
    assert integration["TimeoutInMillis"] <= 29_000
    assert 1_000 * FUNCTIONS[function_of(target_of(route))]["Timeout"] <= integration["TimeoutInMillis"]


def test_api_gateway_may_call_the_functions_for_this_socket_alone():
    allowed = {
        (found["FunctionName"]["Ref"], found["SourceArn"]["Fn::Sub"].split("}:${")[-1])
        for found in of_type("AWS::Lambda::Permission").values()
    }
    assert allowed == {
        ("WsAuthorizerFunction", "SocketApi}/authorizers/${SocketAuthorizer}"),
        ("WsConnectFunction", "SocketApi}/chat/$connect"),
        ("WsConnectFunction", "SocketApi}/chat/$disconnect"),
        ("FlowStepFunction", "SocketApi}/chat/$default"),
    }


def test_the_socket_is_throttled_and_its_faults_set_off_an_alarm():
    (stage,) = of_type("AWS::ApiGatewayV2::Stage").values()
    assert 0 < stage["DefaultRouteSettings"]["ThrottlingRateLimit"] <= 2_000
    assert "AccessLogSettings" not in stage
    assert ("AWS/ApiGateway", "IntegrationError") in set(alarms_on("ApiId", {"Ref": "SocketApi"}))


QUEUES = of_type("AWS::SQS::Queue")
STREAM_MAPPINGS = {
    name: mapping
    for name, mapping in of_type("AWS::Lambda::EventSourceMapping").items()
    if "StartingPosition" in mapping
}
DEAD_LETTER_QUEUES = {
    properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
    for properties in QUEUES.values()
    if "RedrivePolicy" in properties
} | {mapping["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0] for mapping in STREAM_MAPPINGS.values()}
each_stream_mapping = pytest.mark.parametrize("name", sorted(STREAM_MAPPINGS))
each_queue = pytest.mark.parametrize("name", sorted(QUEUES))
each_work_queue = pytest.mark.parametrize("name", sorted(set(QUEUES) - DEAD_LETTER_QUEUES))
each_dead_letter_queue = pytest.mark.parametrize("name", sorted(DEAD_LETTER_QUEUES))


def consumers(queue):
    """(function, mapping) of the functions that a queue calls."""
    for mapping in of_type("AWS::Lambda::EventSourceMapping").values():
        if mapping["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]}:
            yield mapping["FunctionName"]["Ref"], mapping


def queue_alarms(name):
    return set(alarms_on("QueueName", {"Fn::GetAtt": [name, "QueueName"]}))


@each_queue
def test_a_queue_is_encrypted_and_refuses_plain_http(name):
    assert QUEUES[name]["SqsManagedSseEnabled"] is True
    policies = [policy for policy in of_type("AWS::SQS::QueuePolicy").values() if {"Ref": name} in policy["Queues"]]
    found = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
    (statement,) = (statement for statement in found if statement["Effect"] == "Deny")
    assert statement["Principal"] == "*"
    assert statement["Resource"] == {"Fn::GetAtt": [name, "Arn"]}
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    for allowed in (statement for statement in found if statement["Effect"] == "Allow"):
        assert allowed["Principal"] == {"Service": "sns.amazonaws.com"}
        assert (allowed["Action"], allowed["Resource"]) == ("sqs:SendMessage", {"Fn::GetAtt": [name, "Arn"]})
        assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "EventTopic"}}}


@each_work_queue
def test_what_fails_again_and_again_is_kept_longer_than_it_could_wait(name):
    policy = QUEUES[name]["RedrivePolicy"]
    assert 3 <= policy["maxReceiveCount"] <= 10
    dead = QUEUES[policy["deadLetterTargetArn"]["Fn::GetAtt"][0]]
    assert dead["MessageRetentionPeriod"] > QUEUES[name]["MessageRetentionPeriod"]


@each_work_queue
def test_messages_that_wait_for_long_set_off_an_alarm(name):
    assert ("AWS/SQS", "ApproximateAgeOfOldestMessage") in queue_alarms(name)


@each_dead_letter_queue
def test_a_dead_letter_sets_off_an_alarm(name):
    assert ("AWS/SQS", "ApproximateNumberOfMessagesVisible") in queue_alarms(name)


@each_dead_letter_queue
def test_nobody_works_on_dead_letters(name):
    assert list(consumers(name)) == []


@each_work_queue
def test_a_function_on_a_queue_reports_failures_and_ends_before_its_messages_come_back(name):
    for function, mapping in consumers(name):
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert QUEUES[name]["VisibilityTimeout"] >= 6 * FUNCTIONS[function]["Timeout"]


def test_functions_work_only_on_queues_of_this_template():
    mappings = of_type("AWS::Lambda::EventSourceMapping").keys() - STREAM_MAPPINGS.keys()
    assert len(mappings) == sum(len(list(consumers(name))) for name in QUEUES)


def test_the_stream_has_the_two_readers_that_a_shard_serves():
    readers = [mapping["FunctionName"]["Ref"] for mapping in STREAM_MAPPINGS.values()]
    assert sorted(readers) == ["ProjectorFunction", "RelayFunction"]


@each_stream_mapping
def test_one_record_of_a_stream_cannot_stop_the_others_for_ever(name):
    mapping = STREAM_MAPPINGS[name]
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["TurnsTable", "StreamArn"]}
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0] in QUEUES
    assert 0 < mapping["MaximumRetryAttempts"] < 10_000
    assert 0 < mapping["MaximumRecordAgeInSeconds"] < 86_400, "the stream keeps records for a day"


def test_the_relays_tries_last_for_hours_without_the_topic():
    assert STREAM_MAPPINGS["RelayStreamMapping"]["MaximumRetryAttempts"] * PATIENCE_SECONDS >= 2 * 3_600


@each_stream_mapping
def test_records_that_wait_in_a_stream_set_off_an_alarm(name):
    function = STREAM_MAPPINGS[name]["FunctionName"]
    assert ("AWS/Lambda", "IteratorAge") in set(alarms_on("FunctionName", function))


def test_lists_wait_half_a_minute_for_what_can_be_written_together():
    mapping = STREAM_MAPPINGS["ProjectorStreamMapping"]
    assert mapping["MaximumBatchingWindowInSeconds"] == {"Ref": "ProjectorWindowSeconds"}
    assert TEMPLATE["Parameters"]["ProjectorWindowSeconds"]["Default"] == 30
    assert mapping["BatchSize"] == 1000


@each_stream_mapping
def test_a_reader_of_the_stream_sees_new_turns_alone(name):
    (found,) = STREAM_MAPPINGS[name]["FilterCriteria"]["Filters"]
    assert json.loads(found["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"sk": {"S": [{"prefix": TURN_PREFIX}]}}},
    }


def test_the_topic_of_events_is_encrypted_refuses_plain_http_and_tells_of_failures():
    assert RESOURCES["EventTopic"]["Properties"]["KmsMasterKeyId"] == "alias/aws/sns"
    (statement,) = RESOURCES["EventTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    failures = set(alarms_on("TopicName", {"Fn::GetAtt": ["EventTopic", "TopicName"]}))
    assert failures == {("AWS/SNS", "NumberOfNotificationsFailed")}


def test_the_queue_of_events_gets_them_raw_and_none_is_dropped_silently():
    (subscription,) = of_type("AWS::SNS::Subscription").values()
    assert subscription["RawMessageDelivery"] is True
    assert subscription["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] in DEAD_LETTER_QUEUES


def test_customers_servers_that_hang_cannot_use_up_the_accounts_concurrency():
    mapping = RESOURCES["WebhookDeliverQueueMapping"]["Properties"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] <= 100
    assert FUNCTIONS["WebhookDeliverFunction"]["Timeout"] >= TIMEOUT_SECONDS + 5
    assert QUEUES["DeliveryQueue"]["VisibilityTimeout"] <= 900


def test_mappings_are_written_out():
    # As an event of a function, SAM would give its role every queue of the account.
    kinds = {event["Type"] for properties in FUNCTIONS.values() for event in properties.get("Events", {}).values()}
    assert kinds <= {"HttpApi"}


def test_the_outputs_say_where_everything_is():
    assert set(TEMPLATE["Outputs"]) == {
        "HttpApiUrl",
        "SocketUrl",
        "TurnsTableName",
        "CoreTableName",
        "BotBucketName",
        "UploadBucketName",
        "EffectQueueUrl",
        "ErasureQueueUrl",
        "DeliveryQueueUrl",
        "ScriptFunctionName",
        "SecretsPrefix",
        "TimeZone",
        "MailFrom",
    }
