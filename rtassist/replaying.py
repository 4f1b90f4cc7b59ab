"""`rtassist replay`: what was found in the files, told on stdout for a person or a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, Final

from rtassist import errors
from rtassist.sessions import checking, showing
from rtassist.sessions.checking import Report
from rtassist.sessions.replay import Difference
from rtassist.terminal.streams import coloured, columns, drop, say

COLOURS: Final = {"-": "\x1b[31m", "+": "\x1b[32m"}


def replay(arguments: Sequence[str], *, as_json: bool, every: bool, turns: bool) -> int:
    """Replay what the arguments name and print what was found; the exit code is that of the worst file.

    Raises errors.SettingsWrong for what is not there.
    """
    paths = checking.paths_meant(arguments)
    tell = _Values() if as_json else _Lines(turns=turns)
    code = 0
    try:
        if every:
            for path in paths:
                name = str(path)
                report = checking.check(path, lambda difference, name=name: tell.difference(name, difference))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
                tell.report(report, every=True)
                code = max(code, report.code)
        else:
            with checking.checked(paths) as reports:
                for report in reports:
                    if report.difference is not None:
                        tell.difference(report.path, report.difference)
                    tell.report(report, every=False)
                    code = max(code, report.code)
        sys.stdout.flush()
    except BrokenPipeError:
        drop(sys.stdout)
        return errors.EXIT_OUTPUT_CLOSED
    return code


class _Lines:
    """For a person."""

    def __init__(self, *, turns: bool) -> None:
        self._turns = turns
        self._width = columns() or 100
        self._coloured = coloured(sys.stdout)

    def difference(self, path: str, difference: Difference) -> None:
        print(f"{path}: different at line {difference.at.line}")
        for line in showing.diff(difference, self._width):
            colour = COLOURS.get(line[:1]) if self._coloured else None
            text = printable(line)
            print(f"{colour}{text}\x1b[0m" if colour else text)

    def report(self, report: Report, *, every: bool) -> None:
        if report.code == errors.EXIT_UNREADABLE:
            sys.stdout.flush()
            say(printable(f"rtassist: {report.path} cannot be replayed: {report.problem}."))
            return
        if report.log:
            verdict = "breaks no law of the protocol" if not report.breaks else "breaks the protocol"
            print(f"{report.path}: a log of events; it {verdict}")
            for each in report.breaks:
                print(printable(f"  frame {each.frame}: {each.reason}"))
            if report.more_breaks:
                print(f"  and {report.more_breaks} more")
        elif report.difference is None:
            print(f"{report.path}: equal")
        elif every:
            count = 1 + report.more_differences
            print(f"{report.path}: {count} difference{'s' * (count > 1)}")
        for note in report.notes:
            print(printable(f"  note: {note}"))
        if report.summary is not None:
            for line in showing.summary(report.summary, turns=self._turns):
                print(f"  {line}")


def printable(line: str) -> str:
    """What strangers wrote, without what a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in line)


class _Values:
    """For programs: JSON objects, one a line."""

    def difference(self, path: str, difference: Difference) -> None:
        self._print({"file": path, "difference": showing.difference_values(difference)})

    def report(self, report: Report, *, every: bool) -> None:
        result = {0: "equal", 1: "different", 2: "unreadable"}[report.code]
        values: dict[str, Any] = {"file": report.path, "result": result, "exit_code": report.code}
        if report.problem:
            values["problem"] = report.problem
        if report.log:
            values["breaks"] = [{"frame": each.frame, "reason": each.reason} for each in report.breaks]
            values["more_breaks"] = report.more_breaks
        if every and not report.log:
            values["differences"] = report.more_differences + (report.difference is not None)
        values["notes"] = list(report.notes)
        if report.summary is not None:
            values["summary"] = showing.values(report.summary)
        self._print(values)

    def _print(self, values: dict[str, Any]) -> None:
        print(json.dumps(values, ensure_ascii=True))
