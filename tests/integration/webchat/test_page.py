"""The examples of docs/web-chat.md, as they stand there, against the real template."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.cloud import LocalCloud

PAGE = (Path(__file__).parents[3] / "docs" / "web-chat.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(python|javascript)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
NODE = Path(sys.executable).parent / "node"
"""Of our own environment: the machine's may be too old to have WebSocket."""
SAID = ["안녕하세요", "> 장미", "들었어요: 장미"]


def test_the_page_has_examples_over_the_socket_over_http_and_in_javascript() -> None:
    assert [language for language, _ in EXAMPLES] == ["python", "python", "javascript"]


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_talks_with_a_bot(cloud: LocalCloud, bot_id: str, tmp_path: Path, number: int) -> None:
    language, text = EXAMPLES[number]
    program = tmp_path / ("example.py" if language == "python" else "example.mjs")
    text = re.sub(r'(API = )"[^"]+"', rf'\1"{cloud.http_url}"', text)
    program.write_text(re.sub(r'(BOT = )"[^"]+"', rf'\1"{bot_id}"', text), encoding="utf-8")
    runner = sys.executable if language == "python" else NODE
    ran = subprocess.run([runner, str(program)], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == SAID
