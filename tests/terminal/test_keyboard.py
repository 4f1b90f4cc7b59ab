"""Lines from pipes, files and terminals."""

import os
import pty
import sys
from contextlib import aclosing
from pathlib import Path

import pytest
import trio

from rtassist.terminal.keyboard import lines, together


async def test_lines_of_a_pipe_come_as_they_are_written_and_end_with_it() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as source:
        async with aclosing(lines(source)) as typed:
            os.write(writing, "grüß\r\nzwei\n".encode()[:3])
            os.write(writing, "grüß\r\nzwei\nrest".encode()[3:])
            assert await anext(typed) == "grüß"
            assert await anext(typed) == "zwei"
            os.close(writing)
            assert await anext(typed) == "rest"
            assert [line async for line in typed] == []


async def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "typed.txt"
    path.write_text("one\n\ntwo", "utf-8")
    with path.open() as source:
        assert [line async for line in lines(source)] == ["one", "", "two"]


async def test_bytes_that_are_no_text_are_read_as_such(tmp_path: Path) -> None:
    path = tmp_path / "typed.txt"
    path.write_bytes(b"\xff\xfe\x00\n")
    with path.open() as source:
        assert [line async for line in lines(source)] == ["��\x00"]


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")
async def test_a_terminal_keeps_its_mode_and_ctrl_d_ends_it() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as source:
        async with aclosing(lines(source)) as typed:
            os.write(ours, b"hello\n")
            assert await anext(typed) == "hello"
            assert os.get_blocking(theirs)
            os.write(ours, b"\x04")
            assert [line async for line in typed] == []
    os.close(ours)


async def test_waiting_for_a_line_can_be_cancelled() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as source, trio.move_on_after(0.01) as scope:
        async with aclosing(lines(source)) as typed:
            await anext(typed)
    assert scope.cancelled_caught
    os.close(writing)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")
async def test_what_is_pasted_into_a_terminal_is_one_thing_to_say() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as source:
        async with aclosing(lines(source)) as typed:
            os.write(ours, "grüß\n\nzwei\n".encode())
            assert await anext(typed) == "grüß\n\nzwei"
            os.write(ours, b"typed\n")
            assert await anext(typed) == "typed"
            os.write(ours, b"one\ntwo\n\x04")
            assert [line async for line in typed] == ["one\ntwo"]
    os.close(ours)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")
@pytest.mark.parametrize("line", ["", "/interrupt"])
async def test_enter_and_commands_do_not_wait_for_what_may_follow(line: str) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as source:
        async with aclosing(lines(source)) as typed:
            os.write(ours, f"{line}\nmore\n".encode())
            assert await anext(typed) == line
            assert await anext(typed) == "more"
    os.close(ours)


def test_commands_among_pasted_lines_stay_commands() -> None:
    assert together(["/pause", "/resume"]) == ["/pause", "/resume"]
    assert together(["", "one", "", "two", "/quit"]) == ["one\n\ntwo", "/quit"]
    assert together(["", ""]) == [""]
    assert together([]) == []
