"""What may be registered: names that lead to private networks may not, names that lead nowhere yet may."""

from threading import Event

import pytest

from shared.errors import BlockedAddress
from shared.net.target_check import TargetCheck


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["::1"], ["169.254.169.254"]])
def test_a_name_with_a_private_address_is_refused(addresses: list[str]) -> None:
    with pytest.raises(BlockedAddress, match="private"):
        TargetCheck(resolve=lambda host, port: addresses)("https://receiver.example/")


@pytest.mark.parametrize("url", ["http://192.168.0.1/", "http://localhost/", "https://a.example:22/", "x"])
def test_what_is_refused_by_its_looks_is_not_looked_up(url: str) -> None:
    with pytest.raises(BlockedAddress):
        TargetCheck(resolve=lambda host, port: pytest.fail("looked up"))(url)


def test_a_public_one_is_looked_up_once_and_accepted() -> None:
    asked: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["93.184.215.14"]

    TargetCheck(resolve=resolve)("https://Receiver.example/hook")
    assert asked == [("receiver.example", 443)]


def test_a_name_that_has_no_address_yet_is_accepted() -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        raise OSError("no such name")

    TargetCheck(resolve=resolve)("https://soon.example/")
    assert asked == ["soon.example"]


def test_a_look_up_that_hangs_is_given_up_and_the_name_accepted() -> None:
    asked, never = Event(), Event()

    def resolve(host: str, port: int) -> list[str]:
        asked.set()
        never.wait(60)
        return ["10.0.0.1"]

    TargetCheck(resolve=resolve, look_up_seconds=0.05)("https://slow.example/")
    assert asked.is_set()
    never.set()


def test_the_local_cloud_may_register_its_own_receivers_alone() -> None:
    check = TargetCheck(local_targets=frozenset({("127.0.0.1", 9000)}))
    check("http://127.0.0.1:9000/hook")
    with pytest.raises(BlockedAddress):
        check("http://127.0.0.1:9001/hook")
