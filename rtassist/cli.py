"""The command line. Parses, hands over, returns an exit code; loads nothing else until a command runs.

Exit codes: 0 the conversation ended, the replay is equal; 1 it could not be written out, the replay is
different; 2 wrong usage or settings, not a recording, or a damaged one; 3 no connection; 4 the server refused
(key, model, quota); 5 the connection was lost; 6 what answered speaks no Realtime; 7 sound that was asked for
by name cannot be had; 70 a bug; 130 Ctrl-C; 141 nobody reads the output any more; 128 and its number for any
other signal.
"""

from __future__ import annotations

import atexit
import errno
import os
import re
import sys
from typing import Annotated, NoReturn

from rtassist.terminal import streams

try:
    import typer

    from rtassist import cli_sessions
    from rtassist.flags import Command, Group, examples, read_where_named
except KeyboardInterrupt:  # the longest wait before `main` can see to it
    raise SystemExit(130) from None

from rtassist import cli_bench, cli_config, cli_doctor, cli_replay, cli_talk, cli_tools
from rtassist.cli_talk import loading

EXIT_CODES = (
    "Exit codes: 0 ended, 1 output cannot be written, 2 wrong usage, 3 no connection, 4 refused, "
    "5 connection lost, 6 no Realtime server, 7 no sound, 70 a bug, 130 Ctrl-C."
)
_EXAMPLES = examples(
    "rtassist talk                  talk, now",
    "rtassist doctor                when something is amiss",
    "rtassist config --init         a file for your settings",
    "rtassist replay session.jsonl  a conversation again",
    "rtassist --install-completion  commands by the Tab key",
)
app = typer.Typer(
    name="rtassist",
    cls=Group,
    help="Talk to a voice assistant in the terminal: OpenAI's Realtime API, or this program's own server.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"{_EXAMPLES}\n\n{EXIT_CODES}",
)


def _version(wanted: bool) -> None:
    if wanted:
        from rtassist import __version__

        typer.echo(f"rtassist {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


app.command(
    cls=Command, epilog=f"{cli_talk.EPILOG}\n\n{EXIT_CODES}", short_help="Hold a spoken conversation."
)(cli_talk.talk)
app.add_typer(cli_sessions.app, short_help="Recorded conversations.")
app.command(epilog=cli_sessions.DIFF_EPILOG, short_help="Compare two recordings turn by turn.")(
    cli_sessions.diff
)
_SERVE_EPILOG = "\n\n".join(
    [
        examples(
            "rtassist serve",
            "rtassist serve --host 0.0.0.0 --port 8765",
            "rtassist serve --latency-ms 150 --jitter-ms 50",
            "rtassist talk --url ws://127.0.0.1:8765/v1/realtime",
        ),
        "Exit codes: 2 wrong usage, 3 it cannot listen there, 70 a bug, 130 Ctrl-C.",
    ]
)
_DEVICES_EPILOG = "\n\n".join(
    [
        examples("rtassist devices", "rtassist devices --json | jq .microphones"),
        "Exit codes: 0 listed, 2 wrong usage, 7 there is no sound system, 70 a bug.",
    ]
)


@app.command(cls=Command, epilog=_SERVE_EPILOG, short_help="Run the server for other clients.")
def serve(
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address to listen on (default: 127.0.0.1).")
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="The port; 0 takes a free one (default: 8765).")
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL", help="A web page's origin that may connect; may be repeated (default: none may)."
        ),
    ] = None,
    max_sessions: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Conversations at once (default: 16).")
    ] = None,
    expires: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="How long a session lasts (default: 3600).")
    ] = None,
    latency_ms: Annotated[
        int | None, typer.Option(metavar="MS", help="Delay everything by so much (default: 0).")
    ] = None,
    jitter_ms: Annotated[
        int | None, typer.Option(metavar="MS", help="Delay it by up to so much more (default: 0).")
    ] = None,
    extras: Annotated[
        bool | None, typer.Option("--extras", help="Send the fields that OpenAI sends and does not document.")
    ] = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="As for talk.")] = None,
) -> None:
    """Run the embedded Realtime server for other clients.

    Its URL is printed on stdout; Ctrl-C ends it. RTASSIST_SERVER_KEY sets a key that clients must show.
    """
    from rtassist.settings_loading import load_here

    settings = load_here(
        {
            "host": host,
            "port": port,
            "origins": tuple(origin or ()),
            "max_sessions": max_sessions,
            "expires_s": expires,
            "latency_ms": latency_ms,
            "jitter_ms": jitter_ms,
            "extras": extras,
            "profile": profile,
        }
    )
    with loading():
        from rtassist.app import run_serve

    raise typer.Exit(run_serve(settings))


@app.command(epilog=_DEVICES_EPILOG, short_help="List microphones and loudspeakers.")
def devices(
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
) -> None:
    """List microphones and loudspeakers: what --mic and --speaker take.

    Index, name, id, channels and rate of each; the default is marked, and loopback: a microphone that hears
    what a loudspeaker plays.
    """
    from rtassist.app import run_devices

    raise typer.Exit(run_devices(as_json=as_json))


app.command(cls=Command, epilog=cli_doctor.EPILOG, short_help="Look at all that a conversation needs.")(
    cli_doctor.doctor
)
app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    short_help="Measure this program on this machine.",
)(cli_bench.bench)
app.command(epilog=cli_replay.EPILOG, short_help="Run recorded sessions again.")(cli_replay.replay)
app.command(cls=Command, epilog=cli_config.EPILOG, short_help="Show every setting and its source.")(
    cli_config.config
)
app.command(cls=Command, epilog=cli_tools.EPILOG, short_help="Show what the assistant could call.")(
    cli_tools.tools
)


_NOT_TAKEN = {errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EPIPE, errno.EBADF} | {
    getattr(errno, "EDQUOT", errno.ENOSPC)  # not on Windows
}
"""What writing to a standard stream meets: a full disk, a closed terminal. Any other is a bug."""


def main() -> NoReturn:
    """The console script. Every end of the program passes here and has its exit code."""
    streams.make_usable()
    try:
        completing = any(re.fullmatch("_.*_COMPLETE", name) for name in os.environ)  # by the program's name
        run = app if completing else read_where_named(app, sys.argv[1:])
        code = run(standalone_mode=False)
    except typer.Exit as done:
        code = done.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = 130
        if sys.stderr.isatty():
            streams.say("")  # the shell's prompt is not to stand behind the ^C
    except Exception as error:
        code = _explain(error)
    code = code if isinstance(code, int) else 0
    written = streams.flushed()
    sys.exit(code if written else code or 1)


def program() -> NoReturn:
    """`main`, and the end of the process. One that has loaded livekit leaves without taking the interpreter
    down: its __del__ ends the package's Rust threads then, and under load that has panicked, with SIGABRT for
    an exit code. All else has ended and is written by that time.
    """
    try:
        main()
    except SystemExit as done:
        if "livekit" in sys.modules and isinstance(done.code, int):
            atexit._run_exitfuncs()
            os._exit(done.code)
        raise


def _explain(error: Exception) -> int:
    from rtassist.errors import EXIT_BUG, Failure

    if hasattr(error, "show") and hasattr(error, "exit_code"):  # click's own complaints about usage
        error.show()
        return int(error.exit_code)
    if isinstance(error, Failure):
        streams.say(f"rtassist: {error.message}")
        return error.exit_code
    if isinstance(error, OSError) and error.filename is None and error.errno in _NOT_TAKEN:
        streams.say(f"rtassist: Nothing can be written out: {(error.strerror or str(error)).lower()}.")
        return 1
    import traceback

    streams.say("".join(traceback.format_exception(error)))
    streams.say("rtassist: this is a bug of the program; the lines above say where.")
    return EXIT_BUG
