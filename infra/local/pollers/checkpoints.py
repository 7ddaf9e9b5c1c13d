"""How far mappings have read their streams: one small file, replaced as a whole, so that a killed process leaves
either what was or what is. What is not written is worked on again, never left out."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from infra.local.pollers.mappings import StreamMapping
from shared.errors import Unavailable

FROM_THE_START: Final = ""
"""Nothing is done yet: everything that the shard still has is to be read."""
ENDED: Final = "ended"
"""Everything is done, and the shard gets no more."""


class Checkpoints:
    """Of each mapping and shard the sequence number up to which everything is done."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._all: dict[str, dict[str, str]] = {}
        if path.exists():
            try:
                self._all = {name: dict(shards) for name, shards in json.loads(path.read_bytes()).items()}
            except (AttributeError, TypeError, ValueError) as error:
                raise Unavailable(f"{path} cannot be read ({error}): remove it to read the streams anew") from error

    def of(self, mapping: StreamMapping, shard: str) -> str | None:
        """None when this mapping has never read the shard."""
        return self._all.get(_name(mapping), {}).get(shard)

    def knows(self, mapping: StreamMapping) -> bool:
        return _name(mapping) in self._all

    def set(self, mapping: StreamMapping, shard: str, position: str) -> None:
        shards = self._all.setdefault(_name(mapping), {})
        if shards.get(shard) != position:
            shards[shard] = position
            self._write()

    def keep_only(self, mappings: Iterable[StreamMapping]) -> None:
        """A mapping that is no longer in the template forgets where it was, as a deleted one does."""
        wanted = {_name(mapping) for mapping in mappings}
        if set(self._all) - wanted:
            self._all = {name: shards for name, shards in self._all.items() if name in wanted}
            self._write()

    def _write(self) -> None:
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(self._all, indent=1) + "\n", encoding="utf-8")
        temporary.replace(self._path)


def _name(mapping: StreamMapping) -> str:
    return f"{mapping.name} {mapping.stream_arn}"
