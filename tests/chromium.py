"""What tests that drive Chromium need of this machine, and what to run where it is missing."""

import os
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
WEB: Final = ROOT / "web"
CHROMIUM: Final = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))

needs_the_build: Final = pytest.mark.skipif(
    not (ROOT / "functions" / "web_page" / "files" / "webchat" / "index.html").is_file(),
    reason="the widget was not built: run `make web`",
)
needs_chromium: Final = pytest.mark.skipif(
    not CHROMIUM.is_file(),
    reason=f"no Chromium at {CHROMIUM}: `sh infra/check_chromium.sh` says how to get one",
)
needs_the_tools: Final = pytest.mark.skipif(
    not (WEB / "node_modules").is_dir(), reason="the widget's tools are not installed: run `make web`"
)
