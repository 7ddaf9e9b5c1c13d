"""What is known of regular expressions before the first one is compiled: the limit of their texts, and their error."""

from typing import Final

from shared.errors import InvalidInput

MAX_TEXT: Final = 2_000
"""Characters of a text that are searched; a chat message has 1,000 at most on Kakao."""


class RegexSyntaxError(InvalidInput):
    """JavaScript refuses the expression, or it is larger than our limits."""

    code = "invalid_regex"
