"""The latency suite: `python -m bench`.

Exit codes: 0 measured; 1 with --strict, a limit was missed; 2 wrong usage, or a file that holds no results.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bench import page, results, suite, table
from bench.markdown import markdown as in_markdown
from bench.peers import set_up
from bench.row import Row
from bench.rows import ROWS, WATERFALLS

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds: all in under two minutes.")] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="This row alone; may be repeated.")
    ] = None,
    peers: Annotated[bool, typer.Option(help="Beside the clients that people would use instead.")] = False,
    live: Annotated[
        bool,
        typer.Option(
            "--live",
            help="Only the turn's stages, with a real endpoint and the key in the environment. Says what it "
            "costs, and asks first.",
        ),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 1 where a limit was missed, as a gate wants it.")
    ] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="NAME", help="Say what a row measures, and nothing else.")
    ] = None,
    setup_peers: Annotated[
        bool,
        typer.Option("--setup-peers", help="Install these clients, each apart (1.3 GB), and nothing else."),
    ] = False,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all samples to a file, for --compare.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with plots, that needs nothing else.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the medians as tables in Markdown.")
    ] = None,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the plots as a picture.")] = None,
    shown: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE.json", help="Measure nothing: show what such a file holds."),
    ] = None,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(metavar="A.json B.json", help="Compare two such files.")
    ] = None,
) -> None:
    """Measure how fast the client is, and how exact."""
    draw = _rasteriser() if png is not None else None
    if explain is not None:
        (row,) = _rows([explain])
        print(f"{row.name}: {row.measures}")
        return
    if setup_peers:
        _set_up_peers()
        return
    if compare is not None:
        before, after = (_read(path) for path in compare)
        print(f"{compare[0]} ({before.made}) → {compare[1]} ({after.made})")
        print("\n".join(table.compared(before.measured, after.measured)))
        return
    if shown is not None:
        kept = _read(shown)
    else:
        began = datetime.now(UTC)
        rows = [_live()] if live else _rows(only)
        kept = results.results(began, suite.run(rows, quick=quick, peers=peers, tell=_tell))
        _tell("")
    print(page.about(kept))
    print("\n".join(table.lines(kept.measured)))
    if json is not None:
        json.write_bytes(results.to_json(kept))
    if html is not None:
        explained = {row.name: row.measures for row in ROWS}
        html.write_text(page.html(kept, explained, WATERFALLS), encoding="utf-8")
    if markdown is not None:
        markdown.write_text("\n".join(in_markdown(kept)) + "\n", encoding="utf-8")
    if png is not None and draw is not None:
        draw(page.picture(kept, WATERFALLS), png)
    if strict and any(each.kept() is False for each in kept.measured):
        raise typer.Exit(1)


def _set_up_peers() -> None:
    failed = set_up(print)
    for sentence in failed:
        print(f"bench: {sentence}", file=sys.stderr)
    if failed:
        raise typer.Exit(1)


def _rasteriser() -> Callable[[str, Path], None]:
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        _refuse(
            "A picture needs the package resvg-py, which is not installed: pip install 'rtassist[bench]'."
        )

    def draw(svg: str, path: Path) -> None:
        path.write_bytes(bytes(svg_to_bytes(svg_string=svg, zoom=2)))

    return draw


def _live() -> Row:
    from bench import live

    to = live.live(os.environ)
    if isinstance(to, str):
        _refuse(to)
    if not live.agreed(to, input):
        _refuse("Nothing was measured.")
    return live.row(to)


def _rows(names: list[str] | None) -> list[Row]:
    if not names:
        return list(ROWS)
    known = {row.name: row for row in ROWS}
    for name in names:
        if name not in known:
            _refuse(f"There is no row {name!r}. There is: {', '.join(known)}.")
    return [known[name] for name in names]


def _read(path: Path) -> results.Results:
    try:
        return results.from_json(path.read_bytes())
    except OSError as error:
        _refuse(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.")
    except results.NoResults as bad:
        _refuse(f"{path}: {bad}")


def _refuse(sentence: str) -> NoReturn:
    print(f"bench: {sentence}", file=sys.stderr)
    raise typer.Exit(2)


def _tell(line: str) -> None:
    """What is being measured now, on one line of a terminal that the next one replaces."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    app()
