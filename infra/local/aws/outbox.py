"""Mail of the local cloud: it goes nowhere, and stands in an outbox that survives a restart.

`GET /_aws/ses` answers {"messages": [...]}, newest last. Any sender counts as verified: SES's verification and its
sandbox are not emulated.
"""

import json
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from moto.ses.models import SESBackend
from moto.sesv2.responses import SESV2Response

from infra.local.aws.store import Store

PATH: Final = "/_aws/ses"
MOST_MAILS: Final = 200
"""The oldest give way."""
KIND: Final = "mail"


class Outbox:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()

    def install(self) -> None:
        """From now on what SES v2 accepts is kept. moto does not keep Reply-To, and keeps nothing over a restart."""
        send: Callable[[Any], str] = SESV2Response.send_email

        def send_email(response: Any) -> str:
            answer = send(response)  # moto's own checks come first: number of recipients, form of addresses
            self._keep(json.loads(response.body), json.loads(answer)["MessageId"])
            return answer

        SESV2Response.send_email = send_email
        SESBackend._is_verified_address = lambda _backend, _source: True  # noqa: SLF001 - see above

    def mails(self) -> list[dict[str, Any]]:
        """Oldest first, numbered from 1 since the state was made."""
        return [json.loads(value) for _, value in self._store.kept(KIND)]

    def _keep(self, sent: dict[str, Any], message_id: str) -> None:
        content = sent["Content"].get("Simple") or {}
        body = content.get("Body") or {}
        destination = sent.get("Destination") or {}
        with self._lock:
            numbers = [int(name) for name, _ in self._store.kept(KIND)]
            number = max(numbers, default=0) + 1
            mail = {
                "number": number,
                "sentAt": int(time.time() * 1000),
                "messageId": message_id,
                "from": sent.get("FromEmailAddress"),
                "to": destination.get("ToAddresses") or [],
                "replyTo": sent.get("ReplyToAddresses") or [],
                "subject": (content.get("Subject") or {}).get("Data", ""),
                "html": (body.get("Html") or body.get("Text") or {}).get("Data", ""),
            }
            self._store.keep(KIND, f"{number:09}", json.dumps(mail, ensure_ascii=False))
            for old in numbers[: max(0, len(numbers) + 1 - MOST_MAILS)]:
                self._store.drop(KIND, f"{old:09}")
