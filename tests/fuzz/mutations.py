"""Frames of a server, spoilt: what each mutation does to a JSON value, at a place that a number names."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from tests.protocol.openai_types import EVENTS, examples

Json = Any
Place = tuple[Any, Any]
"""A dict or list, and a key or index of it."""

MORE: Final = int(os.environ.get("RTASSIST_TEST_FUZZ", "1"))
"""So many times as many examples as every run of the tests looks at."""
DEEP: Final = 3_000
"""Levels: past what Python's own reader and any recursion can take."""


def places(value: Json) -> Iterator[Place]:
    """All of them in a value, outer ones first."""
    keys: Any = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
    for key in keys:
        yield from places(value[key])


def _drop(holder: Any, key: Any) -> None:
    del holder[key]


def _put(made: Callable[[], Json]) -> Callable[[Any, Any], None]:
    def put(holder: Any, key: Any) -> None:
        holder[key] = made()

    return put


def _extra(holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        holder["obfuscation"] = {"a": [None, holder[key]]}
    else:
        holder.append(copy.deepcopy(holder[key]))


def _wrap(holder: Any, key: Any) -> None:
    holder[key] = [holder[key]]


def _negative(holder: Any, key: Any) -> None:
    holder[key] = -abs(holder[key]) - 1 if isinstance(holder[key], int | float) else -1


MUTATIONS: Final[dict[str, Callable[[Any, Any], None]]] = {
    "drop": _drop,
    "null": _put(lambda: None),
    "a number": _put(lambda: 7),
    "a fraction": _put(lambda: 0.5),
    "huge": _put(lambda: 10**400),
    "64 bits and one": _put(lambda: 2**64),
    "negative": _negative,
    "true": _put(lambda: True),
    "text": _put(lambda: "x"),
    "empty text": _put(lambda: ""),
    "control characters": _put(lambda: "\x1b[2J\x00\u2028\u202e"),
    "long text": _put(lambda: "word " * 20_000),
    "lone surrogate": _put(lambda: "\ud83d"),
    "object": _put(dict),
    "list": _put(list),
    "wrapped": _wrap,
    "extra": _extra,
}


def spoilt(event: Json, changes: list[tuple[str, int]]) -> Json:
    """A copy of the event after these mutations, each at the place of its number (modulo their count)."""
    changed = copy.deepcopy(event)
    for name, number in changes:
        found = [*places(changed)]
        if not found:
            break
        MUTATIONS[name](*found[number % len(found)])
    return changed


def frame_of(event: Json, *, deep: bool = False) -> str:
    """As a server might write it; `deep` nests something inside."""
    text = json.dumps(event, separators=(",", ":"))
    return text[:-1] + ',"deep":' + "[" * DEEP + "]" * DEEP + "}" if deep and text.endswith('"}') else text


@cache
def server_events() -> tuple[Json, ...]:
    """An example of every event that a server may send, and of every variant in it."""
    return tuple(example for model in EVENTS["server"].values() for example in examples(model))
