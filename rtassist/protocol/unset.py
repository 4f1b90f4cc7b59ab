"""Absent is not null: the mark of a field that a message does not have, and fields that no class names."""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, Literal, TypeAlias


class Unset(Enum):
    """The type of `UNSET`. False in a condition, so `value or default` reads an absent or null field."""

    UNSET = "UNSET"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""The field is not in the message. `session.update` merges: absent keeps a setting, null clears it."""

Json: TypeAlias = object
"""Any JSON value, kept as it came. Classes with a field called `object` need this name for the builtin."""

Extras: TypeAlias = Mapping[str, Json]
"""Fields of a message that its class does not name, by their names on the wire."""

NO_EXTRAS: Final[Extras] = MappingProxyType({})
"""No unknown fields. Extras are no part of a value's hash, since JSON has none."""
