"""`malgil chat` on the tables of the local cloud."""

import json
from pathlib import Path

from tests.integration.cli.conftest import Malgil
from tests.integration.cli.test_bot import told, write
from tests.loopback_server import LoopbackServer


def bot_lines(output: str) -> list[str]:
    return [line.removeprefix("● ") for line in output.splitlines() if line.startswith("● ")]


def test_a_published_bot_talks(malgil: Malgil, bot: str) -> None:
    assert bot_lines(told(malgil("chat", bot, typed="1\n뒤로\n"))) == ["0", "1", "(뒤로가기)", "0"]


def test_a_known_user_goes_on_where_they_were(malgil: Malgil, bot: str) -> None:
    told(malgil("chat", bot, "--user", "known", typed="진행\n"))
    assert bot_lines(told(malgil("chat", bot, "--user", "known", typed="진행\n"))) == ["2"]


def test_authors_meet_the_draft_and_others_the_published_version(malgil: Malgil, tmp_path: Path) -> None:
    told(malgil("bot", "import", write(tmp_path / "two.json", "게시"), "--publish"))
    told(malgil("bot", "import", write(tmp_path / "two.json", "초안")))
    assert bot_lines(told(malgil("chat", "two"))) == ["게시"]
    assert bot_lines(told(malgil("chat", "two", "--draft"))) == ["초안"]


def test_a_bot_that_is_not_published_says_how_to_meet_it(malgil: Malgil, tmp_path: Path) -> None:
    told(malgil("bot", "import", write(tmp_path / "unpublished.json")))
    done = malgil("chat", "unpublished")
    assert "malgil bot publish unpublished" in done.stderr
    assert "--draft" in done.stderr
    assert done.returncode == 1


def test_a_bot_of_the_local_cloud_reaches_the_example_api(
    malgil: Malgil, example_api: LoopbackServer, tmp_path: Path
) -> None:
    nodes = [
        {"id": 1, "type": "entry", "data": {}, "next": [{"nodeId": 2}]},
        {"id": 2, "type": "fetch", "data": {"uri": f"http://127.0.0.1:{example_api.port}/"}, "next": [{"nodeId": 3}]},
        {"id": 3, "type": "response", "data": {"message": {"type": "text", "text": "{{fetch.data.weather}}"}}},
    ]
    path = tmp_path / "calling.json"
    path.write_text(json.dumps({"id": 1, "title": "t", "nodes": nodes}))
    told(malgil("bot", "import", path, "--publish"))
    assert bot_lines(told(malgil("chat", "calling"))) == ["sunny"]
