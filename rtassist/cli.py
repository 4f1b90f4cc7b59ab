"""The command line. Parses, hands over, returns an exit code; loads nothing else until a command runs.

Exit codes: 0 the conversation ended; 2 wrong usage or settings; 3 no connection; 4 the server refused (key,
model, quota); 5 the connection was lost; 6 what answered speaks no Realtime; 7 sound that was asked for by
name cannot be had; 70 a bug; 130 Ctrl-C.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, NoReturn, Optional

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtassist.settings import Settings

app = typer.Typer(
    name="rtassist",
    help="Talk to a voice assistant in the terminal: OpenAI's Realtime API, or this program's own server.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 ended, 2 wrong usage, 3 no connection, 4 refused, 5 connection lost, "
    "6 no Realtime server, 7 no sound, 70 a bug, 130 Ctrl-C.",
)

Flag = Annotated[Optional[bool], typer.Option()]  # noqa: UP045 - typer reads it at run time on 3.11


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
    epilog="Without a key it talks to its own server, in this process. "
    "Keys, while it talks: Enter on an empty line interrupts, /help lists the commands, Ctrl-C leaves."
)
def talk(
    offline: Annotated[
        bool | None, typer.Option("--offline", help="Talk to the embedded server even if a key is set.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="The Realtime server, ws:// or wss://.")] = None,
    model: Annotated[str | None, typer.Option(help="The model (default: gpt-realtime-2.1).")] = None,
    voice: Annotated[str | None, typer.Option(help="The assistant's voice (default: marin).")] = None,
    instructions: Annotated[
        str | None, typer.Option(help="What the assistant is to be like; @FILE reads them from a file.")
    ] = None,
    mic: Annotated[
        str | None,
        typer.Option(help="A microphone (id, part of its name, index), a sound file, - for a pipe, or none."),
    ] = None,
    speaker: Annotated[
        str | None,
        typer.Option(help="A loudspeaker (as --mic), a WAV file to write, - for a pipe, or none."),
    ] = None,
    echo: Annotated[
        str | None,
        typer.Option(help="The speaker's sound in the microphone: auto, on (cancel it), off, or headphones."),
    ] = None,
    text: Annotated[bool | None, typer.Option("--text", help="Type and read; no sound.")] = None,
    ptt: Annotated[
        bool | None, typer.Option("--ptt", help="Push to talk: Enter begins and ends your turn.")
    ] = None,
    vad: Annotated[
        str | None, typer.Option(help="Who finds the end of your turn: server, semantic, or off.")
    ] = None,
    vad_threshold: Annotated[
        float | None, typer.Option(help="How sure the server is to be that you speak, 0 to 1.")
    ] = None,
    vad_silence_ms: Annotated[
        int | None, typer.Option(help="The silence that ends your turn, in milliseconds.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="The language that you speak, such as en.")] = None,
    plain: Annotated[bool | None, typer.Option("--plain", help="Plain lines, no colour.")] = None,
    fast: Annotated[
        bool | None, typer.Option("--fast", help="Sound files as fast as they go, not at real time.")
    ] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds to wait for the connection.")] = None,
    allow_plaintext: Annotated[
        bool | None, typer.Option("--allow-plaintext", help="Send the key over ws:// to another machine.")
    ] = None,
) -> None:
    """Hold a spoken conversation that you can interrupt at any moment.

    What the model believes you heard is what you heard.
    """
    settings = _settings(
        {
            "offline": offline,
            "url": url,
            "model": model,
            "voice": voice,
            "instructions": instructions,
            "mic": mic,
            "speaker": speaker,
            "echo": echo,
            "text": text,
            "ptt": ptt,
            "vad": vad,
            "vad_threshold": vad_threshold,
            "vad_silence_ms": vad_silence_ms,
            "language": language,
            "plain": plain,
            "fast": fast,
            "timeout_s": timeout,
            "allow_plaintext": allow_plaintext,
        }
    )
    from rtassist.app import run_talk

    raise typer.Exit(run_talk(settings))


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on (default: 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one (default: 8765).")] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="A web page's origin that may connect; may be repeated.")
    ] = None,
    max_sessions: Annotated[int | None, typer.Option(help="Conversations at once.")] = None,
    expires: Annotated[int | None, typer.Option(help="Seconds after which a session ends.")] = None,
    latency_ms: Annotated[int | None, typer.Option(help="Delay everything by so much.")] = None,
    jitter_ms: Annotated[int | None, typer.Option(help="Delay it by up to so much more.")] = None,
    extras: Annotated[
        bool | None, typer.Option("--extras", help="Send the fields that OpenAI sends and does not document.")
    ] = None,
) -> None:
    """Run the embedded Realtime server for other clients.

    Its URL is printed on stdout. A key that clients must show is set with RTASSIST_SERVER_KEY.
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
    from rtassist.app import run_serve

    raise typer.Exit(run_serve(settings))


def _settings(flags: Mapping[str, object]) -> Settings:
    import os
    from pathlib import Path

    from rtassist.settings import load

    return load(flags, os.environ, Path.cwd())


def main() -> NoReturn:
    """The console script. Every end of the program passes here and has its exit code."""
    try:
        code = app(standalone_mode=False)
    except typer.Exit as done:
        code = done.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except Exception as error:
        code = _explain(error)
    sys.exit(code if isinstance(code, int) else 0)


def _explain(error: Exception) -> int:
    from rtassist.errors import EXIT_BUG, Failure

    if hasattr(error, "show") and hasattr(error, "exit_code"):  # click's own complaints about usage
        error.show()
        return int(error.exit_code)
    if isinstance(error, Failure):
        print(f"rtassist: {error.message}", file=sys.stderr)
        return error.exit_code
    import traceback

    traceback.print_exception(error)
    print("rtassist: this is a bug of the program; the lines above say where.", file=sys.stderr)
    return EXIT_BUG
