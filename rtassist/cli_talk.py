"""`rtassist talk` on the command line: its flags, each a setting."""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from rtassist.flags import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

EPILOG = (
    examples(
        "rtassist talk",
        "rtassist talk --voice cedar --echo headphones",
        "rtassist talk --persona pirate --max-cost 0.50",
        "rtassist talk --instructions @tutor.md --language de",
        "rtassist talk --mic question.wav --speaker answer.wav",
        'echo "what is 17 times 23" | rtassist talk --text',
        "rtassist talk --resume last --debug 2>events.txt",
    )
    + "\n\nWithout a key it talks to its own server, in this process. "
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
    persona: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The same from personas/NAME.md in the config file's folder (rtassist config --path).",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="With the config file's lines below [profiles.NAME]."),
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
    barge_in: Annotated[
        str | None,
        typer.Option(
            "--barge-in",
            metavar="HOW",
            help="What speaking over the assistant does: instant stops it, confirm lowers it and stops it "
            "when these are words, off lets it finish (default: instant).",
        ),
    ] = None,
    spoken_commands: Annotated[
        bool | None,
        typer.Option(
            "--spoken-commands/--no-spoken-commands",
            help="Obey what you say to the program itself, such as goodbye, or stop (default: yes).",
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
    max_cost: Annotated[
        float | None,
        typer.Option(
            metavar="USD",
            help="Ask for no further answer once so much is spent; the last one may pass it (default: none).",
        ),
    ] = None,
    max_minutes: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES", help="End after so long, and say so a minute before (default: never)."
        ),
    ] = None,
    log_level: Annotated[
        str | None,
        typer.Option(
            metavar="LEVEL",
            help="What goes into the log file: error, warning, info or debug (default: warning).",
        ),
    ] = None,
    debug: Annotated[
        bool | None,
        typer.Option("--debug", help="Show each event by its type, and at the end how long you waited."),
    ] = None,
    otel: Annotated[
        bool | None,
        typer.Option("--otel", help="OpenTelemetry spans of session, answers and tools (extra otel)."),
    ] = None,
    tools: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE.py", help="Python functions that the assistant may call; may be repeated."
        ),
    ] = None,
    tool_timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="How long a call of one may take (default: 30)."),
    ] = None,
    yes_to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Do not ask before this tool, or this MCP server; may be repeated."
        ),
    ] = None,
    mcp: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=COMMAND", help="An MCP server, by its command or its URL; may be repeated."
        ),
    ] = None,
    exec_: Annotated[
        list[str] | None,
        typer.Option(
            "--exec",
            metavar="EVENT=COMMAND",
            help="Run a command, with the event as JSON on its stdin, at turn.done, response.done, "
            "interrupted, tool.done, session.started, session.ended; may be repeated.",
        ),
    ] = None,
    truncation: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="When the conversation outgrows the model's context: auto forgets the oldest, disabled "
            "fails, 0..1 keeps that part of it (default: the server's).",
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
            "api_key_env": api_key_env,
            "headers": tuple(header or ()),
            "model": model,
            "voice": voice,
            "instructions": instructions,
            "persona": persona,
            "profile": profile,
            "max_cost": max_cost,
            "max_minutes": max_minutes,
            "log_level": log_level,
            "debug": debug,
            "otel": otel,
            "mic": mic,
            "speaker": speaker,
            "echo": echo,
            "duck": duck,
            "barge_in": barge_in,
            "spoken_commands": spoken_commands,
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
            "tools": tuple(tools or ()),
            "tool_timeout_s": tool_timeout,
            "yes_to": tuple(yes_to or ()),
            "mcp": tuple(mcp or ()),
            "hooks": tuple(exec_ or ()),
            "truncation": truncation,
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
