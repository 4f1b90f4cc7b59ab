"""`rtassist talk` as it is seen: on a terminal, as plain lines, and as JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from tests.talking import QUESTION, environment, silence, speech, talk
from tests.test_cli import rtassist

if sys.platform != "win32":
    from tests.terminal.emulator import terminal

on_unix = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")


@on_unix
@pytest.mark.parametrize(("columns", "resized"), [(80, 40), (200, 80)])
async def test_a_conversation_on_a_terminal_that_is_resized(
    columns: int, resized: int, tmp_path: Path
) -> None:
    with terminal(columns) as emulator:
        more = {"TERM": "linux", "XDG_STATE_HOME": str(tmp_path), "RTASSIST_RECORD": str(tmp_path / "r")}
        with talk(
            *("--offline", "--text"),
            folder=tmp_path,
            environment=environment(tmp_path, **more),
            stdin=emulator.inside,
            stdout=emulator.inside,
            stderr=emulator.inside,
        ) as process:
            try:
                await emulator.until_shown("● ready")
                emulator.type(b"what is 17 times 23\r")
                await emulator.until_shown("391")
                emulator.resize(resized, 24)
                await emulator.until(lambda: emulator.lines()[-2].startswith("● ready"))
                emulator.type(b"/he")
                await emulator.until_shown("> /he   /help")
                emulator.type(b"\t\r")
                await emulator.until_shown("/restart")
                emulator.type(b"/quit\r")
                await emulator.until(lambda: process.poll() is not None)
                emulator.read()
            finally:
                process.kill()
        shown = emulator.everything()
        assert process.returncode == 0
        assert [line for line in shown if line.startswith(("you:", "assistant:"))] == [
            "you: what is 17 times 23",
            "assistant: Seventeen times twenty-three is 391."[:resized].rstrip(),
        ]
        assert "> /help" in shown
        assert "rtassist replay" in "".join(shown)
        assert not any(line.startswith("●") for line in shown)
        assert all(len(line) <= max(columns, resized) for line in shown)


@on_unix
@pytest.mark.parametrize("term", ["dumb", ""])
async def test_a_terminal_that_can_do_nothing_gets_lines(term: str, tmp_path: Path) -> None:
    with terminal() as emulator:
        with talk(
            *("--offline", "--text"),
            folder=tmp_path,
            environment=environment(tmp_path, TERM=term),
            stdin=emulator.inside,
            stdout=emulator.inside,
            stderr=emulator.inside,
        ) as process:
            try:
                await emulator.until_shown("Type.")
                emulator.type(b"what is 17 times 23\n")
                await emulator.until_shown("391")
                emulator.type(b"\x04")
                await emulator.until(lambda: process.poll() is not None)
                emulator.read()
            finally:
                process.kill()
        assert b"\x1b" not in emulator.written


@on_unix
async def test_plain_on_a_terminal_is_one_line_an_utterance(tmp_path: Path) -> None:
    with terminal(40) as emulator:
        with talk(
            *("--offline", "--text", "--plain", "--timestamps", "--quiet"),
            folder=tmp_path,
            environment=environment(tmp_path, TERM="xterm"),
            stdin=subprocess.PIPE,
            stdout=emulator.inside,
        ) as process:
            try:
                assert process.stdin is not None
                process.stdin.write(b"tell me a story\n")
                process.stdin.close()
                await emulator.until(lambda: process.poll() is not None)
                emulator.read()
            finally:
                process.kill()
        told = emulator.written.decode()
        assert told.count("\n") == 1
        assert told[2] == told[5] == ":"
        assert "Here is a long story" in told
        assert "\x1b" not in told


def test_events_are_json_and_nothing_else_is_on_stdout(tmp_path: Path) -> None:
    told = rtassist(
        *("talk", "--offline", "--text", "--events", "-"),
        folder=tmp_path,
        typed="set a timer for 1 hour\nwhat is 17 times 23\n",
    )
    assert told.returncode == 0
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    kinds = [line["type"] for line in lines]
    assert kinds[0] == "begin"
    assert kinds[-1] == "end"
    assert {"state", "words", "line", "tool_call", "tool_result", "usage"} <= set(kinds)
    said = [(line["role"], line["text"]) for line in lines if line["type"] == "line"]
    assert ("user", "what is 17 times 23") in said
    assert any(role == "assistant" and "391" in text for role, text in said)
    for role, text in said:
        words = "".join(line["words"] for line in lines if line["type"] == "words" and line["role"] == role)
        assert role == "user" or text in words
    (call,) = [line for line in lines if line["type"] == "tool_call"]
    assert isinstance(call["arguments"], dict)
    assert [line["at_ms"] for line in lines] == sorted(line["at_ms"] for line in lines)


def test_events_in_a_file_are_added_and_the_conversation_is_shown_as_ever(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    for _ in range(2):
        told = rtassist(
            "talk",
            "--offline",
            "--text",
            "--events",
            str(file),
            folder=tmp_path,
            typed="what is 17 times 23\n",
        )
        assert told.stdout.count("391") == 1
    assert [json.loads(line)["type"] for line in file.read_text().splitlines()].count("begin") == 2


def test_events_that_nobody_reads_end_it_and_a_place_that_is_none_is_told(tmp_path: Path) -> None:
    told = rtassist("talk", "--offline", "--text", "--events", "/nowhere/x", folder=tmp_path, typed="hello\n")
    assert told.returncode == 2
    assert "--events is /nowhere/x, which cannot be written (no such file or directory)." in told.stderr
    both = rtassist("talk", "--offline", "--events", "-", "--speaker", "-", folder=tmp_path)
    assert both.returncode == 2
    assert "both want stdout" in both.stderr
    with subprocess.Popen(
        [sys.executable, "-m", "rtassist", "talk", "--offline", "--text", "--events", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(tmp_path),
    ) as talking:
        assert talking.stdin is not None
        assert talking.stdout is not None
        talking.stdout.close()
        talking.stdin.close()
        assert talking.wait(30) == 141


@on_unix
@pytest.mark.offline
async def test_sound_in_a_pipe_and_events_out_of_one(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with talk(
        *("--offline", "--mic", "-", "--speaker", "none", "--events", "-", "--fast"),
        folder=tmp_path,
        environment=environment(tmp_path),
        stdin=reading,
    ) as process:
        os.close(reading)
        with os.fdopen(writing, "wb") as microphone:
            microphone.write(speech(f"{QUESTION}_slt").tobytes() + silence(1).tobytes())
        out, _ = await trio.to_thread.run_sync(process.communicate)
    assert process.returncode == 0
    lines = [json.loads(line) for line in out.splitlines()]
    assert "hearing you" in [line.get("state") for line in lines]
    assert any(line["type"] == "line" and "391" in line["text"] for line in lines)
