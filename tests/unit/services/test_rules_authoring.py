"""Spec engine 1: what an import replaces, and what may be put into service."""

import json
from typing import Any

import pytest

from shared.errors import InvalidBot
from tests.factories import a_node, a_response, an_authoring


def a_file(*edges: int, **profile: Any) -> bytes:
    flows = [{"id": 1, "nodes": [a_node(1, "entry", {}, *(edges or (2,))), a_response(2, "안녕")]}]
    return json.dumps({**profile, "flows": flows, "preference": {"entryFlowId": 1}}).encode()


A_FLOW = json.dumps({"id": 1, "title": "플로우", "nodes": [a_node(1, "entry")]}).encode()
BROKEN = a_file(99, title="봇")


def test_the_export_equals_the_file_imported_last_whatever_was_there_before() -> None:
    authoring = an_authoring()
    authoring.import_file("shop", a_file(title="예전", description="설명", audience={"a": 1}))
    authoring.import_file("shop", a_file(title="지금"))
    assert authoring.export("shop") == json.loads(a_file(title="지금"))


def test_a_flow_file_gives_its_title_to_a_new_bot_and_leaves_that_of_an_old_one() -> None:
    authoring = an_authoring()
    authoring.import_file("new", A_FLOW)
    assert authoring.get("new").profile == {"title": "플로우"}
    authoring.import_file("shop", a_file(title="봇", description="설명"))
    authoring.import_file("shop", A_FLOW)
    assert authoring.get("shop").profile == {"title": "봇", "description": "설명"}


def test_a_flow_without_a_title_names_nothing() -> None:
    authoring = an_authoring()
    authoring.import_file("new", json.dumps({"id": 1, "nodes": []}).encode())
    assert authoring.get("new").profile == {}


def test_rolling_back_to_a_draft_with_errors_is_refused_like_publishing_it() -> None:
    authoring = an_authoring()
    authoring.import_file("shop", BROKEN)
    authoring.import_file("shop", a_file(title="봇"))
    authoring.publish("shop")
    with pytest.raises(InvalidBot, match=r"flows\[0\].nodes\[0\].next\[0\].nodeId: no node 99"):
        authoring.roll_back("shop", 1)


def test_a_bot_that_comes_back_by_an_import_is_not_in_service_until_it_is_published() -> None:
    authoring = an_authoring()
    authoring.import_file("shop", a_file(title="봇"))
    authoring.publish("shop")
    authoring.delete("shop")
    record = authoring.import_file("shop", a_file(title="봇")).record
    assert (record.deleted_at_ms, record.published, record.history) == (None, None, ())
    assert authoring.publish("shop").published is not None
