import json
import sys
import threading
from typing import Annotated, Any, Literal

import pytest
import trio
import trio.testing
from attrs import frozen

import rtassist
from rtassist.protocol.session import FunctionTool
from rtassist.tools.marks import Marks
from rtassist.tools.registry import MOST_CHARACTERS, Toolbox, tool


@frozen
class Place:
    city: str
    floors: list[int]
    note: str | None = None


def weather(
    place: Annotated[Place, "Where."],
    unit: Literal["celsius", "kelvin"] = "celsius",
    share: float = 1.0,
    sure: bool = False,
) -> dict[str, object]:
    """Tell the weather
    of a place.

    What stands here is for programmers.
    """
    return {"city": place.city, "floors": place.floors, "unit": unit, "share": share, "sure": sure}


def test_a_function_becomes_a_definition_for_the_model() -> None:
    assert tool(weather).definition == FunctionTool(
        name="weather",
        description="Tell the weather of a place.",
        parameters={
            "type": "object",
            "properties": {
                "place": {
                    "type": "object",
                    "description": "Where.",
                    "properties": {
                        "city": {"type": "string"},
                        "floors": {"type": "array", "items": {"type": "integer"}},
                        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    },
                    "required": ["city", "floors"],
                    "additionalProperties": False,
                },
                "unit": {"type": "string", "enum": ["celsius", "kelvin"]},
                "share": {"type": "number"},
                "sure": {"type": "boolean"},
            },
            "required": ["place"],
            "additionalProperties": False,
        },
    )


async def test_a_mapping_and_no_docstring() -> None:
    def count(votes: dict[str, int]) -> int:
        return sum(votes.values())

    made = tool(count)
    assert made.description == ""
    assert made.schema["properties"] == {
        "votes": {"type": "object", "additionalProperties": {"type": "integer"}}
    }
    assert await Toolbox([made]).run("count", '{"votes": {"a": 2, "b": 3}}') == "5"
    assert "votes['b'] must be a whole number" in await Toolbox([made]).run("count", '{"votes": {"b": "3"}}')


def test_a_toolbox_describes_all_that_is_in_it() -> None:
    assert [each.name for each in Toolbox([tool(weather), tool(starless)]).definitions] == [
        "weather",
        "starless",
    ]


def starless() -> None: ...


def unhinted(a) -> None:  # type: ignore[no-untyped-def] # the missing hint is what is tested
    ...


def starred(*numbers: int) -> None: ...


def bytes_in(data: bytes) -> None: ...


def numbers_in(choice: Literal[1, "two"]) -> None: ...


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (unhinted, "unhinted: the parameter a has no type hint"),
        (starred, "a tool has named parameters, not \\*numbers"),
        (bytes_in, "a tool cannot take <class 'bytes'>"),
        (numbers_in, "a tool cannot take typing.Literal"),
    ],
)
def test_what_no_schema_can_say_fails_when_the_tool_is_made(function: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        tool(function)


async def test_arguments_arrive_as_what_the_hints_say() -> None:
    arguments = {"place": {"city": "Köln", "floors": [1, 2.0]}, "unit": "kelvin", "share": 2}

    answer = await Toolbox([tool(weather)]).run("weather", json.dumps(arguments))

    assert json.loads(answer) == {
        "city": "Köln",
        "floors": [1, 2],
        "unit": "kelvin",
        "share": 2.0,
        "sure": False,
    }
    assert "Köln" in answer


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("{", "the arguments are not JSON"),
        ("[" * 100_000, "the arguments are not JSON"),
        ("[1]", "the arguments are not a JSON object"),
        ("{}", "place is missing"),
        ('{"place": 3}', "place is of the wrong type"),
        ('{"place": {"city": 3, "floors": []}}', "place.city must be text, not 3"),
        ('{"place": {"city": "", "floors": ["one"]}}', "place.floors[0] must be a whole number, not 'one'"),
        ('{"place": {"city": "", "floors": [true]}}', "place.floors[0] must be a whole number, not True"),
        ('{"place": {"city": "", "floors": [1.5]}}', "place.floors[0] must be a whole number, not 1.5"),
        ('{"place": {"city": "", "floors": []}, "sure": "no"}', "sure must be true or false, not 'no'"),
        ('{"place": {"city": "", "floors": []}, "share": "x"}', "share must be a number, not 'x'"),
        ('{"place": {"city": "", "floors": []}, "unit": "f"}', "unit "),
        ('{"place": {"city": "", "floors": []}, "when": 1}', "the function takes no when"),
        ('{"place": {"city": "", "floors": [], "x": 1}}', "place takes no x"),
        ('{"place": {"city": "", "floors": []}, "sure": "%s"}' % ("y" * 99), f"not '{'y' * 58}…"),
    ],
)
async def test_what_the_model_got_wrong_is_told_to_the_model(arguments: str, words: str) -> None:
    answer = json.loads(await Toolbox([tool(weather)]).run("weather", arguments))
    assert words in answer["error"]


async def test_several_mistakes_are_told_together() -> None:
    answer = json.loads(await Toolbox([tool(weather)]).run("weather", '{"sure": 1, "share": "x"}'))
    assert answer["error"].split("; ") == [
        "place is missing",
        "share must be a number, not 'x'",
        "sure must be true or false, not 1",
    ]


async def test_a_function_that_is_not_there() -> None:
    assert json.loads(await Toolbox([tool(weather)]).run("wether", "{}")) == {
        "error": "there is no function wether; there are: weather"
    }
    assert "there are: none" in await Toolbox().run("weather", "{}")


async def test_a_plain_function_runs_beside_the_conversation_and_text_stays_text() -> None:
    def where() -> str:
        """Tell the thread."""
        return "elsewhere" if threading.current_thread() is not threading.main_thread() else "here"

    assert await Toolbox([tool(where)]).run("where", "") == "elsewhere"


async def test_an_async_function_runs_in_the_conversations_own_loop() -> None:
    async def where() -> str:
        await trio.lowlevel.checkpoint()
        return "here" if threading.current_thread() is threading.main_thread() else "elsewhere"

    assert await Toolbox([tool(where)]).run("where", "{}") == "here"


async def test_a_function_that_takes_too_long_is_given_up(autojump_clock: trio.testing.MockClock) -> None:
    async def sleep() -> None:
        await trio.sleep(3600)

    answer = await Toolbox([tool(sleep)], deadline_s=5).run("sleep", "{}")

    assert json.loads(answer) == {"error": "sleep took longer than 5 seconds and was given up"}
    assert trio.current_time() == 5


async def test_a_plain_function_that_hangs_is_left_behind(mock_clock: trio.testing.MockClock) -> None:
    began, free = threading.Event(), threading.Event()

    def hang() -> None:
        began.set()
        free.wait(60)

    answers = []

    async def call() -> None:
        answers.append(await Toolbox([tool(hang)], deadline_s=5).run("hang", "{}"))

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(call)
            await trio.to_thread.run_sync(began.wait, 60)
            mock_clock.jump(6)
    finally:
        free.set()
    assert "given up" in answers[0]


async def test_a_function_that_fails_is_answered_with_its_reason() -> None:
    def divide() -> float:
        return 1 / 0

    def mute() -> None:
        raise RuntimeError

    def odd() -> object:
        return {1, 2}

    toolbox = Toolbox([tool(divide), tool(mute), tool(odd)])
    assert json.loads(await toolbox.run("divide", "{}")) == {"error": "divide failed: division by zero"}
    assert json.loads(await toolbox.run("mute", "{}")) == {"error": "mute failed: RuntimeError"}
    assert json.loads(await toolbox.run("odd", "{}")) == "{1, 2}"


async def test_cancelling_a_call_is_no_answer() -> None:
    async def wait() -> None:
        await trio.sleep_forever()

    with trio.CancelScope() as scope:
        scope.cancel()
        await Toolbox([tool(wait)]).run("wait", "{}")
        pytest.fail("the cancellation was swallowed")
    assert scope.cancelled_caught


async def test_a_result_that_is_too_long_is_cut_and_says_so() -> None:
    def read() -> str:
        return "x" * (MOST_CHARACTERS + 1)

    answer = await Toolbox([tool(read)]).run("read", "{}")
    assert answer.startswith("x" * MOST_CHARACTERS + "\n[Cut here")
    assert answer.endswith(f"the first {MOST_CHARACTERS} of {MOST_CHARACTERS + 1} characters.]")


async def test_what_nobody_is_to_read_is_taken_out_of_results_and_errors() -> None:
    def tell(fails: bool = False) -> dict[str, str]:
        if fails:
            raise ValueError("hunter22 is wrong")
        return {"key": "hunter22"}

    toolbox = Toolbox([tool(tell)], redact=lambda text: text.replace("hunter22", "[secret]"))
    assert await toolbox.run("tell", "{}") == '{"key": "[secret]"}'
    assert "[secret] is wrong" in await toolbox.run("tell", '{"fails": true}')


async def test_a_function_that_wants_to_leave_the_program_does_not() -> None:
    def leave() -> None:
        sys.exit("no more")

    assert json.loads(await Toolbox([tool(leave)]).run("leave", "{}")) == {"error": "leave failed: no more"}


async def test_a_mark_says_name_deadline_and_manners(autojump_clock: trio.testing.MockClock) -> None:
    @rtassist.tool(name="look_up", asks=True, on_interrupt="cancel", timeout_s=2)
    async def search(words: str) -> str:
        """Search."""
        await trio.sleep(3)
        return words

    @rtassist.tool
    def plain() -> None: ...

    toolbox = Toolbox([tool(search), tool(plain)], deadline_s=60)
    assert search.__name__ == "search"
    assert [each.name for each in toolbox.definitions] == ["look_up", "plain"]
    assert (toolbox.asking, toolbox.cancelled) == (("look_up",), ("look_up",))
    assert "longer than 2 seconds" in await toolbox.run("look_up", '{"words": "a"}')
    with pytest.raises(ValueError, match="on_interrupt must be"):
        rtassist.tool(on_interrupt="stop")(search)  # type: ignore[call-overload]  # what is wrong is tested


async def test_what_was_decorated_and_gives_a_coroutine_is_waited_for() -> None:
    async def slowly() -> str:
        await trio.lowlevel.checkpoint()
        return "here"

    def wrapped() -> Any:
        return slowly()

    assert await Toolbox([tool(wrapped)]).run("wrapped", "{}") == "here"


async def test_plain_functions_run_side_by_side() -> None:
    meet = threading.Barrier(3)

    def wait() -> str:
        meet.wait(30)
        return "met"

    toolbox, answers = Toolbox([tool(wait)]), []

    async def call() -> None:
        answers.append(await toolbox.run("wait", "{}"))

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(call)
    assert answers == ["met"] * 3


@pytest.mark.parametrize("name", ["", "grüße", "a b", "x" * 65])
def test_a_name_that_the_protocol_does_not_take(name: str) -> None:
    def plain() -> None: ...

    with pytest.raises(TypeError, match="a tool's name has"):
        tool(plain, Marks(name=name or "."))


def test_a_hint_that_cannot_be_read() -> None:
    def lost(a: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821  # that is what is tested

    with pytest.raises(TypeError, match="a type hint cannot be read"):
        tool(lost)


def test_what_the_docstring_says_of_parameters_is_in_the_schema() -> None:
    def add(a: int, b: Annotated[int, "The other."]) -> int:
        """Add.

        Args:
            a: The one.
            b: Not this.
            c: Nor this.
        """
        return a + b

    described = {name: schema["description"] for name, schema in tool(add).schema["properties"].items()}
    assert described == {"a": "The one.", "b": "The other."}
