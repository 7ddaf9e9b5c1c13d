"""What a conversation's parameters may be called."""

import re
from typing import Final

PARAMETER_KEY: Final = re.compile(r"[A-Za-z0-9_:-]+")
