"""Files that are to be replayed: which ones are meant, and what is found in each."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Final

from attrs import field, frozen

from rtassist import errors
from rtassist.sessions import foreign
from rtassist.sessions.laws_of_logs import Break
from rtassist.sessions.reading import Damaged
from rtassist.sessions.replay import Difference, Replay
from rtassist.sessions.summary import Summary

PAYS_BYTES: Final = 24_000_000
"""From here on several processes are quicker: it is two hours of recording, which take one process half a
second; to start others takes a tenth of one."""

FIRST_BYTES: Final = 64_000_000
"""Of a first line; a film that was named by mistake may have no other."""


@frozen
class Report:
    """What was found in one file. `code` is the exit code that it means."""

    path: str
    code: int
    log: bool = False
    """It is an event log of another program."""
    problem: str = ""
    """Why it could not be replayed, with the line; then there is nothing else."""
    difference: Difference | None = None
    """The first one."""
    more_differences: int = 0
    breaks: tuple[Break, ...] = ()
    more_breaks: int = 0
    notes: tuple[str, ...] = field(default=())
    summary: Summary | None = None


def paths_meant(arguments: Sequence[str]) -> list[Path]:
    """The files that these arguments mean: a file, or all recordings in a folder and below it.

    Raises SettingsWrong, with all of what is not there.
    """
    found: list[Path] = []
    problems = []
    for argument in arguments:
        path = Path(argument)
        try:
            if path.is_dir():
                inside = sorted(path.rglob("*.jsonl"))
                if not inside:
                    problems.append(f"There is no recording (*.jsonl) in the folder {argument}.")
                found += inside
            elif path.exists():
                found.append(path)
            else:
                problems.append(f"There is no file {argument}.")
        except (OSError, ValueError) as error:
            problems.append(f"{argument} cannot be read: {_reason(error)}.")
    if problems:
        raise errors.SettingsWrong(problems)
    return list(dict.fromkeys(found))


def check(path: Path, each: Callable[[Difference], None] | None = None) -> Report:
    """Replay one file as far as it is equal; with `each`, to its end, telling every difference.

    Nothing of the file is kept. Never raises for what is in it.
    """
    try:
        with open(path, "rb") as file:
            first = file.readline(FIRST_BYTES)
            lines = chain((first,), file)
            if foreign.is_log(first):
                return _checked_log(path, lines)
            return _checked_recording(path, lines, each)
    except Damaged as damaged:
        return Report(str(path), errors.EXIT_UNREADABLE, problem=f"line {damaged.line}: {damaged.reason}")
    except (OSError, MemoryError) as error:
        return Report(str(path), errors.EXIT_UNREADABLE, problem=f"it cannot be read: {_reason(error)}")


def _checked_log(path: Path, lines: Iterable[bytes]) -> Report:
    log = foreign.check(lines)
    return Report(
        str(path),
        errors.EXIT_DIFFERENT if log.breaks else errors.EXIT_OK,
        log=True,
        breaks=log.breaks,
        more_breaks=log.more_breaks,
        notes=log.notes,
        summary=log.summary,
    )


def _checked_recording(
    path: Path, lines: Iterable[bytes], each: Callable[[Difference], None] | None
) -> Report:
    replay = Replay(lines)
    first: Difference | None = None
    more = 0
    for difference in replay.differences():
        more += first is not None
        first = first or difference
        if each is None:
            break
        each(difference)
    return Report(
        str(path),
        errors.EXIT_DIFFERENT if first else errors.EXIT_OK,
        difference=first,
        more_differences=more,
        notes=replay.notes(),
        summary=None if first and each is None else replay.summary(),
    )


@contextmanager
def checked(paths: Sequence[Path]) -> Iterator[Iterator[Report]]:
    """The reports of all files in their order, by several processes where that pays."""
    processes = min(len(paths), os.cpu_count() or 1)
    if processes < 2 or sum(map(_size, paths)) < PAYS_BYTES:
        yield map(check, paths)
        return
    # Ctrl-C goes to all of them; it is for this one to say so, and to end the others.
    with multiprocessing.Pool(processes, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        yield pool.imap(check, paths)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "a line is longer than the memory"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]
