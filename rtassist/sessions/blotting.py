"""Texts made unreadable such that a conversation is still decided as it was.

What is decided by a text is its length, how long it takes to say (`rtassist.dialogue.words`: digits and
punctuation weigh more than letters) and where its words end. So letters become x, digits 0, and punctuation
and spaces stay. Ids and the protocol's own names stay, for what belongs together is told by them.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, get_args

import attrs
import orjson

from rtassist import protocol
from rtassist.dialogue import effects, events
from rtassist.dialogue.terms import Terms, Turn
from rtassist.protocol import BadFrame, Session, SessionUpdate, decode_client, encode
from rtassist.sessions import notation

LETTER: Final = "x"
OTHER_LETTER: Final = "z"

_PUNCTUATION: Final = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~…—–")
_IDS: Final = frozenset(
    {
        *("id", "event_id", "item_id", "response_id", "previous_item_id", "call_id", "conversation_id"),
        "approval_request_id",
    }
)
_NAMES: Final = frozenset(
    {
        *("type", "object", "status", "role", "phase", "reason", "code", "param", "model", "voice", "name"),
        *("language", "output_modalities", "modalities", "include", "format", "eagerness", "effort"),
        *("tool_choice", "truncation", "max_output_tokens", "effect", "level", "outcome"),
    }
)
"""Fields that hold a word of the protocol, or the name of a function: kept where they are one word."""
_NAME: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")
_CLASSES: Final = (*vars(protocol).values(), *get_args(effects.Effect), *get_args(effects.Shown))
KNOWN: Final = (
    {"effect", "samples"}
    | {
        field.name
        for cls in _CLASSES
        if isinstance(cls, type) and attrs.has(cls)
        for field in attrs.fields(cls)
    }
) - {"extras", "fields"}
"""The fields of all that the protocol and the effects have."""
_LOCAL_IDS: Final = {"item_id", "call_id"}


def blot(text: str, letter: str = LETTER) -> str:
    """As long, in characters and in what it takes to say, and of words as long."""
    return "".join(c if c.isspace() or c in _PUNCTUATION else "0" if c.isdigit() else letter for c in text)


def blot_json(value: Any, *, letter: str = LETTER, keep: str = "") -> Any:
    """A parsed frame or effect, every text in it blotted. `keep` is a key whose text stays.

    What no class of ours has a field for is blotted whole, its names included.
    """
    return _blotted(value, "", letter, keep)


def _blotted(value: Any, key: str, letter: str, keep: str) -> Any:
    if isinstance(value, str):
        stays = key in _IDS or key == keep or (key in _NAMES and _NAME.fullmatch(value) is not None)
        return value if stays else blot(value, letter)
    if isinstance(value, list):
        if key == "bytes":  # of a token of the transcript
            return [0] * len(value)
        return [_blotted(each, key, letter, keep) for each in value]
    if not isinstance(value, dict):
        return value
    blotted: dict[str, Any] = {}
    for name, each in value.items():
        if name in KNOWN:
            blotted[name] = _blotted(each, name, letter, keep)
        else:
            blotted[_free(blot(name, letter), blotted)] = _unknown(each, letter)
    return blotted


def _unknown(value: Any, letter: str) -> Any:
    if isinstance(value, str):
        return blot(value, letter)
    if isinstance(value, list):
        return [_unknown(each, letter) for each in value]
    if isinstance(value, dict):
        blotted: dict[str, Any] = {}
        for name, each in value.items():
            blotted[_free(blot(name, letter), blotted)] = _unknown(each, letter)
        return blotted
    return value if value is None or isinstance(value, bool) else 0


def _free(name: str, taken: dict[str, Any]) -> str:
    while name in taken:
        name += LETTER
    return name


def blot_unknown_event(value: dict[str, Any], letter: str = LETTER) -> dict[str, Any]:
    """An event of a type that we do not know: of it only that stays."""
    others: dict[str, Any] = _unknown({k: v for k, v in value.items() if k != "type"}, letter)
    return {"type": value["type"]} | others


def blot_local(event: events.Event, letter: str = LETTER) -> events.Event:
    """Something that happened here. Names of alarms are the program's own."""
    if isinstance(event, events.AlarmRang):
        return event
    fields = {field.name: getattr(event, field.name) for field in attrs.fields(type(event))}
    for name, value in fields.items():
        named = isinstance(event, events.ErrandEnded) and name == "name"  # a command of ours
        if isinstance(value, str) and name not in _LOCAL_IDS and not named:
            fields[name] = blot(value, letter)
    cls: Any = type(event)
    blotted: events.Event = cls(**fields)
    return blotted


def blot_terms(terms: Terms) -> Terms:
    """Raises BadFrame where the session cannot be read any more."""
    frame = blot_json(notation.parse(encode(SessionUpdate(session=terms.session)).encode()))
    update = decode_client(dumped(frame))
    if not isinstance(update, SessionUpdate) or not isinstance(update.session, Session):
        raise BadFrame("session", "is of another kind once it is blotted")
    history = tuple(Turn(turn.role, blot(turn.text), turn.cut, blot(turn.unsaid)) for turn in terms.history)
    return attrs.evolve(terms, session=update.session, greeting=blot(terms.greeting), history=history)


def dumped(value: Any) -> bytes:
    """The JSON text of what `notation.parse` read."""
    try:
        return orjson.dumps(value)
    except TypeError:  # numbers of more than 64 bits
        return json.dumps(value, separators=(",", ":")).encode()
