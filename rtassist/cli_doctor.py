"""`rtassist doctor` on the command line; it loads nothing else until it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from rtassist.flags import examples

EPILOG = (
    examples(
        "rtassist doctor",
        "rtassist doctor --no-sound --no-connect",
        "rtassist doctor --mic usb --stress 10",
        "rtassist doctor --json | jq .advice",
    )
    + "\n\nExit code 0: no check failed (warnings are none); 1: one did; 2: wrong usage; 130: Ctrl-C. "
    "--json prints one object when all is done: format, version, ok, checks (id, state, summary, cure, "
    "values) and advice (setting, why); states are ok, warning, failed and skipped."
)


def doctor(
    offline: Annotated[
        bool | None, typer.Option("--offline", help="Look at the embedded server even if a key is set.")
    ] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="The Realtime server, as for talk.")] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="The model, as for talk.")] = None,
    mic: Annotated[str | None, typer.Option(metavar="WHAT", help="A microphone, as for talk.")] = None,
    speaker: Annotated[str | None, typer.Option(metavar="WHAT", help="A loudspeaker, as for talk.")] = None,
    echo: Annotated[
        str | None, typer.Option(metavar="HOW", help="auto, on, off or headphones, as for talk.")
    ] = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="As for talk.")] = None,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="How long to wait for the connection (default: 10)."),
    ] = None,
    connect: Annotated[
        bool | None,
        typer.Option(
            "--connect/--no-connect",
            help="Begin a session with the server and end it; nothing is said in it "
            "(default: when a key or a URL is set).",
        ),
    ] = None,
    no_sound: Annotated[bool, typer.Option("--no-sound", help="Neither play nor record anything.")] = False,
    stress: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES",
            min=0.01,
            max=1440,
            help="Play and listen for so long, and count every glitch, instead of measuring the devices.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
) -> None:
    """Look at everything that a conversation needs, and say what to do about it.

    Python, packages, folders, terminal, key, server and sound. A short chirp is played, and listened for.
    """
    from rtassist.errors import SettingsWrong
    from rtassist.settings import Settings
    from rtassist.settings_loading import load_here

    devices = {"mic": mic, "speaker": speaker}
    server = {"offline": offline, "url": url, "model": model, "timeout_s": timeout}
    problems: tuple[str, ...] = ()
    try:
        settings = load_here({**devices, **server, "echo": echo, "profile": profile})
    except SettingsWrong as wrong:
        settings, problems = Settings(mic=mic, speaker=speaker), wrong.problems
    from rtassist.app import run_doctor

    code = run_doctor(
        settings,
        problems,
        connect=connect,
        sound=not no_sound,
        stress_minutes=stress,
        as_json=as_json,
    )
    raise typer.Exit(code)
