"""Which class of ours is which model of the openai package: both walked along the same example."""

import json
from functools import cache
from typing import Any

import attrs
from pydantic import BaseModel

from tests.protocol.openai_types import DECODERS, EVENTS, examples, judge_of


@cache
def matches() -> dict[type, set[type[BaseModel]]]:
    """Our class → the package's models whose place it takes, over all examples of all events."""
    found: dict[type, set[type[BaseModel]]] = {}
    for side, models in EVENTS.items():
        for model in models.values():
            for example in examples(model):
                frame = json.dumps(example)
                _walk(DECODERS[side](frame), judge_of(model).validate_json(frame), found)
    return found


def _walk(ours: Any, theirs: Any, found: dict[type, set[type[BaseModel]]]) -> None:
    if isinstance(theirs, BaseModel):
        if not attrs.has(type(ours)):
            raise AssertionError(f"{type(ours).__name__} in the place of {type(theirs).__name__}")
        found.setdefault(type(ours), set()).add(type(theirs))
        for name, field in type(theirs).model_fields.items():
            _walk(getattr(ours, field.alias or name), getattr(theirs, name), found)
    elif isinstance(theirs, list):
        for our_item, their_item in zip(ours, theirs, strict=True):
            _walk(our_item, their_item, found)
    elif isinstance(theirs, dict):
        for key, value in theirs.items():
            _walk(ours[key], value, found)
