"""The conversation as JSON, a line each, as the module's docstring has it."""

import io
import json
from typing import Any

import pytest

from rtassist.dialogue import effects, events
from rtassist.dialogue.doing import Doing, Standing
from rtassist.errors import Failure
from rtassist.protocol import InputTokenDetails, Response, ResponseDone, Usage
from rtassist.terminal import machine
from rtassist.terminal.machine import Machine
from rtassist.terminal.screen import OutputClosed
from tests.terminal.test_screen import Broken

USAGE = Usage(
    total_tokens=30,
    input_tokens=20,
    output_tokens=10,
    input_token_details=InputTokenDetails(text_tokens=20, cached_tokens=5),
)


def told(*what: events.Event | effects.Effect) -> list[dict[str, Any]]:
    out = io.StringIO()
    writer = Machine(out, secrets=["hunter2-hunter2"])
    for index, each in enumerate(what):
        writer.note(index * 1500, each)
    assert all(line.isprintable() for line in out.getvalue().splitlines())
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (effects.Show(effects.Said("A1", "assistant", " you")), {"type": "words", "words": " you"}),
        (
            effects.Show(effects.LineEnded("U1", "user", "grüß\x1b[2J", typed=True)),
            {"type": "line", "role": "user", "item": "U1", "text": "grüß\x1b[2J", "typed": True},
        ),
        (
            effects.Show(effects.Notice("no such key hunter2-hunter2", "warning")),
            {"type": "notice", "level": "warning", "text": "no such key [secret]"},
        ),
        (
            effects.CallTool("c1", "clock", '{"zone": "UTC"}'),
            {"type": "tool_call", "call": "c1", "name": "clock", "arguments": {"zone": "UTC"}},
        ),
        (effects.CallTool("c1", "clock", '{"zo'), {"type": "tool_call", "arguments": '{"zo'}),
        (events.ToolEnded("c1", "noon"), {"type": "tool_result", "call": "c1", "output": "noon"}),
        (
            events.ServerSaid(
                ResponseDone(event_id="e", response=Response(id="R1", status="completed", usage=USAGE))
            ),
            {
                "type": "usage",
                "response": "R1",
                "status": "completed",
                "total_tokens": 30,
                "input_tokens": 20,
                "output_tokens": 10,
                "input_token_details": {"text_tokens": 20, "cached_tokens": 5},
            },
        ),
        (
            effects.Quit(effects.Outcome.LINK_LOST, "gone"),
            {"type": "end", "outcome": "link lost", "message": "gone"},
        ),
    ],
)
def test_what_happens_is_a_line(what: events.Event | effects.Effect, expected: dict[str, Any]) -> None:
    (line,) = told(what)
    assert line["at_ms"] == 0
    assert {name: line[name] for name in expected} == expected


def test_an_interruption_says_what_was_not_heard_and_goes_before_its_line() -> None:
    cut = effects.LineEnded("A1", "assistant", "Once", cut=True, unsaid=" upon a time")
    assert told(events.Interrupted(), effects.Show(cut)) == [
        {"at_ms": 1, "type": "interrupted", "item": "A1", "heard": "Once", "unheard": "upon a time"},
        {
            "at_ms": 1,
            "type": "line",
            "role": "assistant",
            "item": "A1",
            "text": "Once",
            "interrupted": True,
        },
    ]
    (unheard,) = told(effects.Show(effects.LineEnded("A1", "assistant", "", cut=True, unsaid="Hello")))
    assert (unheard["type"], unheard["heard"]) == ("interrupted", "")


@pytest.mark.parametrize(
    "what",
    [
        events.MicHeard(bytes(960)),
        events.Typed("hello"),
        effects.Show(effects.Awaited("A1", "assistant")),
        effects.Show(effects.Notice("noise", "debug")),
        effects.Show(effects.LineEnded("U1", "user", "")),
        effects.Play("A1", bytes(960)),
        events.ServerSaid(ResponseDone(event_id="e", response=Response(id="R1", status="cancelled"))),
    ],
)
def test_what_is_nobodys_business_is_none(what: events.Event | effects.Effect) -> None:
    assert told(what) == []


def test_it_says_what_it_is_and_what_the_conversation_does() -> None:
    out = io.StringIO()
    writer = Machine(out)
    writer.note(5_000_000, effects.Quit(effects.Outcome.RESTART))
    writer.begin()
    writer.stands(lambda: Standing(doing=Doing.HEARING))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["type"] for line in lines] == ["end", "begin", "state"]
    assert [line["at_ms"] for line in lines] == [5000, 0, 0]
    assert lines[1]["version"] == machine.VERSION
    assert lines[2]["state"] == "hearing you"


def test_every_type_and_state_is_documented() -> None:
    assert machine.__doc__ is not None
    words = machine.__doc__.replace(",", " ").replace(":", " ")
    for name in (
        "begin",
        "words",
        "line",
        "interrupted",
        "notice",
        "tool_call",
        "tool_result",
        "usage",
        "end",
    ):
        assert f"    {name} " in machine.__doc__
    for doing in Doing:
        assert doing.value in words
    for outcome in effects.Outcome:
        assert outcome.value in words


def test_a_reader_that_leaves_and_a_full_disk_are_told_apart() -> None:
    with pytest.raises(OutputClosed):
        Machine(Broken(BrokenPipeError(32, "Broken pipe"))).begin()
    with pytest.raises(Failure, match="no space left on device"):
        Machine(Broken(OSError(28, "No space left on device"))).begin()
