"""`malgil webhook` beside a running local cloud, whose functions deliver what somebody says in a chat."""

import json
import re
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from infra.cli.webhook import LISTEN_NAME
from infra.local.cloud import LocalCloud
from shared.runtime import wiring
from shared.webhooks.delivery import Delivery
from shared.webhooks.events import TEST_EVENT
from tests.integration.cli.conftest import Malgil, free_port
from tests.integration.cli.listening import Listening
from tests.integration.cli.test_bot import told, write
from tests.integration.local.conftest import eventually
from tests.loopback_server import LoopbackServer, RecordedRequest

SECONDS = 90.0


@pytest.fixture
def shop(malgil: Malgil, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A published bot of this test alone."""
    name = re.sub(r"[^a-z]+", "-", request.node.name)[-40:].strip("-")
    told(malgil("bot", "import", write(tmp_path / f"{name}.json", "어서 오세요"), "--publish"))
    return name


@pytest.fixture
def url(example_api: LoopbackServer, request: pytest.FixtureRequest) -> str:
    """An address that takes everything, of this test alone."""
    return f"http://127.0.0.1:{example_api.port}/{abs(hash(request.node.name))}"


def made(malgil: Malgil, bot_id: str, name: str, url: str) -> tuple[str, str]:
    """Id and secret of a new webhook."""
    shown = told(malgil("webhook", "make", bot_id, name, url))
    found = re.search(r"id: (\S+)\n.*: (whsec_\S+)\n", shown)
    assert found is not None, shown
    return found[1], found[2]


def say(malgil: Malgil, bot_id: str, text: str, user: str = "kim") -> None:
    assert "어서 오세요" in told(malgil("chat", bot_id, "--platform", "web", "--user", user, typed=f"{text}\n"))


def received(example_api: LoopbackServer, url: str) -> list[RecordedRequest]:
    path = "/" + url.rpartition("/")[2]
    return [request for request in example_api.requests if request.path == path]


def deliveries(bot_id: str, webhook_id: str, state: str) -> list[Delivery]:
    return [found for found in wiring.manage_webhooks().deliveries(bot_id, webhook_id).items if found.state == state]


def rows(text: str) -> list[list[str]]:
    """The cells of a table below its header, and of no line that is none of it."""
    return [re.split(r"  +", line) for line in text.splitlines()[1:] if not line.startswith("!")]


def test_a_webhook_is_made_listed_changed_and_deleted(malgil: Malgil, shop: str, url: str) -> None:
    assert told(malgil("webhook", "list", shop)) == "없습니다 / none\n"
    webhook_id, secret = made(malgil, shop, "주문 서버", url)
    listed = told(malgil("webhook", "list", shop))
    ((*before, _, address),) = rows(listed)
    assert [*before, address] == [webhook_id, "주문 서버", "on", url]
    shown = told(malgil("webhook", "show", shop, webhook_id[:6]))
    assert f"URL: {url}\n" in shown
    assert secret not in listed + shown

    told(malgil("webhook", "change", shop, "주문 서버", "--name", "창고", "--url", f"{url}x", "--closer-user-agent"))
    shown = told(malgil("webhook", "show", shop, "창고"))
    assert f"URL: {url}x\n" in shown
    assert "CLOSER user agent: 예 / yes" in shown

    assert malgil("webhook", "delete", shop, "창고", typed="n\n").returncode == 1
    told(malgil("webhook", "delete", shop, "창고", "--yes"))
    assert malgil("webhook", "show", shop, "창고").stderr == "malgil: no webhook '창고'\n"


def test_a_rotated_secret_signs_beside_the_one_before(
    malgil: Malgil, shop: str, url: str, example_api: LoopbackServer
) -> None:
    _, first = made(malgil, shop, "회전", url)
    rotated = told(malgil("webhook", "rotate", shop, "회전"))
    second = re.search(r"whsec_\S+", rotated)
    assert second is not None
    assert second[0] != first
    assert "이전 비밀 값이 서명하는 때까지" in told(malgil("webhook", "show", shop, "회전"))
    assert "✓ 200" in told(malgil("webhook", "test", shop, "회전"))
    (request,) = [request for request in received(example_api, url) if TEST_EVENT.encode() in request.body]
    for secret in (first, second[0]):
        Webhook(secret).verify(request.body, dict(request.headers))


def test_a_test_that_fails_says_why_and_exits_with_1(malgil: Malgil, shop: str, webhook_port: int) -> None:
    made(malgil, shop, "없는 곳", f"http://127.0.0.1:{webhook_port}/")
    done = malgil("webhook", "test", shop, "없는 곳")
    assert (done.returncode, done.stderr) == (1, "")
    assert "✗ 접속을 받지 않음 / no connection" in done.stdout
    (row,) = rows(told(malgil("webhook", "log", shop, "없는 곳", "--state", "failed")))
    assert row[2] == "failed (test)"
    assert row[5].startswith("connect:")


@pytest.mark.parametrize("address", ["http://127.0.0.1:8080/", "http://10.0.0.1/", "ftp://receiver.example/"])
def test_an_address_that_may_not_be_called_is_refused_in_one_line(malgil: Malgil, shop: str, address: str) -> None:
    done = malgil("webhook", "make", shop, "안쪽", address)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert told(malgil("webhook", "list", shop)) == "없습니다 / none\n"


def test_what_was_held_is_counted_and_sent(
    malgil: Malgil, shop: str, url: str, example_api: LoopbackServer, inside: None
) -> None:
    webhook_id, secret = made(malgil, shop, "창고", url)
    assert malgil("webhook", "held", shop, "창고").stdout == "보관한 전송이 없습니다 / nothing is held\n"
    told(malgil("webhook", "disable", shop, "창고"))
    assert "! 창고: 주인이 껐습니다 / its owner switched it off" in told(malgil("webhook", "list", shop))
    say(malgil, shop, "배송 언제 와요?")
    eventually(lambda: any("언제" in text_of(found) for found in whole(shop, webhook_id, "held")), SECONDS)
    refused = malgil("webhook", "send-held", shop, "창고")
    assert (refused.returncode, refused.stderr) == (1, "malgil: the webhook is switched off\n")
    assert told_of(received(example_api, url), "언제") == []

    enabled = told(malgil("webhook", "enable", shop, "창고"))
    assert f"malgil webhook send-held {shop} {webhook_id}" in enabled
    assert re.search(r"held: [1-9]", enabled)
    assert "are being sent" in told(malgil("webhook", "send-held", shop, webhook_id))
    eventually(lambda: told_of(received(example_api, url), "언제"), SECONDS)
    for request in received(example_api, url):
        Webhook(secret).verify(request.body, dict(request.headers))


def whole(bot_id: str, webhook_id: str, state: str) -> list[Delivery]:
    """Deliveries with their events."""
    manage = wiring.manage_webhooks()
    return [
        manage.delivery(bot_id, webhook_id, found.key.delivery_id, found.key.at_ms)
        for found in deliveries(bot_id, webhook_id, state)
    ]


def text_of(delivery: Delivery) -> str:
    return delivery.events.decode()


def test_deliveries_are_listed_resent_and_replayed(
    malgil: Malgil, shop: str, url: str, example_api: LoopbackServer, inside: None
) -> None:
    webhook_id, _ = made(malgil, shop, "기록", url)
    say(malgil, shop, "기록해 주세요")
    eventually(lambda: any("기록해" in text_of(found) for found in whole(shop, webhook_id, "delivered")), SECONDS)
    listed = rows(told(malgil("webhook", "log", shop, "기록", "--state", "delivered", "--since", "1h")))
    assert all(row[2] == "delivered" and row[5].startswith("200:") for row in listed)
    as_json = json.loads(told(malgil("webhook", "log", shop, "기록", "--json")))
    assert {row[1] for row in listed} <= {found["id"] for found in as_json}
    assert told(malgil("webhook", "log", shop, "기록", "--state", "failed")) == "없습니다 / none\n"
    assert len(rows(told(malgil("webhook", "log", shop, "기록", "--limit", 1)))) == 1

    delivery_id = listed[0][1]

    def times() -> int:
        return sum(json.loads(request.body)["id"] == delivery_id for request in received(example_api, url))

    before = times()
    told(malgil("webhook", "resend", shop, "기록", delivery_id))
    eventually(lambda: times() == before + 1, SECONDS)
    eventually(lambda: not deliveries(shop, webhook_id, "pending"), SECONDS)
    told(malgil("webhook", "replay", shop, "기록", "--from", "1h"))
    eventually(lambda: times() == before + 2, SECONDS)


def told_of(requests: list[RecordedRequest], text: str) -> list[str]:
    """The ids of deliveries with this text in them."""
    return [json.loads(request.body)["id"] for request in requests if text in request.body.decode()]


def test_a_replay_out_of_the_conversations_sends_what_was_said_before_once(
    malgil: Malgil, shop: str, url: str, example_api: LoopbackServer, inside: None
) -> None:
    say(malgil, shop, "듣는 사람이 없을 때")
    webhook_id, _ = made(malgil, shop, "나중", url)
    done = malgil("webhook", "replay", shop, "나중", "--from", "1h", "--log")
    assert done.returncode == 0, done.stderr
    again = next(line.split() for line in done.stderr.splitlines() if "--replay-id" in line)

    def asked() -> list[str]:
        """Again, as after a failure: who talked is listed with the projector's delay."""
        told(malgil("webhook", "replay", shop, "나중", "--log", *again))
        eventually(lambda: not deliveries(shop, webhook_id, "pending"), SECONDS)
        return told_of(received(example_api, url), "듣는 사람")

    sent = eventually(asked, SECONDS)
    assert asked() == sent, "the same request makes nothing twice"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "yesterday"), "--from: a time such as"),
        (("--from", "1h", "--until", "2h"), "--from must be before --until"),
        (("--from", "1h", "--replay-id", "x"), "--replay-id is for --log"),
    ],
)
def test_a_replay_of_no_time_is_refused(malgil: Malgil, bot: str, arguments: tuple[str, ...], words: str) -> None:
    done = malgil("webhook", "replay", bot, "x", *arguments)
    assert done.returncode == 1
    assert words in done.stderr


# ---- the receiver on this machine


def names(malgil: Malgil, bot_id: str) -> list[str]:
    return [row[1] for row in rows(told(malgil("webhook", "list", bot_id)))]


def test_what_somebody_said_in_a_chat_reaches_the_receiver_in_the_terminal(
    cloud: LocalCloud, malgil: Malgil, shop: str, webhook_port: int
) -> None:
    with Listening("--state", cloud.state, "webhook", "listen", shop, "--port", webhook_port) as receiver:
        assert f"{webhook_port}/" in receiver.url
        receiver.until(lambda lines: any(shop in line for line in lines))
        assert names(malgil, shop) == [LISTEN_NAME]

        def heard() -> bool:
            # Again until the fan-out, which remembers for 5 s that there was none, has looked for webhooks. A message
            # does not name who said it: an event of the conversation does.
            say(malgil, shop, "배송 언제 와요?")
            return any(line.endswith("bot.message.received ● 받음 kim: 배송 언제 와요?") for line in receiver.lines)

        eventually(heard, SECONDS)
        assert any(re.search(r"^✓ \S+ 서명 확인, 이벤트 \d+개$", line) for line in receiver.lines)
        assert not any("✗" in line for line in receiver.lines)
        assert receiver.stop() == 0
    assert receiver.errors == []
    assert told(malgil("webhook", "list", shop)) == "없습니다 / none\n"


def test_a_registration_that_was_left_behind_is_taken_over(
    cloud: LocalCloud, malgil: Malgil, shop: str, webhook_port: int
) -> None:
    webhook_id, _ = made(malgil, shop, LISTEN_NAME, f"http://127.0.0.1:{webhook_port}/")
    told(malgil("webhook", "disable", shop, webhook_id))
    with Listening("--state", cloud.state, "webhook", "listen", shop, "--port", webhook_port) as receiver:
        receiver.until(lambda lines: any(shop in line for line in lines))
        (row,) = rows(told(malgil("webhook", "list", shop)))
        assert row[:3] == [webhook_id, LISTEN_NAME, "on"]
        assert "✓ 200" in told(malgil("webhook", "test", shop, webhook_id))
        receiver.until(lambda lines: any(f"● 시험: {LISTEN_NAME}" in line for line in lines))
    assert told(malgil("webhook", "list", shop)) == "없습니다 / none\n"


def test_a_port_that_the_local_cloud_may_not_post_to_is_told_with_the_remedy(malgil: Malgil, bot: str) -> None:
    port = free_port()
    done = malgil("webhook", "listen", bot, "--port", port)
    assert done.returncode == 1
    assert f"`make run WEBHOOK_PORT={port}`" in done.stderr
    assert told(malgil("webhook", "list", bot)) == "없습니다 / none\n"


def test_a_bot_that_is_not_there_is_one_line(malgil: Malgil, webhook_port: int) -> None:
    for arguments in (("list", "nobody"), ("listen", "nobody", "--port", webhook_port)):
        done = malgil("webhook", *arguments)
        assert (done.returncode, done.stderr) == (1, "malgil: no bot 'nobody'\n")
