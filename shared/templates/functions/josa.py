"""JOSA(noun, josa): a noun with the form of the particle that its last sound asks for."""

import unicodedata
from typing import Any, Final, NamedTuple

from shared.templates.environment import RenderEnvironment
from shared.templates.functions.reading import FinalSound, final_sound
from shared.values import to_text


class _Pair(NamedTuple):
    """A particle's form after a consonant and after a vowel; after ㄹ either, as the particle asks."""

    after_consonant: str
    after_vowel: str
    rieul_as_vowel: bool = False

    @property
    def undecided(self) -> str:
        """Both forms at once, as Korean writes them when the reading is open: 을(를), (으)로."""
        prefix = self.after_consonant.removesuffix(self.after_vowel)
        if prefix == self.after_consonant:
            return f"{self.after_consonant}({self.after_vowel})"
        return f"({prefix}){self.after_vowel}"


_PAIRS: Final = (
    _Pair("은", "는"),
    _Pair("이", "가"),
    _Pair("을", "를"),
    _Pair("과", "와"),
    _Pair("으로", "로", rieul_as_vowel=True),
    _Pair("이라", "라"),
    _Pair("이나", "나"),
    _Pair("이랑", "랑"),
    _Pair("이에요", "예요"),
    _Pair("아", "야"),
)


def _spellings(pair: _Pair) -> set[str]:
    """Every way that authors write a pair: 을, 를, 을(를), 를(을), 을/를, 를/을, (으)로."""
    one, other = pair.after_consonant, pair.after_vowel
    return {one, other, f"{one}({other})", f"{other}({one})", f"{one}/{other}", f"{other}/{one}", pair.undecided}


_PAIR_OF: Final = {spelling: pair for pair in _PAIRS for spelling in _spellings(pair)}


def josa(_environment: RenderEnvironment, noun: Any, particle: Any) -> str:
    """The noun, unchanged, and the particle: `JOSA("떡볶이", "을")` is 떡볶이를.

    The particle is either one of its pair, or both as authors write them. A noun that nobody can read aloud (Chinese
    characters, other scripts) gets both forms, an empty noun and an unknown particle the particle as it was given.
    """
    noun_text = to_text(noun)
    particle_text = to_text(particle)
    pair = _PAIR_OF.get(unicodedata.normalize("NFC", particle_text).strip())
    if pair is None or not noun_text:
        return noun_text + particle_text
    return noun_text + _form(pair, final_sound(noun_text))


def _form(pair: _Pair, sound: FinalSound | None) -> str:
    if sound is None:
        return pair.undecided
    if sound is FinalSound.VOWEL or (sound is FinalSound.RIEUL and pair.rieul_as_vowel):
        return pair.after_vowel
    return pair.after_consonant
