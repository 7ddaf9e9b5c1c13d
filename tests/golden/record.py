"""python -m tests.golden.record FILE...: write what the bot answers now into golden conversations. Read the diff."""

import json
import sys
from pathlib import Path

from tests.golden.talk import run

if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        fresh, _ = run(json.loads(path.read_text(encoding="utf-8")))
        path.write_text(json.dumps(fresh, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
