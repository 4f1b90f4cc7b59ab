"""`rtassist replay` on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

EPILOG = (
    "Exit codes: 0 equal, 1 different (or a law of the protocol is broken), 2 not a recording, of another "
    "version, or damaged. What is missing because the disk was slow or the program was killed is noted, and "
    "no difference."
    "\n\n--json: one object a line. First, of each difference: file, difference {line, us, event, recorded, "
    "now, before}. Then, of each file: file, result (equal, different, unreadable), exit_code, notes, "
    "problem, differences (with --all), breaks [{frame, reason}] of a log, and summary {started, "
    "duration_us, conversations, user_turns, assistant_turns, interruptions, truncations, tool_calls, "
    "tokens, cost_usd, model, latency, turns, whole}; times in µs."
)


def replay(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Recordings, logs of events, or folders of them.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="For programs: JSON objects, one a line.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Every difference, not only the first one.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="The latency of each turn.")] = False,
) -> None:
    """Run recorded sessions again, offline, and say whether the client still behaves the same.

    Every decision is made again and compared with the recorded one; nothing is played or sent. Logs of
    Realtime events from elsewhere (one a line, or a JSON array) are held against the protocol's laws.
    """
    from rtassist.app import run_replay

    raise typer.Exit(run_replay(paths, as_json=as_json, every=every, turns=verbose))
