"""What our turns tell arrives at CLOSER's own receiver whole, once and readable."""

import json
import uuid
from collections import Counter

import pytest

from shared.webhooks.endpoint import checked
from tests.contract.closer_receiver.company import URL, Company, two_days
from tests.contract.closer_receiver.receiver import MAX_BODY_BYTES
from tests.contract.closer_receiver.table import MemoryTable
from tests.contract.test_docs import first_cells
from tests.webhook_world import an_endpoint


@pytest.fixture(scope="module")
def company() -> Company:
    return two_days(MemoryTable().receiver())


def told(company: Company) -> list[dict]:
    """Events as they stand in the logs."""
    return [event for turn in company.turns() for event in turn.events]


def test_every_type_of_event_that_the_page_names_is_told(company) -> None:
    assert {event["event"] for event in told(company)} == {
        name for name in first_cells("events.md") if name.startswith("bot.")
    }


def test_every_event_of_the_logs_is_a_row_with_the_same_data(company) -> None:
    rows = {row.id: row for decoded in company.receiver.taken for row in decoded.rows}
    events = told(company)
    assert len(rows) == len(events)
    for event in events:
        row = rows[event["id"]]
        assert (row.event, row.source_type, row.source_id) == (event["event"], "bot", event["sourceId"])
        assert row.data == event["data"]


def test_nothing_is_complained_of_and_nothing_is_lost(company) -> None:
    assert [decoded.faults for decoded in company.receiver.taken if decoded.faults] == []
    assert company.receiver.lost == []
    assert max(len(body) for body in company.bodies) < MAX_BODY_BYTES


def test_no_key_of_ours_is_taken_for_one_of_theirs(company) -> None:
    """Go reads names in any case; what we add has other names."""
    for body in company.bodies:
        delivery = json.loads(body)
        for fields in (delivery, *delivery["messages"]):
            assert len({name.casefold() for name in fields}) == len(fields)
        assert str(uuid.UUID(delivery["id"])) == delivery["id"]
        assert all(type(event["timestamp"]) is int for event in delivery["messages"])


def test_what_comes_a_second_time_in_other_deliveries_changes_nothing(table) -> None:
    company = two_days(table.receiver())
    before, bodies = table.ids(), len(company.bodies)
    company.relay(company.turns())
    assert len(company.bodies) > bodies
    assert table.ids() == before
    assert company.receiver.lost == []


def test_an_endpoint_of_plain_http_may_be_registered() -> None:
    assert checked(an_endpoint(url=URL)).url == URL


def test_calls_for_an_agent_carry_the_states_that_the_dashboards_pair(company) -> None:
    statuses = Counter(
        (event["event"].rpartition("_")[2], event["data"]["conversation"]["context"]["manual"]["status"])
        for event in told(company)
        if "agent_call" in event["event"]
    )
    assert statuses == {
        ("requested", "REQUESTED"): 6,
        ("requested", "HANDOVER"): 1,
        ("connected", "CONNECTED"): 4,
        ("cancelled", "CANCELLED"): 2,
        ("disconnected", "DISCONNECTED"): 3,
    }
