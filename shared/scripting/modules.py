"""Sources of the modules that scripts may require. Each is read when a script first names it."""

import json
import sys
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from shared.bot.script_modules import HTTP_MODULES, used_modules

OWN: Final = Path(__file__).parent / "javascript" / "modules"
"""HTTP libraries, written here over the parent's calls."""
CALLS: Final = "malgil-http"
"""What they share; without it a script has no way to ask for a call."""
OWN_NEEDS: Final = {
    **{name: frozenset({CALLS}) for name in HTTP_MODULES},
    CALLS: frozenset({"buffer"}),
    "request-promise": frozenset({"request"}),
    "request-promise-native": frozenset({"request-promise"}),
}
BUNDLES_PACKAGE: Final = "malgil_script_bundles"
"""Folder of the script layer's bundles; in Lambda it lies beside the packages."""
BUILT_BUNDLES: Final = Path(__file__).parents[2] / "infra" / "layers" / "script" / "bundles"
"""Where `make script-bundles` puts them in a working copy."""


def bundles_folder() -> Path:
    """Where the bundles of this process are, or would be."""
    spec = find_spec(BUNDLES_PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else BUILT_BUNDLES


class ModuleSources:
    """Bodies of CommonJS modules by name, kept once they were read."""

    def __init__(self, bundles: Path | None = None) -> None:
        self._bundles = bundles or bundles_folder()
        self._read: dict[str, str] = {}

    @cached_property
    def _needs(self) -> dict[str, frozenset[str]]:
        """What each module requires itself; empty when nothing was built."""
        try:
            listed = json.loads((self._bundles / "modules.json").read_text(encoding="utf-8"))["modules"]
        except FileNotFoundError:
            listed = {}
        return {name: frozenset(needs) for name, needs in listed.items()} | OWN_NEEDS

    def for_script(self, script: str) -> dict[str, str]:
        """The modules that `script` can require, and what these require; those that were not built are left out."""
        todo, found = sorted(used_modules(script)), dict[str, str]()
        while todo:
            name = todo.pop()
            source = None if name in found else self._source(name)
            if source is not None:
                found[name] = source
                todo += self._needs.get(name, ())
        return found

    def _source(self, name: str) -> str | None:
        if name not in self._read:
            folder = OWN if name in OWN_NEEDS else self._bundles
            try:
                self._read[name] = (folder / f"{name.replace('/', '~')}.js").read_text(encoding="utf-8")
            except FileNotFoundError:
                return None
        return self._read[name]


def unavailable(modules: dict[str, str], script: str) -> dict[str, str]:
    """Why modules that a script may require are not there after all."""
    missing = used_modules(script) - modules.keys()
    return dict.fromkeys(sorted(missing), "its bundle is not built (make script-bundles)")


def engine_files() -> tuple[Path, Path]:
    """mini-racer's library and V8's Unicode data; the package is not imported. ImportError when it is missing."""
    spec = find_spec("py_mini_racer")
    if spec is None or spec.origin is None:
        raise ImportError("mini-racer is not installed")
    folder = Path(spec.origin).parent
    return folder / f"libmini_racer.{'dylib' if sys.platform == 'darwin' else 'so'}", folder / "icudtl.dat"
