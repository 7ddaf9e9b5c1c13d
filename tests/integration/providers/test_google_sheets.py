"""Rows in Google sheets: what is sent, in which order, and that no row is ever written twice."""

from urllib.parse import unquote

import pytest

from shared.engine.effects import Answered, EffectFailed, SheetRow
from shared.providers.google_auth import GoogleTokens
from shared.providers.google_sheets import SheetCarrier
from tests.integration.providers.conftest import attempt, clock, saying, saying_json

ID = "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms"
HEADER = f"GET /v4/spreadsheets/{ID}/values/'예약'!1:1?majorDimension=ROWS"
APPEND = f"POST /v4/spreadsheets/{ID}/values/'예약'!A1:append?valueInputOption=RAW&insertDataOption=INSERT_ROWS"
GRID = f"GET /v4/spreadsheets/{ID}?fields=sheets.properties(sheetId,title,gridProperties.columnCount)"
CHANGE = f"POST /v4/spreadsheets/{ID}:batchUpdate"
TOKEN = "POST /token"


def write_header(cells):
    return f"PUT /v4/spreadsheets/{ID}/values/'예약'!{cells}?valueInputOption=RAW"


@pytest.fixture
def carry(provider, credentials, now):
    tokens = GoogleTokens(now, token_url=provider.url("oauth2.googleapis.com") + "/token")
    return SheetCarrier(provider.client, credentials, tokens, clock, url=provider.url("sheets.googleapis.com"))


def row(columns=("이름", "전화번호", "날짜"), values=("김하늘", "010-0000-0000", "2026-11-22"), **changed):
    given = {
        "spreadsheet_id": ID,
        "sheet_name": "예약",
        "columns": list(columns),
        "values": list(values),
        "credential": "google",
        "timeout_ms": 5_000,
    }
    return SheetRow(**{**given, **changed})


def asked(provider):
    return [unquote(line) for line in provider.asked()]


def header(*columns):
    return saying_json({"range": "'예약'!A1:Z1", "majorDimension": "ROWS", "values": [list(columns)]})


def done(answer):
    assert answer == Answered(result={"spreadsheetId": ID, "updatedRange": "'예약'!A5:C5"})


def test_a_row_is_appended_by_the_header(provider, carry):
    provider.script += [
        saying("google_token.json"),
        saying("sheets_values_get.json"),
        saying("sheets_values_append.json"),
    ]
    done(carry(row(columns=("날짜", "이름"), values=("2026-11-22", "=1+1")), attempt()))
    assert asked(provider) == [TOKEN, HEADER, APPEND]
    assert provider.asked()[1].endswith("/values/%27%EC%98%88%EC%95%BD%27%211%3A1?majorDimension=ROWS")
    assert provider.body() == {"majorDimension": "ROWS", "values": [["=1+1", "", "2026-11-22"]]}
    assert provider.requests[2].header("content-type") == "application/json; charset=utf-8"
    assert {request.header("host") for request in provider.requests[1:]} == {
        f"sheets.googleapis.com:{provider.server.port}"
    }


def test_the_next_row_needs_two_calls(provider, carry):
    provider.script += [saying("google_token.json")]
    for _ in range(2):
        provider.script += [saying("sheets_values_get.json"), saying("sheets_values_append.json")]
        done(carry(row(), attempt()))
    assert asked(provider) == [TOKEN, HEADER, APPEND, HEADER, APPEND]


def test_an_empty_sheet_gets_its_header_first(provider, carry):
    provider.script += [
        saying("google_token.json"),
        saying("sheets_values_get_empty.json"),
        saying("sheets_values_update.json"),
        saying("sheets_values_get.json"),
        saying("sheets_values_append.json"),
    ]
    done(carry(row(), attempt()))
    assert asked(provider) == [TOKEN, HEADER, write_header("A1:C1"), HEADER, APPEND]
    assert provider.body(2) == {"majorDimension": "ROWS", "values": [["이름", "전화번호", "날짜"]]}


def test_missing_columns_are_added_behind_the_others(provider, carry):
    provider.script += [
        saying("google_token.json"),
        header("이름"),
        saying("sheets_values_update.json"),
        header("이름", "전화번호", "날짜"),
        saying("sheets_values_append.json"),
    ]
    done(carry(row(), attempt()))
    assert asked(provider)[2] == write_header("B1:C1")
    assert provider.body(2) == {"majorDimension": "ROWS", "values": [["전화번호", "날짜"]]}
    assert provider.body()["values"] == [["김하늘", "010-0000-0000", "2026-11-22"]]


def test_a_column_that_somebody_else_wrote_meanwhile_is_respected(provider, carry):
    provider.script += [
        saying("google_token.json"),
        header("이름"),
        saying("sheets_values_update.json"),
        header("이름", "메모"),
        saying("sheets_values_update.json"),
        header("이름", "메모", "날짜"),
        saying("sheets_values_append.json"),
    ]
    done(carry(row(columns=("이름", "날짜"), values=("김하늘", "내일")), attempt()))
    assert asked(provider)[2:5:2] == [write_header("B1:B1"), write_header("C1:C1")]
    assert provider.body()["values"] == [["김하늘", "", "내일"]]


def test_a_header_that_does_not_hold_is_given_up(provider, carry):
    provider.script += [saying("google_token.json")]
    provider.script += [header("이름"), saying("sheets_values_update.json")] * 2 + [header("이름")]
    answer = carry(row(), attempt())
    assert (answer.name, answer.message) == (
        "ProviderError",
        "sheet '예약': its first row changes all the time, or is protected",
    )


def test_a_missing_sheet_is_made(provider, carry):
    provider.script += [
        saying("google_token.json"),
        saying("sheets_values_get_no_sheet.json", 400),
        saying("sheets_get.json"),
        saying("sheets_add_sheet.json"),
        saying("sheets_values_get_empty.json"),
        saying("sheets_values_update.json"),
        saying("sheets_values_get.json"),
        saying("sheets_values_append.json"),
    ]
    done(carry(row(), attempt()))
    assert asked(provider) == [TOKEN, HEADER, GRID, CHANGE, HEADER, write_header("A1:C1"), HEADER, APPEND]
    assert provider.body(3) == {"requests": [{"addSheet": {"properties": {"title": "예약"}}}]}


def test_a_sheet_that_somebody_else_made_meanwhile_is_used(provider, carry):
    provider.script += [
        saying("google_token.json"),
        saying("sheets_values_get_no_sheet.json", 400),
        saying("sheets_get.json"),
        saying("sheets_add_sheet_exists.json", 400),
        saying("sheets_get_with_sheet.json"),
        saying("sheets_values_get.json"),
        saying("sheets_values_append.json"),
    ]
    done(carry(row(), attempt()))
    assert asked(provider) == [TOKEN, HEADER, GRID, CHANGE, GRID, HEADER, APPEND]


def test_a_grid_that_is_too_narrow_is_widened(provider, carry):
    provider.script += [
        saying("google_token.json"),
        header("이름", "전화번호", "날짜"),
        saying_json({"error": {"code": 400, "message": "exceeds grid limits", "status": "INVALID_ARGUMENT"}}, 400),
        saying("sheets_get_with_sheet.json"),
        saying("sheets_batch_update_empty_reply.json"),
        saying("sheets_values_update.json"),
        header("이름", "전화번호", "날짜", "인원", "메모"),
        saying("sheets_values_append.json"),
    ]
    done(carry(row(columns=("인원", "메모"), values=("2", "창가")), attempt()))
    assert asked(provider)[2:6] == [write_header("D1:E1"), GRID, CHANGE, write_header("D1:E1")]
    assert provider.body(4) == {
        "requests": [{"appendDimension": {"sheetId": 1789, "dimension": "COLUMNS", "length": 2}}]
    }


def test_columns_behind_z_have_two_letters(provider, carry):
    columns = [f"열{number}" for number in range(28)]
    provider.script += [saying("google_token.json"), header(*columns[:25]), saying("sheets_values_update.json")]
    provider.script += [header(*columns), saying("sheets_values_append.json")]
    done(carry(row(columns=columns, values=["x"]), attempt()))
    assert asked(provider)[2] == write_header("Z1:AB1")
    assert provider.body()["values"] == [["x", *[""] * 27]]


def test_a_header_with_gaps_numbers_and_a_name_twice_keeps_its_places(provider, carry):
    provider.script += [
        saying("google_token.json"),
        header("이름", "", 2026, "이름", None, "날짜"),
        saying("sheets_values_append.json"),
    ]
    done(carry(row(columns=("이름", "2026", "날짜"), values=("김하늘", "x", "내일")), attempt()))
    assert provider.body()["values"] == [["김하늘", "", "x", "", "", "내일"]]


def test_an_empty_first_cell_is_refused_because_the_row_would_slip(provider, carry):
    provider.script += [saying("google_token.json"), header("", "이름", "전화번호", "날짜")]
    answer = carry(row(), attempt())
    assert (answer.name, "cell A1 is empty" in answer.message) == ("ProviderError", True)
    assert asked(provider) == [TOKEN, HEADER]


def test_quotes_in_a_sheets_name_are_doubled(provider, carry):
    provider.script += [saying("google_token.json"), saying("sheets_values_get.json")]
    provider.script += [saying("sheets_values_append.json")]
    done(carry(row(sheet_name="it's/a"), attempt()))
    assert provider.asked()[1] == f"GET /v4/spreadsheets/{ID}/values/%27it%27%27s%2Fa%27%211%3A1?majorDimension=ROWS"


def test_the_address_of_a_spreadsheet_will_do(provider, carry):
    provider.script += [saying("google_token.json"), saying("sheets_values_get.json")]
    provider.script += [saying("sheets_values_append.json")]
    done(carry(row(spreadsheet_id=f"https://docs.google.com/spreadsheets/d/{ID}/edit?gid=0#gid=0"), attempt()))
    assert asked(provider)[1] == HEADER


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"spreadsheet_id": ""}, "spreadsheetId"),
        ({"spreadsheet_id": "../1"}, "spreadsheetId"),
        ({"spreadsheet_id": "https://evil.example/spreadsheets/d/1"}, "spreadsheetId"),
        ({"sheet_name": ""}, "sheetName"),
        ({"sheet_name": "x" * 101}, "sheetName"),
        ({"columns": []}, "columns"),
        ({"columns": ["이름", ""]}, r"columns\[1\]"),
        ({"columns": ["이름", "이름"]}, r"columns\[1\]"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_place(provider, carry, changed, place):
    answer = carry(row(**changed), attempt())
    assert isinstance(answer, EffectFailed)
    assert answer.name == "InvalidRequestError"
    assert answer.message.startswith(place.replace("\\", ""))
    assert provider.requests == []


@pytest.mark.parametrize(
    ("script", "name"),
    [
        (saying("google_unavailable.json", 503), "StatusCodeError"),
        (lambda connection, _: connection.reset(), "HttpError"),
        (lambda connection, _: connection.hang(), "TimeoutError"),
        (saying_json([]), "ProviderError"),
    ],
    ids=["503", "reset", "no answer", "nonsense"],
)
def test_a_row_is_sent_once_whatever_becomes_of_it(provider, carry, script, name):
    provider.script += [saying("google_token.json"), saying("sheets_values_get.json"), script]
    answer = carry(row(), attempt(timeout_ms=1_500 if name == "TimeoutError" else 5_000))
    assert answer.name in {name, "ConnectError"} if name == "HttpError" else answer.name == name
    assert asked(provider) == [TOKEN, HEADER, APPEND]


def test_a_row_that_was_refused_for_its_token_is_sent_with_a_new_one(provider, carry):
    provider.script += [
        saying("google_token.json"),
        saying("sheets_values_get.json"),
        saying("google_unauthenticated.json", 401),
        saying("google_token_refreshed.json"),
        saying("sheets_values_append.json"),
    ]
    done(carry(row(), attempt()))
    assert asked(provider) == [TOKEN, HEADER, APPEND, TOKEN, APPEND]


def test_a_sheet_that_is_not_shared_says_with_whom(provider, carry):
    provider.script += [saying("google_token.json"), saying("google_permission_denied.json", 403)]
    answer = carry(row(), attempt())
    assert answer.name == "CredentialError"
    assert "must be shared with bot@malgil-shop.iam.gserviceaccount.com" in answer.message


def test_the_deadline_is_over_all_calls_together(provider, credentials, now):
    """A clock that jumps a second with each look: one look starts the time, each call looks once."""
    ticks = iter(range(0, 100 * 10**9, 10**9))
    tokens = GoogleTokens(now, token_url=provider.url("oauth2.googleapis.com") + "/token")
    carry = SheetCarrier(
        provider.client, credentials, tokens, lambda: next(ticks), url=provider.url("sheets.googleapis.com")
    )
    provider.script += [saying("google_token.json"), saying("sheets_values_get.json")]
    answer = carry(row(), attempt(timeout_ms=3_500))
    assert answer == EffectFailed(name="TimeoutError", message="Google Sheets took too long")
    assert asked(provider) == [TOKEN, HEADER][: len(provider.requests)]
    assert len(provider.requests) < 3


def test_without_a_credential_nothing_is_sent(provider, carry):
    answer = carry(row(credential="nobody"), attempt())
    assert answer.name == "CredentialError"
    assert provider.requests == []
