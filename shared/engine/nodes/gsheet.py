"""gsheet: appends a row to a Google sheet."""

import re
from typing import Any, Final

from shared.bot.model import Node
from shared.engine.asking import credential_name, is_slow, result_of, timeout_ms
from shared.engine.effects import EffectAnswer, SheetRow
from shared.engine.outcome import ADVANCE, NodeFailed, Outcome, Suspend
from shared.engine.walk import Walk
from shared.errors import InvalidInput
from shared.json_input import plain_json
from shared.values import to_text

DEFAULT_SHEET: Final = "Sheet1"
"""What Google calls the first sheet."""
MAX_SHEET_NAME: Final = 100
MAX_CELL: Final = 50_000
"""Characters (both Google Sheets' limits); more is cut."""
MAX_COLUMNS: Final = 200
"""Ours: such a row is still one request."""
SPREADSHEET_ID: Final = re.compile(r"[A-Za-z0-9_-]+")
IN_ADDRESS: Final = re.compile(r"/spreadsheets/(?:u/\d+/)?d/([A-Za-z0-9_-]+)")


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    given = plain_json(data)
    spreadsheet = to_text(given.get("spreadsheetId")).strip()
    in_address = IN_ADDRESS.search(spreadsheet)
    spreadsheet = in_address[1] if in_address else spreadsheet
    if not SPREADSHEET_ID.fullmatch(spreadsheet):
        raise NodeFailed("InvalidNode", f"node {node.id} has no id or address of a spreadsheet")
    cells = _cells(given, walk.entry.notes)
    if not cells:
        raise NodeFailed("InvalidNode", f"node {node.id} has no columns to write")
    try:
        credential = credential_name(given, "credential" if given.get("credential") else "token")
    except InvalidInput as exc:
        walk.set_failure("gsheet", "NotConfiguredError", str(exc))
        return ADVANCE
    if not credential:
        walk.set_failure("gsheet", "NotConfiguredError", "no credential is named in 'token'")
        return ADVANCE
    walk.set_result("gsheet", {"status": "PENDING"})
    return Suspend(
        SheetRow(
            spreadsheet_id=spreadsheet,
            sheet_name=to_text(given.get("sheetName")).strip()[:MAX_SHEET_NAME] or DEFAULT_SHEET,
            columns=list(cells),
            values=list(cells.values()),
            credential=credential,
            timeout_ms=timeout_ms(given),
            slow=is_slow(given),
        )
    )


def complete(walk: Walk, node: Node, answer: EffectAnswer) -> None:
    """gsheet {status, spreadsheetId, updatedRange}, or whatever else the sheet tells."""
    result = result_of(walk, node, answer)
    if result is not None:
        walk.set_result("gsheet", {**result, "status": "COMPLETED"})


def _cells(data: dict[str, Any], notes: list[str]) -> dict[str, str]:
    """The row by column name: `post` {columns, values} as CLOSER has it, the same two beside it, rows {key, value}, or
    an object."""
    post = data.get("post", data)
    if isinstance(post, list):
        rows = [row for row in post if isinstance(row, dict)]
        pairs = [(row.get("key", row.get("column")), row.get("value")) for row in rows]
    elif not isinstance(post, dict):
        pairs = []
    elif "columns" in post or "values" in post:
        columns, values = _list(post.get("columns")), _list(post.get("values"))
        if len(values) > len(columns):
            notes.append(f"{len(values) - len(columns)} values have no column and were left out")
        pairs = list(zip(columns, values + [""] * len(columns), strict=False))
    else:
        pairs = list(post.items()) if post is not data else []
    cells = {name: to_text(value)[:MAX_CELL] for key, value in pairs if (name := to_text(key).strip())}
    if len(cells) > MAX_COLUMNS:
        notes.append(f"{len(cells) - MAX_COLUMNS} columns were left out: at most {MAX_COLUMNS} are written")
    return dict(list(cells.items())[:MAX_COLUMNS])


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [] if given is None else [given]
