"""The command line. Parses, hands over, returns an exit code; loads nothing else until a command runs.

Exit codes: 0 the conversation ended, the replay is equal; 1 it could not be written out, the replay is
different; 2 wrong usage or settings, not a recording, or a damaged one; 3 no connection; 4 the server refused
(key, model, quota); 5 the connection was lost; 6 what answered speaks no Realtime; 7 sound that was asked for
by name cannot be had; 70 a bug; 130 Ctrl-C; 141 nobody reads the output any more; 128 and its number for any
other signal.
"""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NoReturn

from rtassist.terminal import streams

try:
    import typer

    from rtassist import cli_sessions
    from rtassist.flags import Command, Group
except KeyboardInterrupt:  # the longest wait before `main` can see to it
    raise SystemExit(130) from None

from rtassist import cli_doctor, cli_replay

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rtassist.settings import Settings

EXIT_CODES = (
    "Exit codes: 0 ended, 1 output cannot be written, 2 wrong usage, 3 no connection, 4 refused, "
    "5 connection lost, 6 no Realtime server, 7 no sound, 70 a bug, 130 Ctrl-C."
)
app = typer.Typer(
    name="rtassist",
    cls=Group,
    help="Talk to a voice assistant in the terminal: OpenAI's Realtime API, or this program's own server.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES,
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


@app.command(
    cls=Command,
    epilog="Without a key it talks to its own server, in this process. "
    "Keys, while it talks: Enter on an empty line interrupts, /help lists the commands, Ctrl-C leaves."
    f"\n\n{EXIT_CODES}",
)
def talk(
    offline: Annotated[
        bool | None, typer.Option("--offline", help="Talk to the embedded server even if a key is set.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The Realtime server, ws:// or wss:// (default: OpenAI's)."),
    ] = None,
    api_key_env: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The variable that holds the server's key (default: OPENAI_API_KEY)."
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(metavar="'NAME: VALUE'", help="A header for the server; may be repeated."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model (default: gpt-realtime-2.1).")
    ] = None,
    voice: Annotated[
        str | None, typer.Option(metavar="NAME", help="The assistant's voice (default: marin).")
    ] = None,
    instructions: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="What the assistant is to be like; @FILE reads it from a file."),
    ] = None,
    mic: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            help="A microphone (id, index, or part of its name), a sound file, "
            "- for raw PCM from stdin, or none (default: the system's microphone).",
        ),
    ] = None,
    speaker: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            help="A loudspeaker (likewise), a .wav file to write, - for raw PCM to stdout, "
            "or none (default: the system's loudspeaker).",
        ),
    ] = None,
    echo: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="The loudspeaker's sound in the microphone: auto, on (cancel it), off, or headphones "
            "(default: auto).",
        ),
    ] = None,
    duck: Annotated[
        bool | None,
        typer.Option(
            "--duck/--no-duck",
            help="Lower the assistant's voice as soon as you seem to speak (default: yes).",
        ),
    ] = None,
    gain: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="The microphone's level: auto raises a faint voice and lowers a loud one, off leaves it "
            "(default: auto).",
        ),
    ] = None,
    text: Annotated[bool | None, typer.Option("--text", help="Type and read; no sound.")] = None,
    ptt: Annotated[
        bool | None, typer.Option("--ptt", help="Push to talk: Enter begins and ends your turn.")
    ] = None,
    vad: Annotated[
        str | None,
        typer.Option(
            metavar="HOW", help="Who finds the end of your turn: server, semantic, or off (default: server)."
        ),
    ] = None,
    vad_threshold: Annotated[
        float | None,
        typer.Option(metavar="0..1", help="How sure the server is to be that you speak (default: its own)."),
    ] = None,
    vad_silence_ms: Annotated[
        int | None, typer.Option(metavar="MS", help="The silence that ends your turn (default: 500).")
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            metavar="CODE", help="The language that you speak, such as en (default: it is guessed)."
        ),
    ] = None,
    plain: Annotated[bool | None, typer.Option("--plain", help="Plain lines, no colour.")] = None,
    fast: Annotated[
        bool | None,
        typer.Option("--fast", help="Sound files and pipes as fast as they go, not at real time."),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Where to record: a folder, or a new file NAME.jsonl (default: your folder for such data).",
        ),
    ] = None,
    no_record: Annotated[bool, typer.Option("--no-record", help="Record nothing.")] = False,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Go on with a recorded conversation: how its id begins, last, or its file."
        ),
    ] = None,
    record_audio: Annotated[
        bool | None,
        typer.Option(
            "--record-audio/--no-record-audio", help="Record the sound as well, or only what happens."
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="How long to wait for the connection (default: 10)."),
    ] = None,
    allow_plaintext: Annotated[
        bool | None, typer.Option("--allow-plaintext", help="Send the key over ws:// to another machine.")
    ] = None,
) -> None:
    """Hold a spoken conversation that you can interrupt at any moment.

    What the model believes you heard is what you heard.
    """
    if no_record and record is not None:
        raise typer.BadParameter("--no-record records nothing, and --record does. Leave out one of the two.")
    settings = _settings(
        {
            "offline": offline,
            "url": url,
            "api_key_env": api_key_env,
            "headers": tuple(header or ()),
            "model": model,
            "voice": voice,
            "instructions": instructions,
            "mic": mic,
            "speaker": speaker,
            "echo": echo,
            "duck": duck,
            "gain": gain,
            "text": text,
            "ptt": ptt,
            "vad": vad,
            "vad_threshold": vad_threshold,
            "vad_silence_ms": vad_silence_ms,
            "language": language,
            "plain": plain,
            "fast": fast,
            "record": False if no_record else record,
            "record_audio": record_audio,
            "resume": resume,
            "timeout_s": timeout,
            "allow_plaintext": allow_plaintext,
        }
    )
    with _loading():
        from rtassist.app import run_talk

    raise typer.Exit(run_talk(settings))


app.add_typer(cli_sessions.app)
app.command(epilog=cli_sessions.EXIT_CODES)(cli_sessions.diff)


@app.command(cls=Command)
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
) -> None:
    """Run the embedded Realtime server for other clients.

    Its URL is printed on stdout; Ctrl-C ends it. RTASSIST_SERVER_KEY sets a key that clients must show.
    """
    settings = _settings(
        {
            "host": host,
            "port": port,
            "origins": tuple(origin or ()),
            "max_sessions": max_sessions,
            "expires_s": expires,
            "latency_ms": latency_ms,
            "jitter_ms": jitter_ms,
            "extras": extras,
        }
    )
    with _loading():
        from rtassist.app import run_serve

    raise typer.Exit(run_serve(settings))


@app.command(epilog="Exit code 7: there is no sound system.")
def devices(
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
) -> None:
    """List microphones and loudspeakers: what --mic and --speaker take.

    Index, name, id, channels and rate of each; the default is marked, and loopback: a microphone that hears
    what a loudspeaker plays.
    """
    from rtassist.app import run_devices

    raise typer.Exit(run_devices(as_json=as_json))


app.command(cls=Command, epilog=cli_doctor.EPILOG)(cli_doctor.doctor)
app.command(epilog=cli_replay.EPILOG)(cli_replay.replay)


@contextmanager
def _loading() -> Iterator[None]:
    """What is loaded stays, so it is not looked through for garbage: not now, a hundred times (20 ms in all),
    and not later, while somebody speaks."""
    import os

    # numpy's import is 70 ms shorter when OpenBLAS starts no threads; what is multiplied here is small.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _settings(flags: Mapping[str, object]) -> Settings:
    from rtassist.settings import load_here

    return load_here(flags)


def main() -> NoReturn:
    """The console script. Every end of the program passes here and has its exit code."""
    streams.make_usable()
    try:
        code = app(standalone_mode=False)
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


def _explain(error: Exception) -> int:
    from rtassist.errors import EXIT_BUG, Failure

    if hasattr(error, "show") and hasattr(error, "exit_code"):  # click's own complaints about usage
        error.show()
        return int(error.exit_code)
    if isinstance(error, Failure):
        streams.say(f"rtassist: {error.message}")
        return error.exit_code
    if isinstance(error, OSError) and error.filename is None:  # what --help meets on a full disk
        streams.say(f"rtassist: Nothing can be written out: {(error.strerror or str(error)).lower()}.")
        return 1
    import traceback

    streams.say("".join(traceback.format_exception(error)))
    streams.say("rtassist: this is a bug of the program; the lines above say where.")
    return EXIT_BUG
