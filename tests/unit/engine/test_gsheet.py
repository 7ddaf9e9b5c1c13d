"""Rows of a gsheet node: which sheet, which cells, under whose credential."""

from typing import Any

import pytest

from shared.engine import Answered
from shared.engine.effects import SheetRow
from tests.unit.engine.carrying import ask, asked, carried, kept
from tests.unit.engine.test_step import ERROR, say, texts

SHEET_ID = "1AbC-dEf_9876543210"
ROW = {
    "type": "POST",
    "post": {"columns": ["이름", "말"], "values": ["{{params.name}}", "{{message}}"]},
    "sheetName": "문의",
    "spreadsheetId": SHEET_ID,
    "token": "google_me@example.com",
}


def row(inbound: Any = None, **data: Any) -> SheetRow:
    effect = asked("gsheet", {**ROW, **data}, inbound, params={"name": "지은"})
    assert isinstance(effect, SheetRow)
    return effect


def test_closers_form_is_one_row_by_column_name() -> None:
    asked_for = row()
    assert (asked_for.spreadsheet_id, asked_for.sheet_name) == (SHEET_ID, "문의")
    assert (asked_for.columns, asked_for.values) == (["이름", "말"], ["지은", "안녕"])
    assert asked_for.credential == "google_me@example.com"
    assert (asked_for.repeatable, asked_for.timeout_ms) == (False, 10_000)


@pytest.mark.parametrize(
    "post",
    [
        [{"key": "이름", "value": "{{params.name}}"}, {"column": "말", "value": "{{message}}"}, 5],
        {"이름": "{{params.name}}", "말": "{{message}}"},
        {"columns": ["이름", "말", "", None], "values": ["{{params.name}}", "{{message}}", "x", "y", "z"]},
    ],
)
def test_other_spellings_of_a_row_are_taken(post: Any) -> None:
    asked_for = row(post=post)
    assert (asked_for.columns, asked_for.values) == (["이름", "말"], ["지은", "안녕"])


def test_columns_and_values_may_stand_beside_the_sheet() -> None:
    data = {key: value for key, value in ROW.items() if key != "post"}
    effect = asked("gsheet", {**data, "columns": ["말"], "values": ["{{message}}"]})
    assert isinstance(effect, SheetRow)
    assert effect.values == ["안녕"]


def test_a_column_without_a_value_is_an_empty_cell() -> None:
    assert row(post={"columns": ["a", "b"], "values": ["1"]}).values == ["1", ""]


@pytest.mark.parametrize("text", ["=IMPORTXML(1)", "+1", "-1", "@x", "a,b\nc\t"])
def test_cells_are_the_text_that_was_said(text: str) -> None:
    assert row(say(text)).values == ["지은", text]


def test_a_cell_has_at_most_what_google_takes() -> None:
    assert len(row(post={"a": "x" * 60_000}).values[0]) == 50_000


@pytest.mark.parametrize(
    "address",
    [
        f"https://docs.google.com/spreadsheets/d/{SHEET_ID}/edit#gid=0",
        f"https://docs.google.com/spreadsheets/u/1/d/{SHEET_ID}/edit?usp=sharing",
        f" {SHEET_ID} ",
    ],
)
def test_the_whole_address_of_a_sheet_names_it_too(address: str) -> None:
    assert row(spreadsheetId=address).spreadsheet_id == SHEET_ID


@pytest.mark.parametrize("data", [{"spreadsheetId": "../x"}, {"spreadsheetId": ""}, {"post": {}}, {"post": 5}])
def test_a_row_that_leads_nowhere_is_the_authors_error(data: Any) -> None:
    assert texts(ask("gsheet", {**ROW, **data})) == [ERROR]


@pytest.mark.parametrize("token", [None, "", "{{params.none}}", '{"type": "service_account"}', "ya29.abc", "a b"])
def test_without_the_name_of_a_credential_nothing_is_asked_and_no_secret_is_kept(token: Any) -> None:
    result = ask("gsheet", {**ROW, "token": token})
    assert result.effect is None
    assert texts(result) == ["FAILED NotConfiguredError|"]
    assert "ya29" not in str(kept(result, "gsheet"))


def test_a_sheet_without_a_name_is_the_first() -> None:
    assert row(sheetName=None).sheet_name == "Sheet1"


def test_the_result_is_what_the_sheet_tells() -> None:
    result = carried("gsheet", ROW, Answered(result={"updatedRange": "문의!A2:B2"}), "{{gsheet.updatedRange}}")
    assert texts(result) == ["COMPLETED 문의!A2:B2"]
