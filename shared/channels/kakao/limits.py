"""What KakaoTalk accepts, as data.

Source, unless a line says otherwise: Kakao's "응답 타입별 JSON 포맷" (skill response 2.0). Lengths are UTF-16 units:
Kakao does not say what it counts, and this is the strictest reading.
"""

from typing import Final

REQUEST_BYTES: Final = 65_536
"""Ours: real calls have 1 to 4 KB."""
USER_KEY_UNITS: Final = 90
"""Longest user key we keep; Kakao's have at most 70 characters."""

OUTPUTS: Final = 3
QUICK_REPLIES: Final = 10
BODY_BYTES: Final = 30_720
"""Larger answers may not be delivered."""
SAFE_BODY_BYTES: Final = 30_000
"""What we fill: leaves room for a proxy or a serializer that writes a little more than ours."""
QUICK_REPLY_BYTES: Final = 7_500
"""Ours: all quick replies of a body together, so that the largest card always has room beside them."""
CARD_BUTTON_BYTES: Final = 10_000
"""Ours: all buttons of one card together, for the same reason."""
URL_BYTES: Final = 4_096
"""Ours, for the same reason; phones and proxies refuse longer ones."""

TEXT: Final = 1_000
ALT_TEXT: Final = 50
CARD_TITLE: Final = 50
TEXT_CARD: Final = 400
"""Title and description of a textCard together."""
BASIC_CARD_DESCRIPTION: Final = 230
CAROUSEL_ITEMS: Final = 10
CAROUSEL_DESCRIPTION: Final = {"textCard": 128, "basicCard": 76}
"""Kakao shows two lines of a basicCard in a carousel; 76 is how much CLOSER found to fit."""
BUTTONS: Final = 3
BUTTON_LABEL: Final = 14
"""Also used for quick replies, whose limit Kakao does not publish (convention of the field)."""
