"""For the tests of other projects: a recording still replays equal, or the test says where it does not."""

from __future__ import annotations

import os

from rtassist.errors import EXIT_OK
from rtassist.sessions import checking, showing
from rtassist.sessions.summary import Summary


def assert_replays_equal(path: str | os.PathLike[str]) -> Summary:
    """Replay one recording, or check one log of events, and give its summary.

    Raises AssertionError with the first difference and what was before it, with the laws of the protocol that
    are broken, or with why the file cannot be replayed. In a test file:

        from rtassist.sessions.testing import assert_replays_equal

        def test_the_odd_barge_in_stays_fixed() -> None:
            assert_replays_equal("recordings/barge_in.jsonl")
    """
    __tracebackhide__ = True
    (found,) = checking.paths_meant([os.fspath(path)])
    report = checking.check(found)
    if report.code == EXIT_OK and report.summary is not None:
        return report.summary
    if report.difference is not None:
        lines = [f"{path}: different at line {report.difference.at.line}", *showing.diff(report.difference)]
    elif report.breaks:
        lines = [f"{path} breaks the protocol", *(f"frame {b.frame}: {b.reason}" for b in report.breaks)]
    else:
        lines = [f"{path} cannot be replayed: {report.problem}"]
    raise AssertionError("\n".join(lines))
