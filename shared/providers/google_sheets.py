"""A row appended to a Google sheet, by column name. The sheet and its columns are made when they are missing.

https://developers.google.com/workspace/sheets/api/reference/rest/v4 (spreadsheets.get, spreadsheets.batchUpdate,
spreadsheets.values.get, .update, .append).

Everything before the append may be done again without harm; the append is sent once, and never again when nobody knows
what became of it.
"""

import re
from typing import Any, Final
from urllib.parse import quote

from shared.engine.effects import Answered, Attempt, EffectAnswer, SheetRow
from shared.net.guarded_client import GuardedClient
from shared.net.messages import OutboundResponse
from shared.providers.answers import Answer
from shared.providers.calls import Calls, Clock, json_body
from shared.providers.credentials import Credential, Credentials
from shared.providers.fault import INVALID_REQUEST, PROVIDER, ProviderFault, faults_are_answers
from shared.providers.google_auth import BAD_REQUEST, GoogleTokens

SHEETS_URL: Final = "https://sheets.googleapis.com"
SCOPE: Final = "https://www.googleapis.com/auth/spreadsheets"
WHO: Final = "Google Sheets"
LONGEST_SHEET_NAME: Final = 100
"""Google Sheets: characters of a sheet's name."""
MOST_COLUMNS: Final = 18_278
"""Google Sheets: columns of a sheet, the last is ZZZ."""
HEADER_ROUNDS: Final = 2
"""How often a header may change under our hands before we give up."""

_SPREADSHEET_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SPREADSHEET_URL: Final = re.compile(
    r"https://docs\.google\.com/spreadsheets/(?:u/\d+/)?d/([A-Za-z0-9_-]{1,128})(?:[/?#].*)?"
)


class SheetCarrier:
    def __init__(
        self,
        client: GuardedClient,
        credentials: Credentials,
        tokens: GoogleTokens,
        clock_ns: Clock,
        *,
        url: str = SHEETS_URL,
    ) -> None:
        self._client = client
        self._credentials = credentials
        self._tokens = tokens
        self._clock_ns = clock_ns
        self._url = url

    @faults_are_answers
    def __call__(self, effect: SheetRow, attempt: Attempt) -> EffectAnswer:
        spreadsheet, row = _spreadsheet_of(effect), _row_of(effect)
        calls = Calls(self._client, attempt, self._clock_ns, WHO)
        credential = self._credentials.get(attempt.bot_id, effect.credential, calls)
        sheet = _Sheet(
            calls, self._tokens, credential, url=f"{self._url}/v4/spreadsheets/{spreadsheet}", name=effect.sheet_name
        )
        return Answered(result={"spreadsheetId": spreadsheet, "updatedRange": sheet.append(row)})


class _Sheet:
    """One sheet of one spreadsheet, within the calls of one effect."""

    def __init__(self, calls: Calls, tokens: GoogleTokens, credential: Credential, *, url: str, name: str) -> None:
        self._calls = calls
        self._tokens = tokens
        self._credential = credential
        self._url = url
        self._name = name

    def append(self, row: dict[str, str]) -> str:
        """Write `row` (column -> value) behind the last; the range that it took."""
        header = self._header_with(list(row))
        values = [row.get(column, "") for column in header]
        answer = self._read(
            "POST",
            f"/values/{self._range('A1')}:append?valueInputOption=RAW&insertDataOption=INSERT_ROWS",
            {"majorDimension": "ROWS", "values": [values]},
        )
        return answer["updates"]["updatedRange"].optional_text() or ""

    def _header_with(self, columns: list[str]) -> list[str]:
        header = self._header()
        for _ in range(HEADER_ROUNDS):
            missing = [column for column in columns if column not in header]
            if not missing:
                break
            self._write_header(header, missing)
            # Somebody else may have written the same cells meanwhile: what stands there now is what counts.
            header = self._header()
        if any(column not in header for column in columns):
            raise ProviderFault(PROVIDER, f"sheet '{self._name}': its first row changes all the time, or is protected")
        if not header[0]:
            # The API appends from the first column of the table that it finds: values would slip to the left.
            raise ProviderFault(
                PROVIDER, f"sheet '{self._name}': cell A1 is empty, its first row must start with a column name"
            )
        return _first_of_each(header)

    def _header(self) -> list[str]:
        """The first row; the sheet is made when it is missing."""
        path = f"/values/{self._range('1:1')}?majorDimension=ROWS"
        response = self._send("GET", path)
        if response.status == BAD_REQUEST and self._grid() is None:
            # The API has no code of its own for a missing sheet ("Unable to parse range").
            self._make_sheet()
            response = self._send("GET", path)
        rows = list(self._calls.read(response)["values"].items())
        return [_cell(cell) for cell in rows[0].items()] if rows else []

    def _make_sheet(self) -> None:
        response = self._change({"addSheet": {"properties": {"title": self._name}}})
        # Of two that make it at the same time one is refused: what counts is that it is there.
        if response.status == BAD_REQUEST and self._grid() is not None:
            return
        self._calls.read(response)

    def _write_header(self, header: list[str], missing: list[str]) -> None:
        first, last = len(header), len(header) + len(missing)
        if last > MOST_COLUMNS:
            raise ProviderFault(INVALID_REQUEST, f"columns: a sheet has at most {MOST_COLUMNS}")
        cells = f"{_column_name(first)}1:{_column_name(last - 1)}1"
        path = f"/values/{self._range(cells)}?valueInputOption=RAW"
        body = {"majorDimension": "ROWS", "values": [missing]}
        response = self._send("PUT", path, body)
        if response.status == BAD_REQUEST:
            self._widen(last)
            response = self._send("PUT", path, body)
        self._calls.read(response)

    def _widen(self, columns: int) -> None:
        """Give the grid at least so many columns: values are only written inside it."""
        grid = self._grid()
        if grid is None:
            return
        sheet_id, width = grid
        if width < columns:
            more = {"sheetId": sheet_id, "dimension": "COLUMNS", "length": columns - width}
            self._calls.read(self._change({"appendDimension": more}))

    def _grid(self) -> tuple[int, int] | None:
        """(sheetId, columns) of the sheet; None when there is none of this name."""
        fields = quote("sheets.properties(sheetId,title,gridProperties.columnCount)", safe="")
        for sheet in self._read("GET", f"?fields={fields}")["sheets"].items():
            properties = sheet["properties"]
            # Google takes names that differ in case for the same.
            if properties["title"].text().casefold() == self._name.casefold():
                width = properties["gridProperties"]["columnCount"].optional_number()
                return int(properties["sheetId"].optional_number() or 0), int(width or 0)
        return None

    def _range(self, cells: str) -> str:
        """In A1 notation, as a path segment."""
        name = self._name.replace("'", "''")
        return quote(f"'{name}'!{cells}", safe="")

    def _change(self, request: dict[str, Any]) -> OutboundResponse:
        return self._send("POST", ":batchUpdate", {"requests": [request]})

    def _read(self, method: str, path: str, body: Any = None) -> Answer:
        return self._calls.read(self._send(method, path, body))

    def _send(self, method: str, path: str, body: Any = None) -> OutboundResponse:
        sent = b"" if body is None else json_body(body)
        return self._tokens.send(
            self._calls, self._credential, scope=SCOPE, method=method, url=self._url + path, body=sent
        )


def _spreadsheet_of(effect: SheetRow) -> str:
    """The id; authors paste the whole address too."""
    given = effect.spreadsheet_id.strip()
    address = _SPREADSHEET_URL.fullmatch(given)
    found = address[1] if address else given
    if not _SPREADSHEET_ID.fullmatch(found):
        raise ProviderFault(INVALID_REQUEST, f"spreadsheetId: '{given[:80]}' is not the id of a Google spreadsheet")
    return found


def _row_of(effect: SheetRow) -> dict[str, str]:
    if not 1 <= len(effect.sheet_name) <= LONGEST_SHEET_NAME:
        raise ProviderFault(INVALID_REQUEST, f"sheetName: 1 to {LONGEST_SHEET_NAME} characters are possible")
    if not effect.columns:
        raise ProviderFault(INVALID_REQUEST, "columns: there are none")
    row: dict[str, str] = {}
    for position, column in enumerate(effect.columns):
        if not column or column in row:
            raise ProviderFault(INVALID_REQUEST, f"columns[{position}]: {'empty' if not column else 'named twice'}")
        row[column] = effect.values[position] if position < len(effect.values) else ""
    return row


def _cell(cell: Answer) -> str:
    return cell.value if isinstance(cell.value, str) else "" if cell.value is None else str(cell.value)


def _first_of_each(header: list[str]) -> list[str]:
    """A column name that stands twice means the first; the other stays empty."""
    return [column if header.index(column) == position else "" for position, column in enumerate(header)]


def _column_name(index: int) -> str:
    """0 -> A, 25 -> Z, 26 -> AA."""
    name = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        name = chr(ord("A") + digit) + name
    return name
