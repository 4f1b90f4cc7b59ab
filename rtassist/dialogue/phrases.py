"""What means a command when it is all that was said: one table for each language.

A phrase counts without case and punctuation. One inside of a longer sentence means nothing: "say goodbye to
my aunt in French" is for the model.
"""

from __future__ import annotations

import re
from typing import Final

from rtassist.dialogue.terms import Terms

TABLE: Final[dict[str, dict[str, str]]] = {
    "en": {
        "goodbye": "goodbye, good bye, bye, bye bye, goodbye for now, see you later",
        "interrupt": "stop, stop it, stop talking, be quiet, quiet, silence, shut up, enough",
        "pause": "pause, pause listening, stop listening",
        "resume": "resume, resume listening, continue listening",
        "mute": "mute, mute the microphone, mute yourself",
        "restart": "start over, restart, begin again",
    },
    "de": {
        "goodbye": "auf wiedersehen, auf wiederhören, tschüss, tschüs, bis später, bis bald",
        "interrupt": "stopp, stop, halt, hör auf, sei still, ruhe, ruhig, schluss, genug, es reicht",
        "pause": "pause, hör nicht zu, hör nicht mehr zu",
        "resume": "weiter zuhören, hör wieder zu, fortsetzen",
        "mute": "stumm, stumm schalten, mikrofon aus, mikrofon stumm",
        "restart": "von vorn, von vorne, neu anfangen, fang neu an, noch mal von vorn",
    },
    "fr": {
        "goodbye": "au revoir, salut à bientôt, à bientôt, à plus tard, bonne journée",
        "interrupt": "stop, arrête, arrêtez, arrête toi, tais toi, taisez vous, silence, ça suffit, assez",
        "pause": "pause, mets toi en pause, arrête d'écouter, n'écoute plus",
        "resume": "reprends, reprendre, écoute de nouveau, recommence à écouter",
        "mute": "muet, coupe le micro, coupe le microphone",
        "restart": "recommence, recommencer, recommençons, repars de zéro",
    },
    "es": {
        "goodbye": "adiós, hasta luego, hasta pronto, hasta la vista, nos vemos",
        "interrupt": "para, detente, basta, cállate, silencio, ya basta, deja de hablar, suficiente",
        "pause": "pausa, deja de escuchar, no escuches",
        "resume": "reanudar, reanuda, sigue escuchando, vuelve a escuchar",
        "mute": "silencia el micrófono, apaga el micrófono, micrófono apagado",
        "restart": "empieza de nuevo, empezar de nuevo, empecemos de nuevo, reiniciar, reinicia",
    },
}
"""By language (ISO 639): the command's name, and what means it."""


def plain(utterance: str) -> str:
    return " ".join(re.findall(r"[\w']+", utterance.lower()))


def meant(utterance: str, terms: Terms) -> str:
    """The name of the command that a whole utterance means, or nothing.

    Where nobody said which language is spoken, the phrases of all languages count.
    """
    if not terms.spoken_commands:
        return ""
    said = plain(utterance)
    own = dict(terms.phrases)
    return own.get(said) or _BY_LANGUAGE.get(re.split("[-_]", terms.language.lower())[0], {}).get(said, "")


def _by_phrase(*languages: str) -> dict[str, str]:
    return {
        phrase: name
        for language in languages
        for name, phrases in TABLE[language].items()
        for phrase in map(plain, phrases.split(","))
    }


_BY_LANGUAGE: Final = {language: _by_phrase(language) for language in TABLE} | {"": _by_phrase(*TABLE)}
