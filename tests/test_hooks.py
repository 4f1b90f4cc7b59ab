"""Commands that are told what happens: real processes, which nobody waits for."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
import trio

from rtassist.dialogue import events
from rtassist.dialogue.effects import CallTool, LineEnded, Listen, Outcome, Quit, Show
from rtassist.hooks import AT_ONCE, GRACE_S, MOST_WAITING, Account, running
from rtassist.protocol import Response, ResponseDone, Usage
from rtassist.setting_tools import HOOK_EVENTS, Hook

NOW = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
ANSWER = Show(LineEnded("A1", "assistant", "It is", cut=True, unsaid=" five."))
QUESTION = Show(LineEnded("U1", "user", "What time is it?"))
DONE = events.ServerSaid(
    ResponseDone(response=Response(id="R1", status="completed", usage=Usage(total_tokens=5)))
)


def python(program: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program)


def keeps(path: Path) -> tuple[str, ...]:
    """A command that adds what it is told to a file."""
    return python(f"import sys; open({str(path)!r}, 'a').write(sys.stdin.read())")


def test_what_happens_is_told_in_the_documented_fields() -> None:
    account = Account()
    happened = [
        (0, Listen()),
        (1, QUESTION),
        (2, CallTool("c1", "roll", '{"sides":6}')),
        (1_500_002, events.ToolEnded("c1", "4")),
        (1_500_003, events.ToolEnded("c2", "of nobody")),
        (2_000_000, ANSWER),
        (2_000_001, DONE),
        (2_000_002, Show(LineEnded("U2", "user", ""))),
        (2_000_003, events.Interrupted()),
        (3_000_000, Quit(Outcome.LINK_LOST, "It was lost.")),
    ]
    told = [fields for us, what in happened for fields in account.told(us, what)]  # type: ignore[arg-type]  # of many kinds
    assert told == [
        {"event": "session.started"},
        {"event": "turn.done", "role": "user", "text": "What time is it?", "cut": False, "unsaid": ""},
        {
            "event": "tool.done",
            "id": "c1",
            "name": "roll",
            "arguments": '{"sides":6}',
            "output": "4",
            "duration_ms": 1500,
        },
        {"event": "turn.done", "role": "assistant", "text": "It is", "cut": True, "unsaid": " five."},
        {"event": "interrupted", "text": "It is", "unsaid": " five."},
        {"event": "response.done", "id": "R1", "status": "completed", "usage": {"total_tokens": 5}},
        {"event": "session.ended", "outcome": "link lost", "message": "It was lost."},
    ]
    assert {fields["event"] for fields in told} == set(HOOK_EVENTS)
    assert list(account.broken_off()) == []


async def told_by(*hooks: Hook, then: Callable[[], None] = lambda: None) -> list[str]:
    """What the user is told when these hooks hear of a question, and of the conversation's beginning."""
    sentences: list[str] = []
    async with running(hooks, {"PATH": "/usr/bin:/bin", "OURS": "1"}, sentences.append, lambda: NOW) as note:
        note(0, Listen())
        note(1, QUESTION)
        note(2, QUESTION)
        then()
    return sentences


async def test_a_command_gets_the_event_on_its_stdin_and_runs_to_its_end(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    hooks = (Hook("session.started", keeps(kept)), Hook("session.ended", keeps(kept)))
    with trio.fail_after(60):
        while True:  # one second is all that they have, and the machine may be busy
            assert await told_by(*hooks) == []
            lines = await trio.Path(kept).read_text() if await trio.Path(kept).exists() else ""
            if lines.count("\n") >= 2:
                break
    told = [json.loads(line) for line in lines.splitlines()]
    assert {"event": "session.started", "time": "2026-11-22T17:30:00+00:00"} in told
    assert {
        "event": "session.ended",
        "outcome": "interrupted",
        "message": "",
        "time": "2026-11-22T17:30:00+00:00",
    } in told


async def test_a_command_that_fails_is_told_once() -> None:
    sentences: list[str] = []
    broken = Hook("turn.done", python("import sys; sys.exit('no \\x1b disk')"))
    missing = Hook("turn.done", ("rtassist-nonsuch",))
    with trio.fail_after(60):
        async with running((broken, missing), {}, sentences.append, lambda: NOW) as note:
            for us in range(3):
                note(us, QUESTION)
            while len(sentences) < 2:  # noqa: ASYNC110  # processes set no event
                await trio.sleep(0.01)
    assert sorted(sentences) == sorted(
        [
            f"--exec turn.done={sys.executable}: it ended with 1 (no \x1b disk). It is not told again.",
            "--exec turn.done=rtassist-nonsuch: it cannot be run: no such file or directory. "
            "It is not told again.",
        ]
    )


async def test_no_shell_reads_a_command_and_no_key_is_in_its_environment(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    program = f"import os, sys; open({str(kept)!r}, 'w').write(sys.argv[1] + str(sorted(os.environ)))"
    hook = Hook("turn.done", (*python(program), "; $(touch nonsuch) `id` $OURS"))
    with trio.fail_after(60):
        async with running((hook,), {"OURS": "1"}, pytest.fail, lambda: NOW) as note:
            note(0, QUESTION)
            text = ""
            while not text.endswith("]"):
                await trio.sleep(0.01)
                text = await trio.Path(kept).read_text() if await trio.Path(kept).exists() else ""
    assert "'OURS'" in text
    text = await trio.Path(kept).read_text()
    assert text.startswith("; $(touch nonsuch) `id` $OURS[")


async def test_commands_that_hang_hold_nobody_up_and_end_with_the_program() -> None:
    sentences: list[str] = []
    hanging = Hook("turn.done", python("import time; time.sleep(600)"))
    began = trio.current_time()
    async with running((hanging,), {}, sentences.append, lambda: NOW) as note:
        for us in range(AT_ONCE + MOST_WAITING + 5):
            note(us, QUESTION)
        assert trio.current_time() - began < GRACE_S, "it waits for nothing"
    assert trio.current_time() - began < 30, "ten times the grace, on a busy machine"
    assert sentences == [
        f"--exec turn.done={sys.executable}: it is too slow, and some of what happens is left out. "
        "It is not told again."
    ]


async def test_ctrl_c_still_tells_the_end(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with trio.fail_after(60):
        while not await trio.Path(kept).exists() or not await trio.Path(kept).read_text():
            with trio.CancelScope() as ctrl_c:
                async with running(
                    (Hook("session.ended", keeps(kept)),), {}, pytest.fail, lambda: NOW
                ) as note:
                    note(0, Listen())
                    ctrl_c.cancel()
                    await trio.sleep_forever()
    assert json.loads((await trio.Path(kept).read_text()).splitlines()[0])["outcome"] == "interrupted"


async def test_without_hooks_nothing_runs() -> None:
    async with running((), {}, pytest.fail, lambda: NOW) as note:
        note(0, QUESTION)


def test_a_usage_is_told_in_the_servers_names() -> None:
    (fields,) = Account().told(0, attrs.evolve(DONE))
    assert "extras" not in json.dumps(fields)
