import dataclasses
import json
from datetime import date, datetime, time
from enum import Enum, IntEnum
from typing import Any, Literal, NotRequired, TypedDict

import attrs
import pytest

from rtassist.tools.registry import Toolbox, tool
from rtassist.tools.schema import schema_of


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(Enum):
    ONE = 1
    TWO = "two"


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0
    tags: list[str] = dataclasses.field(default_factory=list)
    hidden: int = dataclasses.field(default=0, init=False)


class Options(TypedDict):
    colour: Colour
    size: NotRequired[int]


@attrs.frozen
class Shape:
    corners: tuple[Point, ...]
    opening: time | None = None


@attrs.frozen
class Endless:
    inner: "Endless | None" = None


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (datetime, {"type": "string", "format": "date-time"}),
        (date, {"type": "string", "format": "date"}),
        (time, {"type": "string", "format": "time"}),
        (Colour, {"type": "string", "enum": ["red", "green"]}),
        (Level, {"type": "integer", "enum": [1, 2]}),
        (Literal[1, 2], {"type": "integer", "enum": [1, 2]}),
        (list, {"type": "array"}),
        (list[Any], {"type": "array"}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (
            tuple[int, str],
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "minItems": 2,
                "maxItems": 2,
            },
        ),
        (dict, {"type": "object", "additionalProperties": True}),
        (dict[str, Any], {"type": "object", "additionalProperties": True}),
        (None | int, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (
            Point,
            {
                "type": "object",
                "properties": {
                    "x": {"type": "integer"},
                    "y": {"type": "integer"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["x"],
                "additionalProperties": False,
            },
        ),
        (
            Options,
            {
                "type": "object",
                "properties": {
                    "colour": {"type": "string", "enum": ["red", "green"]},
                    "size": {"type": "integer"},
                },
                "required": ["colour"],
                "additionalProperties": False,
            },
        ),
    ],
    ids=str,
)
def test_a_hint_as_a_schema(hint: Any, schema: dict[str, Any]) -> None:
    assert schema_of(hint) == schema


@pytest.mark.parametrize("hint", [Mixed, Endless, bytes, int | str, dict[int, str], object, Literal["a", 1]])
def test_what_has_no_schema(hint: Any) -> None:
    with pytest.raises(TypeError, match="a tool cannot take"):
        schema_of(hint)


def draw(
    shape: Shape,
    on: datetime,
    colour: Colour = Colour.RED,
    level: Level = Level.LOW,
    ends: tuple[int, str] = (1, "a"),
    options: Options | None = None,
    day: date | None = None,
) -> dict[str, object]:
    """Draw."""
    assert isinstance(shape.corners[0], Point)
    return {
        "colour": colour,
        "level": level,
        "on": on,
        "ends": ends,
        "shape": shape,
        "more": options,
        "day": day,
    }


async def test_arguments_arrive_as_the_classes_and_results_leave_as_json() -> None:
    arguments = {
        "shape": {"corners": [{"x": 1}, {"x": 2, "tags": ["a"]}], "opening": "17:30"},
        "on": "2026-11-22T17:30:00Z",
        "colour": "green",
        "level": 2,
        "ends": [3, "b"],
        "options": {"colour": "red"},
        "day": "2026-11-22",
    }
    answer = json.loads(await Toolbox([tool(draw)]).run("draw", json.dumps(arguments)))
    assert answer["on"] == "2026-11-22T17:30:00+00:00"
    assert (answer["colour"], answer["level"], answer["ends"]) == ("green", 2, [3, "b"])
    assert answer["shape"]["corners"][1] == {"x": 2, "y": 0, "tags": ["a"]}
    assert (answer["shape"]["opening"], answer["more"], answer["day"]) == (
        "17:30:00",
        {"colour": "red"},
        "2026-11-22",
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"colour": "blue"}, "colour must be one of red, green, not 'blue'"),
        ({"level": "1"}, "level must be one of 1, 2, not '1'"),
        ({"level": True}, "level must be one of 1, 2, not True"),
        ({"on": "soon"}, "on must be a date and time such as 2026-11-22T17:30:00, not 'soon'"),
        ({"on": 5}, "on must be a date and time"),
        ({"day": "22.11."}, "day must be a date such as 2026-11-22"),
        ({"shape": {"corners": [{"x": "1"}]}}, "shape.corners[0].x must be a whole number, not '1'"),
        ({"shape": {"corners": [{"z": 1}]}}, "shape.corners[0].x is missing"),
        ({"options": {"colour": "red", "zoom": 2}}, "takes no zoom"),
        ({"ends": [1]}, "ends"),
    ],
)
async def test_arguments_that_do_not_fit_are_told(changed: dict[str, object], words: str) -> None:
    arguments = {"shape": {"corners": []}, "on": "2026-11-22"} | changed
    answer = json.loads(await Toolbox([tool(draw)]).run("draw", json.dumps(arguments)))
    assert words in answer["error"]
