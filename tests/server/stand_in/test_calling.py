"""Functions called by their names, without a model that would read their descriptions."""

import json
from typing import Any

import pytest

from rtassist.protocol import FunctionTool
from rtassist.server.parts import Call
from rtassist.server.stand_in.calling import call_of


def offered(name: str, **kinds: Any) -> FunctionTool:
    properties = {key: kind if isinstance(kind, dict) else {"type": kind} for key, kind in kinds.items()}
    return FunctionTool(name=name, parameters={"type": "object", "properties": properties})


TOOLS = (
    offered("roll_dice", sides="integer"),
    offered("roll", what="string"),
    offered("add", a="number", b="number"),
    offered("sendMail", to="string", text="string", urgent="boolean"),
    offered("pick", out_of={"type": "array", "items": {"type": "integer"}}),
    offered("wait", seconds={"anyOf": [{"type": "number"}, {"type": "null"}]}),
    offered("now"),
)


@pytest.mark.parametrize(
    ("said", "name", "arguments"),
    [
        ("use roll_dice with sides 6", "roll_dice", {"sides": 6}),
        ("Roll dice, please", "roll_dice", {"sides": "please"}),
        ("roll dice 6.", "roll_dice", {"sides": 6}),
        ("please call the function roll-dice(sides=20)", "roll_dice", {"sides": 20}),
        ("use the tool roll_dice", "roll_dice", {}),
        ("roll dice with sides twenty one", "roll_dice", {"sides": 21}),
        ("roll the ball", "roll", {"what": "the ball"}),
        ("add 2 and 3", "add", {"a": 2, "b": 3}),
        ("add b 3, a 2.5", "add", {"a": 2.5, "b": 3}),
        ("add a=2 and 3", "add", {"a": "2 and 3"}),
        ("send mail to Ada, text come at five, and bring tea", "sendMail", None),
        ("send mail to Ada with text hello and urgent yes", "sendMail", None),
        ("pick 1, 2 and 3", "pick", {"out_of": [1, 2, 3]}),
        ("wait five", "wait", {"seconds": 5}),
        ("use now", "now", {}),
    ],
)
def test_a_name_and_what_stands_behind_it(said: str, name: str, arguments: dict[str, object] | None) -> None:
    call = call_of(said, TOOLS)
    assert isinstance(call, Call)
    assert call.name == name
    if arguments is not None:
        assert json.loads(call.arguments) == arguments


def test_a_text_with_commas_is_one_argument() -> None:
    call = call_of("use sendMail to Ada, text come at five, and bring tea; urgent no", TOOLS)
    assert call is not None
    assert json.loads(call.arguments)["text"] == "come at five, and bring tea"
    assert json.loads(call.arguments)["urgent"] is False


@pytest.mark.parametrize("said", ["", "what is a dice roll", "rolls", "adder 2 3", "use", "use nothing"])
def test_what_begins_with_no_name_calls_nothing(said: str) -> None:
    assert call_of(said, TOOLS) is None
    assert call_of("roll dice", ()) is None
