"""Functions that the model calls: asked, running, answered."""

import pytest

from rtassist.dialogue import wording
from rtassist.dialogue.effects import CallTool, CancelTool, Send, SetAlarm
from rtassist.dialogue.events import Interrupted, TimerDue, ToolEnded
from rtassist.protocol import UNSET, FunctionCall, Response, ResponseDone
from tests.playbook import (
    Playbook,
    Says,
    Wait,
    after,
    audio,
    call_tool,
    cancel,
    create,
    created,
    done,
    ended,
    finish,
    function_call,
    hush,
    listening,
    message,
    play,
    said,
    speech_started,
    speech_stopped,
    system_message,
    tool_output,
    truncate,
    typed,
)


def test_a_function_is_run_and_its_result_spoken_about() -> None:
    assert (
        Playbook(after(listening(), created("R1")))
        >> done("R1", calls=[function_call("c1", "get_time", '{"zone":"UTC"}')])
        << call_tool("c1", "get_time", '{"zone":"UTC"}')
        >> ToolEnded("c1", "12:00")
        << tool_output("c1", "12:00")
        << create()
        >> created("R2")
        >> audio("A2", ms=100)
        << play("A2", ms=100)
    )


@pytest.mark.parametrize("order", [("c1", "c2"), ("c2", "c1")])
def test_the_results_of_parallel_calls_are_one_response(order: tuple[str, str]) -> None:
    first, second = order
    assert (
        Playbook(after(listening(), created("R1")))
        >> done("R1", calls=[function_call("c1"), function_call("c2")])
        << call_tool("c1")
        << call_tool("c2")
        >> ToolEnded(first, "one")
        << tool_output(first, "one")
        >> ToolEnded(second, "two")
        << tool_output(second, "two")
        << create()
    )


def test_calls_of_two_responses_do_not_wait_for_each_other() -> None:
    assert (
        Playbook(after(listening(), created("R1"), done("R1", calls=[function_call("c1")]), created("R2")))
        >> done("R2", calls=[function_call("c2")])
        << call_tool("c2")
        >> ToolEnded("c2", "two")
        << tool_output("c2", "two")
        << create()
        >> ToolEnded("c1", "one")
        << tool_output("c1", "one")
        >> created("R3")
        >> done("R3")
        << create()
    )


def test_after_stop_a_result_is_delivered_and_not_spoken_about() -> None:
    assert (
        Playbook(after(listening(), created("R1")))
        >> done("R1", calls=[function_call("c1"), function_call("c2")])
        << call_tool("c1")
        << call_tool("c2")
        >> ToolEnded("c1", "one")
        << tool_output("c1", "one")
        >> Interrupted()
        >> ToolEnded("c2", "two")
        << tool_output("c2", "two")
    )


def test_stop_goes_for_the_calls_of_a_response_that_is_done_before_its_cancellation_comes() -> None:
    assert (
        Playbook(after(listening(), created("R1"), audio("A1", ms=100)))
        >> Interrupted()
        << hush("A1")
        >> done("R1", calls=[function_call("c1")])
        << call_tool("c1")
        >> ended("A1", ms=50)
        << truncate("A1", ms=50)
        >> ToolEnded("c1", "one")
        << tool_output("c1", "one")
    )


def test_stop_goes_for_the_calls_of_a_response_that_had_not_begun() -> None:
    assert (
        Playbook(after(listening(), typed("hello"), Interrupted()))
        >> created("R1")
        << cancel("R1")
        >> done("R1", calls=[function_call("c1")])
        << call_tool("c1")
        >> ToolEnded("c1", "one")
        << tool_output("c1", "one")
    )


def test_a_typed_line_does_not_stop_what_runs() -> None:
    assert (
        Playbook(after(listening(), created("R1"), done("R1", calls=[function_call("c1")])))
        >> typed("and tomorrow?")
        << message("and tomorrow?")
        << create()
        >> created("R2")
        >> ToolEnded("c1", "one")
        << tool_output("c1", "one")
        >> done("R2")
        << create()
    )


def test_a_result_waits_until_the_user_has_spoken() -> None:
    assert (
        Playbook(after(listening(), created("R1"), done("R1", calls=[function_call("c1")])))
        >> speech_started("U1")
        >> ToolEnded("c1", "one")
        << tool_output("c1", "one")
        >> speech_stopped("U1")
        >> created("R2")
        >> done("R2")
    )


@pytest.mark.parametrize("status", ["cancelled", "incomplete", "failed"])
def test_calls_of_a_response_that_is_not_whole_are_not_run(status: str) -> None:
    assert Playbook(after(listening(), created("R1"))) >> done("R1", status, calls=[function_call("c1")])


def test_only_whole_function_calls_are_run() -> None:
    calls = (
        FunctionCall(call_id="c1", name="half", arguments='{"a', status="incomplete"),
        FunctionCall(call_id=None, name="nameless"),
        FunctionCall(call_id="c2", name="bare"),
        FunctionCall(call_id="c2", name="again"),
    )
    response = Response(id="R1", output=calls)
    assert (
        Playbook(after(listening(), created("R1")))
        >> said(ResponseDone(response=response))
        << call_tool("c2", "bare", "{}")
    )


@pytest.mark.parametrize("response", [Response(id=UNSET), Response(id="R1", status="completed", output=None)])
def test_a_response_without_an_id_or_output_calls_nothing(response: Response) -> None:
    assert Playbook(after(listening(), created("R1"))) >> said(ResponseDone(response=response))


def test_a_response_that_is_done_twice_calls_once() -> None:
    twice = done("R1", calls=[function_call("c1")])
    assert (
        Playbook(after(listening(), created("R1")))
        >> twice
        << call_tool("c1")
        >> ToolEnded("c1", "one")
        << tool_output("c1", "one")
        << create()
        >> twice
        >> ToolEnded("c1", "one")
    )


def test_a_response_that_never_began_calls_nothing() -> None:
    assert Playbook(listening()) >> done("R1", calls=[function_call("c1")])


def test_a_spoken_preamble_plays_on_while_the_function_runs() -> None:
    assert (
        Playbook(after(listening(), created("R1"), audio("A1", ms=900)))
        >> done("R1", calls=[function_call("c1")])
        << finish("A1")
        << call_tool("c1")
        >> ToolEnded("c1", "one")
        << tool_output("c1", "one")
        << create()
        >> created("R2")
        >> audio("A2", ms=100)
        << play("A2", ms=100)
        >> ended("A1", ms=900)
    )


def test_a_timer_that_is_due_is_told_by_the_model() -> None:
    assert (
        Playbook(listening())
        >> TimerDue("tea")
        << system_message("The timer 'tea' is due. Tell the user now, in one short sentence.")
        << create()
    )


def test_stop_ends_the_calls_of_functions_that_want_it_and_leaves_others_alone() -> None:
    calls = [function_call("c1", "search"), function_call("c2", "order")]
    assert (
        Playbook(after(listening(cancels=("search",)), created("R1"), done("R1", calls=calls)))
        >> Interrupted()
        << CancelTool("c1")
        >> ToolEnded("c1", "cancelled")
        << tool_output("c1", "cancelled")
        >> ToolEnded("c2", "two")
        << tool_output("c2", "two")
    )


def test_speech_and_typed_lines_cancel_no_call() -> None:
    state = listening(cancels=("search",))
    calls = [function_call("c1", "search")]
    assert (
        Playbook(after(state, created("R1"), done("R1", calls=calls)))
        >> speech_started("U1")
        >> speech_stopped("U1")
        >> typed("go on")
        << message("go on")
    )


def test_the_user_sees_a_call_begin_and_end() -> None:
    output = "it is  six\n" + "x" * 100
    playbook = Playbook(
        after(listening(shows_calls=True), created("R1")), blind_to=(Send, SetAlarm, CallTool)
    )
    playbook >> done("R1", calls=[function_call("c1", "roll", '{"sides":6,"how":"well\\u202e"}')])
    playbook << Says('→ roll(sides=6, how="well�")') >> Wait(1_230_000) >> ToolEnded("c1", output)
    assert playbook << Says("← roll, 1.2 s: it is six xxx")


@pytest.mark.parametrize("arguments", ['{"a', "[1]", "[" * 100_000])
def test_arguments_that_are_no_object_are_shown_as_they_are(arguments: str) -> None:
    told = wording.call("roll", arguments)
    assert told.startswith(f"roll({arguments[:3]}")
    assert len(told) < 100
