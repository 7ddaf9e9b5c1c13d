"""Logs never show secrets or masked text."""

from shared.runtime.observability import masked
from shared.templates import MaskedText
from shared.templates.environment import Mask


def test_secrets_are_stars_at_any_depth() -> None:
    value = {
        "data": {
            "headers": {"Authorization": "Bearer x", "X-Api-Key": "k", "accept": "json"},
            "list": [{"password": "p"}],
        }
    }
    assert masked(value) == {
        "data": {
            "headers": {"Authorization": "***", "X-Api-Key": "***", "accept": "json"},
            "list": [{"password": "***"}],
        }
    }


def test_masked_text_is_stars_whatever_its_schedule() -> None:
    text = MaskedText("전화 010-1234", (Mask(3, 11, 600_000),))
    assert masked({"messages": [{"text": text}]}) == {"messages": [{"text": "전화 ***"}]}
