"""What a program waits for, as a few lines: trio's tasks and where each of them stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final

import trio

MOST_LINES: Final = 40


def tree(root: trio.lowlevel.Task | None) -> list[str]:
    """A line for each task below `root`, indented; MOST_LINES of them at most."""
    if root is None:
        return []
    lines = list(_lines(root, 0))
    more = [f"… and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
    return lines[:MOST_LINES] + more


def _lines(task: trio.lowlevel.Task, depth: int) -> Iterator[str]:
    name = task.name.rpartition("rtassist.")[2]
    yield f"{'  ' * depth}{name}{_place(task)}"
    for nursery in task.child_nurseries:
        for child in sorted(nursery.child_tasks, key=lambda child: child.name):
            yield from _lines(child, depth + 1)


def _place(task: trio.lowlevel.Task) -> str:
    """Where in our own code it waits: the innermost frame that is not a library's."""
    ours = [frame for frame in _frames(task) if "rtassist" in frame.f_code.co_filename]
    if not ours:
        return ""
    code = ours[-1].f_code
    return f" in {code.co_name} ({Path(code.co_filename).name}:{ours[-1].f_lineno})"


def _frames(task: trio.lowlevel.Task) -> Iterator[FrameType]:
    return (frame for frame, _ in task.iter_await_frames())
