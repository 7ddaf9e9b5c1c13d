"""What the functions need to answer in a container: the local cloud's resources, a published bot, and the way there."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from samcli.yamlhelper import yaml_dump, yaml_parse

from infra.local.cloud import LocalCloud
from shared.channels.kakao.settings import SECRET_HEADER, KakaoSettings
from shared.runtime import wiring

COLD_START_SECONDS: Final = 60
ENDPOINT: Final = "AWS_ENDPOINT_URL"


@dataclass(frozen=True)
class ExampleBot:
    """A bot that answers on KakaoTalk and to direct callers."""

    bot_id: str
    kakao: KakaoSettings

    def address(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The event, sent to this bot with its secrets."""
        if "requestContext" not in event:
            return {**event, "botId": self.bot_id}
        if "botId" not in event.get("pathParameters", {}):
            return dict(event)
        path = f"/kakao/{self.bot_id}/{self.kakao.path_secret}"
        return {
            **event,
            "rawPath": path,
            "pathParameters": {"botId": self.bot_id, "secret": self.kakao.path_secret},
            "headers": {**event["headers"], SECRET_HEADER.lower(): self.kakao.header_secrets[0]},
        }


def functions(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Properties of each function by its logical id."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def publish_example(cloud: LocalCloud, document: Path) -> ExampleBot:
    """Import and publish a bot as its author would, with the settings of the cloud's functions."""
    # Wiring reads this process's environment once; every function names the same tables.
    os.environ.update(next(iter(cloud.environment.values())))
    authoring = wiring.authoring()
    authoring.import_file(document.stem, document.read_bytes())
    authoring.publish(document.stem)
    return ExampleBot(document.stem, authoring.connect_kakao(document.stem))


def let_containers_reach(endpoint: str, cloud: LocalCloud, artifacts: Path) -> Path:
    """Point the built functions to the cloud, which containers see at `endpoint`; returns sam's `--env-vars` file.

    sam overrides only variables that a template declares. The deployed template must not declare this one, so it is
    added to the built copy. sam also counts a cold start against the time-out, which AWS does not: the copy is patient.
    """
    path = artifacts / "template.yaml"
    template = yaml_parse(path.read_text(encoding="utf-8"))
    template["Globals"]["Function"]["Environment"]["Variables"][ENDPOINT] = endpoint
    for properties in functions(template).values():
        properties["Timeout"] = COLD_START_SECONDS
    path.write_text(yaml_dump(template), encoding="utf-8")
    names = {
        name: value for name, value in next(iter(cloud.environment.values())).items() if name.startswith("MALGIL_")
    }
    variables = artifacts / "variables.json"
    variables.write_text(json.dumps({"Parameters": names}), encoding="utf-8")
    return variables
