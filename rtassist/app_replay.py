"""Puts the parts together for `rtassist replay`: one function for each way to look at a recording."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rtassist import errors, replaying, retelling
from rtassist.playback import DUCKED_GAIN
from rtassist.running import run
from rtassist.sessions import what_if as what_ifs
from rtassist.sessions.repository import NotKept
from rtassist.sessions.what_if import End
from rtassist.terminal.streams import drop


def meant(arguments: Sequence[str]) -> list[str]:
    """The arguments, with its file in place of each that is the beginning of an id, or `last`.

    What is neither that nor a file stays, and is no file. Raises Ambiguous, SettingsWrong.
    """
    return [argument if os.path.lexists(argument) else _recorded(argument) for argument in arguments]


def _recorded(argument: str) -> str:
    from rtassist.settings_loading import load_here  # needed for no file
    from rtassist.shelf import chosen

    try:
        return str(chosen(load_here({}), argument).path)
    except NotKept:
        return argument


def replay(arguments: Sequence[str], *, as_json: bool, every: bool, turns: bool) -> int:
    """`rtassist replay`. Raises errors.SettingsWrong."""
    return replaying.replay(arguments, as_json=as_json, every=every, turns=turns)


def show(arguments: Sequence[str], *, words: bool, waterfall: bool, until: str | None) -> int:
    """`rtassist replay --show`, `--waterfall`. Raises errors.SettingsWrong."""
    end = _end(until)
    return _to_stdout(partial(retelling.show, arguments, words=words, waterfall=waterfall, until=end))


def render(arguments: Sequence[str], out: str, *, until: str | None) -> int:
    """`rtassist replay --render`. Raises errors.SettingsWrong."""
    write = partial(retelling.render, arguments, Path(out), until=_end(until), ducked=DUCKED_GAIN)
    return _to_stdout(write)


def listen(arguments: Sequence[str], *, until: str | None, speed: float, speaker: str | None) -> int:
    """`rtassist replay --listen`. Raises errors.Failure."""
    from rtassist import listening  # and all that it takes to open a device

    slowest, fastest = listening.SLOWEST, listening.FASTEST
    if not slowest <= speed <= fastest:
        raise errors.SettingsWrong([f"--speed is {speed:g}: must be from {slowest:g} to {fastest:g}."])
    end = _end(until)
    return run(
        partial(listening.listen, arguments, until=end, speed=speed, speaker=speaker, ducked=DUCKED_GAIN)
    )


def what_if(
    arguments: Sequence[str],
    *,
    barge_at: str | None,
    until: str | None,
    rtt: str | None,
    drop_playback: bool,
    every: bool,
) -> int:
    """`rtassist replay --barge-at`, `--rtt`, `--drop-playback`, `--until`. Raises errors.SettingsWrong."""
    flags = [("--barge-at", barge_at), ("--rtt", rtt), ("--until", until)]
    said = [f"{flag} {value}" for flag, value in flags if value is not None]
    wish = retelling.WhatIf(
        said=" ".join([*said, *["--drop-playback"] * drop_playback]),
        end=_end(until),
        barge_in_us=_time_us("--barge-at", barge_at),
        delay_us=_time_us("--rtt", rtt) or 0,
        drop_playback=drop_playback,
    )
    return _to_stdout(partial(retelling.what_if, arguments, wish, every=every))


def whole(arguments: Sequence[str], *, until: str | None) -> int:
    """`rtassist replay --whole`. Raises errors.SettingsWrong."""
    from trio.testing import MockClock  # with its many imports, for this alone

    end, code = _end(until), errors.EXIT_OUTPUT_CLOSED

    async def held_again() -> int:
        nonlocal code
        try:
            code = await retelling.whole(arguments, until=end, clock_s=time.perf_counter)
            sys.stdout.flush()
        except* BrokenPipeError:
            drop(sys.stdout)
        return code

    return run(held_again, MockClock(autojump_threshold=0))


def _time_us(flag: str, text: str | None) -> int | None:
    us = None if text is None else what_ifs.time_us(text)
    if text is not None and us is None:
        raise errors.SettingsWrong([f"{flag} is {text!r}: must be a time such as 12.4s or 300ms."])
    return us


def _end(until: str | None) -> End | None:
    end = None if until is None else what_ifs.end(until)
    if until is not None and end is None:
        raise errors.SettingsWrong([f"--until is {until!r}: must be a time such as 12.4s, or turn:3."])
    return end


def _to_stdout(command: Callable[[], int]) -> int:
    try:
        code = command()
        sys.stdout.flush()
    except BrokenPipeError:
        drop(sys.stdout)
        return errors.EXIT_OUTPUT_CLOSED
    return code
