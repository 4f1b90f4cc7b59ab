"""The commands about recordings: `rtassist sessions …` and `rtassist diff`; each loads what it needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtassist.flags import examples

if TYPE_CHECKING:
    from rtassist.settings import Settings

EXIT_CODES = (
    "Exit codes: 0 done, 1 nothing found or not alike, 2 wrong usage, no such recording, one that cannot be "
    "read, or one that is still being recorded and is not changed. An ID is the beginning of one, last for "
    "the newest, or a file NAME.jsonl."
)
_EPILOGS = {
    name: f"{examples(*lines)}\n\n{EXIT_CODES}"
    for name, lines in {
        "sessions": ("rtassist sessions list", "rtassist sessions show last"),
        "list": ("rtassist sessions list", "rtassist sessions list --json | jq"),
        "show": ("rtassist sessions show last", "rtassist sessions show 2026-11-22_17"),
        "search": ("rtassist sessions search light house",),
        "export": (
            "rtassist sessions export last",
            "rtassist sessions export last -f srt -o talk.srt",
        ),
        "redact": (
            "rtassist sessions redact last",
            "rtassist sessions redact last --audio -o short.jsonl",
        ),
        "rm": ("rtassist sessions rm 2026-11-22_17-12-05_k3f9",),
        "diff": ("rtassist diff before.jsonl after.jsonl", "rtassist diff last other.jsonl --json"),
    }.items()
}
DIFF_EPILOG = _EPILOGS["diff"]
app = typer.Typer(
    name="sessions",
    help="Recordings: list, show, search, redact, rm.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=_EPILOGS["sessions"],
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The beginning of an id, last, or a file.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def _settings() -> Settings:
    from rtassist.settings_loading import load_here

    return load_here({})


@app.command("list", epilog=_EPILOGS["list"])
def list_sessions(as_json: AsJson = False) -> None:
    """List the recordings, the newest first.

    Of each: id, length, turns, first words.
    """
    from rtassist import shelf

    raise typer.Exit(shelf.list_sessions(_settings(), as_json=as_json))


@app.command(epilog=_EPILOGS["show"])
def show(id: Id, as_json: AsJson = False) -> None:
    """Show who said what and when.

    What was cut off and not heard is struck, or stands in brackets.
    """
    from rtassist import shelf

    raise typer.Exit(shelf.show(_settings(), id, as_json=as_json))


@app.command(epilog=_EPILOGS["search"])
def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="Words, or how they begin.")],
    as_json: AsJson = False,
) -> None:
    """Find lines in which all these words are."""
    from rtassist import shelf

    raise typer.Exit(shelf.search(_settings(), " ".join(words), as_json=as_json))


@app.command(epilog=_EPILOGS["export"])
def export(
    id: Id,
    format: Annotated[
        str, typer.Option("--format", "-f", metavar="md|json|txt|srt", help="As what (default: md).")
    ] = "md",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="A new file (default: stdout).")
    ] = None,
) -> None:
    """Write a conversation as a document.

    Markdown, JSON, text, or subtitles.
    """
    from rtassist import shelf

    raise typer.Exit(shelf.export(_settings(), id, format=format, out=out))


@app.command(epilog=_EPILOGS["redact"])
def redact(
    id: Id,
    text: Annotated[bool, typer.Option("--text", help="Take out the words.")] = False,
    audio: Annotated[bool, typer.Option("--audio", help="Take out the sound.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="A new file (default: ID-redacted.jsonl here)."),
    ] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Change the recording itself.")] = False,
) -> None:
    """Take out words and sound, or one of them.

    What is left replays as it did: it tells how long everything took and what was done, and can be sent to
    somebody.
    """
    from rtassist import shelf

    raise typer.Exit(shelf.redact(_settings(), id, text=text, audio=audio, out=out, in_place=in_place))


@app.command(epilog=_EPILOGS["rm"])
def rm(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As for show; several may be named.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete recordings, with their sound."""
    from rtassist import shelf

    raise typer.Exit(shelf.remove(_settings(), ids, yes=yes))


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="The beginning of an id, last, or a file.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Likewise.")],
    as_json: AsJson = False,
    tolerance: Annotated[
        int,
        typer.Option(metavar="MS", min=0, help="Times that differ by less are alike (default: 100)."),
    ] = 100,
) -> None:
    """Compare two recordings, turn by turn.

    First divergence first: words, cuts, latency, calls, effects.
    """
    from rtassist import shelf

    raise typer.Exit(shelf.diff(_settings(), a, b, as_json=as_json, tolerance_ms=tolerance))
