"""`rtassist replay` on the command line: the exact replay, and other looks at the same recording."""

from __future__ import annotations

from typing import Annotated

import typer

from rtassist.flags import examples

EPILOG = (
    examples(
        "rtassist replay session.jsonl",
        "rtassist replay --json recordings/ | jq .result",
        "rtassist replay --show --until turn:3 session.jsonl",
        "rtassist replay --waterfall session.jsonl",
        "rtassist replay --barge-at 12.4s session.jsonl",
        "rtassist replay --render heard.wav session.jsonl",
    )
    + "\n\nExit codes: 0 equal, 1 different (or a law of the protocol is broken), 2 not a recording, of "
    "another version, or damaged. What is missing because the disk was slow or the program was killed is "
    "noted, and no difference. A look at a recording, a what-if too, ends with 0; --whole with 1 where a "
    "promise is broken; --listen with 7 where there is no loudspeaker."
    "\n\nTimes are written 12.4s, 300ms or 1:02.5, since the recording began. A what-if changes one cause, "
    "decides everything again, and shows what would be asked for now; nothing is written. It knows what the "
    "client does, and not what the server or you would have said then: all else happens as recorded."
    "\n\n--json: one object a line. First, of each difference: file, difference {line, us, event, recorded, "
    "now, before}. Then, of each file: file, result (equal, different, unreadable), exit_code, notes, "
    "problem, differences (with --all), breaks [{frame, reason}] of a log, and summary {started, "
    "duration_us, conversations, user_turns, assistant_turns, interruptions, truncations, tool_calls, "
    "tokens, cost_usd, model, latency, turns, whole}; times in µs."
)


def replay(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...", help="Recordings, by file or id, or last; logs of events; folders of them."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="For programs: JSON objects, one a line.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Every difference, not only the first one.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="The latency of each turn.")] = False,
    show: Annotated[
        bool,
        typer.Option("--show", help="Print the conversation: who said what and when, and what was heard."),
    ] = False,
    waterfall: Annotated[
        bool, typer.Option("--waterfall", help="Draw how long each turn waited, for the server and for us.")
    ] = False,
    render: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write what was heard to a new .wav or .flac file: microphone left, assistant right.",
        ),
    ] = None,
    listen: Annotated[bool, typer.Option("--listen", help="Play what was heard, aloud.")] = False,
    speed: Annotated[
        float, typer.Option(metavar="0.5..4", help="With --listen: as a tape, higher when it is faster.")
    ] = 1.0,
    speaker: Annotated[
        str | None, typer.Option(metavar="WHAT", help="With --listen: the loudspeaker, as for talk.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            help="Only up to this time, or turn:3: until your fourth turn begins. Alone, or with any look.",
        ),
    ] = None,
    barge_at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="What if the server had heard you begin to speak then? It says so, and nothing more; a "
            "voice that falls silent had sounded as far as its last report and the time since say.",
        ),
    ] = None,
    rtt: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="What if the way to the server and back took so much longer? All that it says comes later, "
            "and its voices, alarms and functions with it; your microphone and keys do not.",
        ),
    ] = None,
    drop_playback: Annotated[
        bool,
        typer.Option("--drop-playback", help="What if the loudspeaker never said what has sounded?"),
    ] = False,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole",
            help="Hold the conversation again with all that talk runs, under a virtual clock, and check what "
            "an interruption promises.",
        ),
    ] = False,
) -> None:
    """Run recordings again, and say what differs.

    Does the client still behave the same? Every decision is made again and compared with the recorded one;
    nothing is played or sent. Logs of Realtime events from elsewhere (one a line, or a JSON array) are held
    against the protocol's laws.
    """
    from rtassist import app_replay

    what_if = barge_at is not None or rtt is not None or drop_playback
    ways = {
        "--show": show,
        "--waterfall": waterfall and not show,
        "--render": render is not None,
        "--listen": listen,
        "--whole": whole,
        "a what-if": what_if,
    }
    chosen = [flag for flag, wanted in ways.items() if wanted]
    if len(chosen) > 1:
        raise typer.BadParameter(f"{' and '.join(chosen)} are done one at a time.")
    if as_json and (chosen or until is not None):
        raise typer.BadParameter("--json is of the exact replay alone.")
    paths = app_replay.meant(paths)
    if show or waterfall:
        code = app_replay.show(paths, words=show, waterfall=waterfall, until=until)
    elif render is not None:
        code = app_replay.render(paths, render, until=until)
    elif listen:
        code = app_replay.listen(paths, until=until, speed=speed, speaker=speaker)
    elif whole:
        code = app_replay.whole(paths, until=until)
    elif what_if or until is not None:
        code = app_replay.what_if(
            paths, barge_at=barge_at, until=until, rtt=rtt, drop_playback=drop_playback, every=every
        )
    else:
        code = app_replay.replay(paths, as_json=as_json, every=every, turns=verbose)
    raise typer.Exit(code)
