"""Events and effects of the dialogue as JSON text and back: the bodies of a recording's lines.

A body is a line without its opening brace and time. What decides a replay is compared as this text, so there
is exactly one text for each effect: fields in the order of their class, no spaces.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from itertools import chain
from typing import Any, Final, get_args

import attrs
import orjson

from rtassist.costs import Price
from rtassist.dialogue import effects, events
from rtassist.dialogue.effects import Effect, Play, Send, Show
from rtassist.dialogue.terms import Terms, Turn
from rtassist.protocol import BadFrame, SessionUpdate, decode, decode_client, encode


class NotRead(ValueError):  # noqa: N818  # what happened is the name, as everywhere here
    """A line of a recording that cannot be what it says; `reason` is half a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _name(cls: type) -> str:
    """`MicLost` → `mic_lost`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


_ELSEWHERE: Final = (events.MicHeard, events.FrameUnreadable)  # runs of samples, and what the server sent
_LOCAL: Final = {_name(cls): cls for cls in get_args(events.LocalEvent) if cls not in _ELSEWHERE}
_SHOWN: Final = get_args(effects.Shown)
_EFFECT_NAMES: Final = {cls: _name(cls) for cls in (*get_args(Effect), *_SHOWN)}
_FIELDS: Final = {
    cls: tuple(field.name for field in attrs.fields(cls))
    for cls in (*_LOCAL.values(), *_SHOWN, *get_args(Effect))
}
_TYPES: Final = {
    cls: {field.name: field.type for field in attrs.fields(cls)} for cls in (*_LOCAL.values(), Terms)
}
_LATER: Final = {effects.Keep: {"said_ms": None, "heard_ms": 0}}
"""Fields that older recordings do not have: they are left out where they say nothing."""
WORDS: Final = frozenset({*_LOCAL, *_EFFECT_NAMES.values(), *chain(*_FIELDS.values()), *_TYPES[Terms]})


def _body(kind: str, name: str, value: Any) -> bytes:
    body: dict[str, Any] = {kind: name}
    for field in _FIELDS[type(value)]:
        body[field] = getattr(value, field)
    for field, nothing in _LATER.get(type(value), {}).items():
        if body[field] == nothing:
            del body[field]
    try:
        return orjson.dumps(body, default=_plain)[1:]
    except TypeError:  # a lone surrogate, which a terminal may give
        return json.dumps(body, default=_plain, separators=(",", ":")).encode()[1:]


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"no notation for a {type(value).__name__}")


def parse(line: bytes) -> Any:
    """The JSON of a line. Raises ValueError."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            return json.loads(line)  # it reads lone surrogates
        except RecursionError:
            raise ValueError("nested too deeply") from None


def text(value: object) -> str:
    """A value as JSON text without spaces."""
    try:
        return orjson.dumps(value, default=_part_of_terms).decode()
    except TypeError:  # lone surrogates, and integers past 64 bits
        return json.dumps(value, default=_part_of_terms, separators=(",", ":"))


def event_body(event: events.Event) -> bytes:
    """Of a local event: `"event":"typed","text":"hello"}`."""
    return _body("event", _name(type(event)), event)


def effect_body(effect: Effect) -> bytes:
    """`"effect":"hush","item_id":"item_1"}`; an event that is sent: `"client":{…}}`. Audio is a number of
    samples: `"effect":"play","item_id":"item_1","samples":4800}`, `"effect":"append","samples":480}`.
    """
    match effect:
        case Play(item_id=item_id):
            return _play_body(item_id, effect.samples)
        case Show(what=what):
            return _body("effect", _EFFECT_NAMES[type(what)], what)
        case Send(event=event):
            if effect.samples:
                return b'"effect":"append","samples":%d}' % effect.samples
            return b'"client":' + encode(event).encode() + b"}"
        case _:
            return _body("effect", _EFFECT_NAMES[type(effect)], effect)


@lru_cache(maxsize=64)
def _play_body(item_id: str, samples: int) -> bytes:
    """Remembered, for a voice is played in pieces of one length."""
    return b'"effect":"play","item_id":%b,"samples":%d}' % (orjson.dumps(item_id), samples)


def read_event(fields: dict[str, Any]) -> events.Event:
    """A local event, from the JSON of its line. Raises NotRead."""
    name = fields.get("event")
    cls = _LOCAL.get(name) if isinstance(name, str) else None
    if cls is None:
        raise NotRead(f"no event is called {name!r}")
    event: events.Event = _instance(cls, {f: fields[f] for f in _FIELDS[cls] if f in fields}, str(name))
    return event


def read_frame(frame: bytes | str) -> events.ServerSaid | events.FrameUnreadable:
    """What the server said, from its frame."""
    try:
        return events.received(frame, decode(frame))
    except BadFrame as bad:
        return events.received(frame, bad)


def _instance(cls: type[Any], fields: dict[str, Any], name: str) -> Any:
    types = _TYPES[cls]
    for field, value in fields.items():
        if value.__class__.__name__ != types[field]:
            raise NotRead(f"{name}.{field} is {value!r}")
    try:
        return cls(**fields)
    except TypeError as error:
        raise NotRead(f"{name} is not complete ({error})") from None


def terms_body(terms: Terms) -> bytes:
    """What was agreed before a conversation began: the session as it is sent, everything else by name."""
    fields = {f.name: getattr(terms, f.name) for f in attrs.fields(Terms) if f.name != "session"}
    session = encode(SessionUpdate(session=terms.session)).encode()
    return b'"begin":{"session":%b,"terms":%b}}' % (session, text(fields).encode())


def _part_of_terms(value: Any) -> object:
    """A price holds what is known, in digits: a float is not as exact."""
    if isinstance(value, Price):
        known = {kind: str(rate) for kind, rate in value.rates().items() if rate is not None}
        return {**known, "source": value.source}
    return attrs.asdict(value)


def read_terms(begin: Any) -> Terms:
    """Raises NotRead."""
    try:
        update = decode_client(orjson.dumps(begin["session"]))
    except (BadFrame, TypeError, KeyError) as error:
        raise NotRead(f"the session's settings cannot be read ({error})") from None
    fields = begin.get("terms")
    if not isinstance(update, SessionUpdate) or not isinstance(fields, dict):
        raise NotRead("the terms are not complete")
    known = {f.name for f in attrs.fields(Terms)}
    if unknown := fields.keys() - known:
        raise NotRead(f"the terms have {', '.join(sorted(unknown))}, which this version does not know")
    history, phrases = fields.pop("history", []), fields.pop("phrases", [])
    asks, cancels = _read_names(fields.pop("asks", [])), _read_names(fields.pop("cancels", []))
    prices: dict[str, Any] = {
        name: _read_price(fields.pop(name)) for name in _PRICES if fields.get(name) is not None
    }
    fields = {name: value for name, value in fields.items() if name not in _PRICES}
    terms: Terms = _instance(Terms, {**fields, "session": update.session}, "terms")
    return attrs.evolve(
        terms,
        history=tuple(map(_read_turn, history)),
        phrases=tuple(map(_read_phrase, phrases)),
        asks=asks,
        cancels=cancels,
        **prices,
    )


_PRICES: Final = ("price", "transcription_price")


def _read_price(fields: Any) -> Price:
    try:
        source = fields.pop("source")
        return Price(**{kind: Decimal(rate) for kind, rate in fields.items()}, source=source)
    except (AttributeError, KeyError, TypeError, ArithmeticError):
        raise NotRead(f"the terms have {fields!r} where a price should be") from None


def _read_names(names: Any) -> tuple[str, ...]:
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(names)
    raise NotRead(f"the terms have {names!r} where names of functions should be")


def _read_phrase(pair: Any) -> tuple[str, str]:
    match pair:
        case [str() as phrase, str() as command]:
            return phrase, command
    raise NotRead(f"the terms have {pair!r} where a phrase and its command should be")


def _read_turn(fields: Any) -> Turn:
    match fields:
        case {"role": "user" | "assistant" as role, "text": str(), "cut": bool(), "unsaid": str()}:
            return Turn(role, fields["text"], fields["cut"], fields["unsaid"])
    raise NotRead(f"the terms have {fields!r} where a line of the history should be")
