"""Runs a command until it has ended, or a signal ends it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

import trio

from rtassist import errors, leaving, tasks


def run(command: Callable[[], Awaitable[int]], clock: trio.abc.Clock | None = None) -> int:
    """The exit code of a command. Raises what it raises; of several failures one, by itself."""
    try:
        return trio.run(until_signal, command, clock=clock)
    except BaseExceptionGroup as group:
        raise _told(group) from None


def _told(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one failure that the user is to hear of; a bug anywhere in the group is never hidden behind it."""
    leaves = list(_leaves(group))
    failures = [leaf for leaf in leaves if isinstance(leaf, errors.Failure | KeyboardInterrupt)]
    return failures[0] if failures and len(failures) == len(leaves) else group


def _leaves(error: BaseException) -> Any:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


async def until_signal(command: Callable[[], Awaitable[int]]) -> int:
    """Run `command`; a signal cancels it, and when everything in it has ended, its code is 128 + signal.

    The second signal tells what has not ended yet, and ends the program where it stands.
    """
    wanted = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP"):
        wanted.append(signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in wanted}
    code = 0

    async def watch(nursery: trio.Nursery, task_status: trio.TaskStatus[None]) -> None:
        nonlocal code
        with trio.open_signal_receiver(*wanted) as signals:
            task_status.started()
            code = 128 + await anext(aiter(signals))
        for number in wanted:
            signal.signal(number, _leave_at_once)
        nursery.cancel_scope.cancel()
        if sys.stderr.isatty():
            print(file=sys.stderr)  # the shell's prompt is not to stand behind the ^C

    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(watch, nursery))
            code = await command()
            nursery.cancel_scope.cancel()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code


def _leave_at_once(number: int, frame: object) -> NoReturn:
    """The user does not want to wait any more: say for what it would have been, and leave all as it is."""
    for give_back in tuple(leaving.give_back):
        give_back()
    with suppress(OSError, ValueError):
        told = ["rtassist: left at once. What had not ended:", *tasks.tree(trio.lowlevel.current_root_task())]
        print("\n".join(told), file=sys.stderr, flush=True)
    os._exit(128 + number)
