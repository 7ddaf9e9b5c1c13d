"""Nothing is lost, doubled or out of order while the network fails: the built widget in Chromium on the real template.

The storm itself is web/e2e/storm.mjs. It prints its seed; MALGIL_STORM_SEED repeats it, as far as a browser can be
repeated, and MALGIL_STORM_SECONDS makes it longer.

Seen to fail it: a new clientId with each resend (texts twice in the log); a cache that keeps half a turn (one message
is never shown again after a reload); an answer that was cut on its way and taken for a refusal (the talk ends).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from infra.local.cloud import LocalCloud
from shared.runtime import wiring
from tests.chromium import WEB, needs_chromium, needs_the_build, needs_the_tools
from tests.integration.webchat.conftest import a_web_bot

SECONDS = int(os.environ.get("MALGIL_STORM_SECONDS", "75"))
SETTLING_SECONDS = 900
"""Most of it is never needed: the calm after the storm is waited for as long as a condition does not hold."""


@needs_the_build
@needs_chromium
@needs_the_tools
def test_a_storm_of_cuts_silence_reloads_and_tabs_loses_doubles_and_reorders_nothing(cloud: LocalCloud) -> None:
    key = wiring.api_keys().make(name="storm", scopes=("conversations:write",))[1]
    given = json.dumps({"http": cloud.http_url, "botId": a_web_bot(), "key": key})
    ran = subprocess.run(
        [str(Path(sys.executable).parent / "node"), "e2e/storm.mjs", given],
        cwd=WEB,
        capture_output=True,
        text=True,
        timeout=SECONDS + SETTLING_SECONDS,
        env={**os.environ, "MALGIL_STORM_SECONDS": str(SECONDS)},
        check=False,
    )
    sys.stdout.write(ran.stdout)  # the seed
    assert ran.returncode == 0, ran.stderr
    assert "logs of" in ran.stdout
