"""`rtassist talk` on the command line: its flags, each a setting."""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

EPILOG = (
    "Without a key it talks to its own server, in this process. "
    "Keys, while it talks: Escape, or Enter on an empty line, interrupts, /help lists the commands, "
    "Ctrl-C leaves."
)


def talk(
    offline: Annotated[
        bool | None, typer.Option("--offline", help="Talk to the embedded server even if a key is set.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The Realtime server, ws:// or wss:// (default: OpenAI's)."),
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
        bool | None, typer.Option("--ptt", help="Push to talk, with the space bar or Enter.")
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
    plain: Annotated[bool | None, typer.Option("--plain", help="One line an utterance, no colour.")] = None,
    timestamps: Annotated[
        bool | None, typer.Option("--timestamps", help="The time of day before each line.")
    ] = None,
    compact: Annotated[
        bool | None,
        typer.Option(
            "--compact", help="No empty lines, a short status, > for your name and none for the assistant's."
        ),
    ] = None,
    quiet: Annotated[
        bool | None, typer.Option("--quiet", help="Of all that is not the conversation only warnings.")
    ] = None,
    events: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            help="All that happens, one JSON object a line: - for stdout, where then nothing else is, or a "
            "file, which is added to.",
        ),
    ] = None,
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
    from rtassist.settings_loading import load_here

    settings = load_here(
        {
            "offline": offline,
            "url": url,
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
            "timestamps": timestamps,
            "compact": compact,
            "quiet": quiet,
            "events": events,
            "fast": fast,
            "record": False if no_record else record,
            "record_audio": record_audio,
            "resume": resume,
            "timeout_s": timeout,
            "allow_plaintext": allow_plaintext,
        }
    )
    with loading():
        from rtassist.app import run_talk

    raise typer.Exit(run_talk(settings))


@contextmanager
def loading() -> Iterator[None]:
    """What is loaded stays, so it is not looked through for garbage: not now, a hundred times (20 ms in all),
    and not later, while somebody speaks."""
    # numpy's import is 70 ms shorter when OpenBLAS starts no threads; what is multiplied here is small.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
