"""Makes deliveries of the topic's events, one for each endpoint of the bot.

An SQS event of the topic's messages as they were published (raw delivery); answer {batchItemFailures}.
"""

from typing import Any

from shared.errors import InvalidInput
from shared.runtime import wiring
from shared.runtime.observability import report_own_fault
from shared.services.webhook_fanout import EventsOfBot, parse_message


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    del context
    messages: list[EventsOfBot] = []
    failed: set[str] = set()
    for record in event["Records"]:
        try:
            messages.append(parse_message(record["messageId"], record["body"]))
        except InvalidInput as exc:  # it comes again until it lies among the dead letters: events are not thrown away
            report_own_fault(exc)
            failed.add(record["messageId"])
    failed |= wiring.fanout()(messages)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in sorted(failed)]}
