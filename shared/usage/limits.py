"""What a bot may use before the brand line stands under its answers."""

from dataclasses import dataclass
from typing import Final

DEFAULT_BRAND_LINE: Final = "powered by Malgil"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLimits:
    """`quota`: active end users a month without a brand line, None: any number. `over_month` (yyyymm): the newest month
    in which more were counted, 0: none yet."""

    quota: int | None = None
    brand_line: str = DEFAULT_BRAND_LINE
    over_month: int = 0

    def brand_line_in(self, month: int) -> str | None:
        """The line under the answers of this month; None: none."""
        return self.brand_line if self.quota is not None and self.over_month == month else None


NO_LIMITS: Final = UsageLimits()
