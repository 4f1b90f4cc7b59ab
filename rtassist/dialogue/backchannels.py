"""Sounds and words by which a listener says "go on" and does not mean to speak. One table for each language.

They are compared without case, punctuation and lengthened letters: "Mmm-hmm!" is "m hm", as is "mm hm". What
a transcript puts in brackets or between asterisks is a noise and no word: "[coughs]", "*sighs*".
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

EVERYWHERE: Final = "m mm hm mhm mm-hm hm-hm hmm-mm uh um er ah aha oh eh ha haha ok okay"
TABLE: Final = {
    "en": "uh-huh uh-uh yeah yep yup yes right sure i-see got-it wow nice cool",
    "de": "äh ähm ach ach-so aha-ja ja jaja jo genau klar stimmt gut verstehe alles-klar na-ja",
    "fr": "euh ouais oui ouaip d'accord dac voilà exact je-vois ah-bon ben tiens",
    "es": "eh este ajá sí ya claro vale bueno de-acuerdo entiendo exacto anda",
}
_NOISE: Final = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|<[^>]*>|[♪♫]")
_LENGTHENED: Final = re.compile(r"(\w)\1+")


def is_one(text: str, language: str) -> bool:
    """Whether all of a whole utterance is nothing but such sounds; silence is.

    `language`: a code of ISO 639; empty where nobody knows, which means any of the table.
    """
    words = _words(text)
    return len(words) in _ends(words, _sounds(language))


def may_become_one(text: str, language: str) -> bool:
    """The same of the beginning of an utterance, which may end in the middle of a word."""
    words, sounds = _words(text), _sounds(language)
    begun = [" ".join(words[end:]) for end in _ends(words, sounds)]
    return any(sound.startswith(rest) for rest in begun for sound in sounds)


def _words(text: str) -> list[str]:
    text = _NOISE.sub(" ", text.lower())
    # A bracket that is still open may be that of a noise.
    text = re.split(r"[\[(*<]", text, maxsplit=1)[0]
    return [_LENGTHENED.sub(r"\1", word) for word in re.findall(r"[\w']+", text)]


@lru_cache(maxsize=16)
def _sounds(language: str) -> frozenset[str]:
    code = re.split(r"[-_]", language.lower())[0]
    tables = TABLE.values() if not code else filter(None, [TABLE.get(code)])
    return frozenset(" ".join(_words(sound)) for sound in " ".join((EVERYWHERE, *tables)).split())


def _ends(words: list[str], sounds: frozenset[str]) -> set[int]:
    """After how many words a row of whole sounds may end. No sound has more than two words."""
    ends = {0}
    for end in range(1, len(words) + 1):
        if any(end - n in ends and " ".join(words[end - n : end]) in sounds for n in (1, 2) if n <= end):
            ends.add(end)
    return ends
