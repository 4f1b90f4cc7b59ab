"""Results as one HTML file that needs nothing else, and as one SVG. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Final

from bench import plots
from bench.figures import OURS, Measured, ratio
from bench.results import Results
from bench.table import number

LIGHT: Final = ("#1f6feb", "#d9480f", "#2b8a3e", "#9c36b5", "#0b7285", "#c2255c", "#5f3dc4", "#7a6a00")
DARK: Final = ("#6cb2ff", "#ff9f68", "#69db7c", "#e599f7", "#66d9e8", "#faa2c1", "#b197fc", "#ffe066")
PAPER: Final = {
    "ground": "#ffffff",
    "ink": "#1c1e21",
    "faint": "#6b7280",
    "rule": "#e2e5e9",
    "bad": "#c92a2a",
}
NIGHT: Final = {
    "ground": "#14171b",
    "ink": "#e6e8eb",
    "faint": "#9aa3ad",
    "rule": "#2b3138",
    "bad": "#ff8787",
}
Waterfalls = Mapping[str, Mapping[str, str]]
TIMELINE_SAMPLES: Final = 20
STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1.2rem;
  background: var(--ground); color: var(--ink); }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .2rem; }
p { margin: .2rem 0 .8rem; color: var(--faint); max-width: 50rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th, td { text-align: right; padding: .18rem .7rem; border-bottom: 1px solid var(--rule);
  font-weight: normal; }
th { color: var(--faint); } th:first-child, td:first-child { text-align: left; padding-left: 0; }
td:last-child { white-space: nowrap; } .theirs td { color: var(--faint); } .theirs td:first-child
  { padding-left: 1.4rem; } .missed { color: var(--bad); font-weight: 600; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem 1.6rem; margin-top: 1rem; }
figure { margin: 0; break-inside: avoid; max-width: 100%; } figure svg { max-width: 100%; height: auto; }
figcaption { font-size: 13px; } .key { display: inline-block; margin-right: .9rem; color: var(--faint); }
.key i { display: inline-block; width: .9rem; height: 3px; margin-right: .35rem; vertical-align: middle; }
section { break-inside: auto; } h2, h2 + p { break-after: avoid; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } }
"""
FONTS: Final = "'Segoe UI', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
"""By name: what makes a picture knows no system-ui."""
DRAWING: Final = """
.text { font: 11px FONTS; fill: FAINT; } .axis { stroke: FAINT; fill: none; }
.grid { stroke: RULE; fill: none; } .limit { stroke: BAD; stroke-dasharray: 4 3; fill: none; }
.title { font: 13px FONTS; fill: INK; } text.key { font: 11px FONTS; }
.line { fill: none; stroke-width: 1.8; }
"""


def html(kept: Results, explained: Mapping[str, str], waterfalls: Waterfalls) -> str:
    """`explained`: what each row measures; `waterfalls`: by row the figures that follow each
    other in time, and who took it."""
    light = _variables(PAPER, LIGHT)
    dark = _variables(NIGHT, DARK)
    sections = "".join(
        _section(row, tuple(measured), explained.get(row, ""), waterfalls.get(row, {}))
        for row, measured in groupby(kept.measured, lambda m: m.row)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><title>rtassist: latency</title><style>'
        f":root {{ {light} }} @media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
        f"{STYLE}{drawing(dict.fromkeys(PAPER, ''), [])}</style></head><body>"
        f"<h1>rtassist: latency</h1><p>{escape(about(kept))}</p>{sections}</body></html>\n"
    )


def about(kept: Results) -> str:
    machine = kept.machine
    return (
        f"{kept.made}, {machine['system']}, {machine['cores']} × {machine['processor']}, "
        f"Python {machine['python']}"
    )


def _variables(colours: Mapping[str, str], lines: Sequence[str]) -> str:
    named = {**colours, **{f"c{n}": colour for n, colour in enumerate(lines)}}
    return " ".join(f"--{name}: {colour};" for name, colour in named.items())


def drawing(colours: Mapping[str, str], lines: Sequence[str]) -> str:
    """How the classes of the plots look; without colours they are the page's variables."""
    style = DRAWING.replace("FONTS", FONTS)
    for name, colour in colours.items():
        style = style.replace(name.upper(), colour or f"var(--{name})")
    for n in range(len(LIGHT)):
        colour = lines[n] if lines else f"var(--c{n})"
        style += f".line.c{n} {{ stroke: {colour}; }} .bar.c{n} {{ fill: {colour}; }}\n"
    return style


def _section(row: str, measured: Sequence[Measured], explained: str, waterfall: Mapping[str, str]) -> str:
    figures = "".join(
        f"<figure><figcaption>{escape(title)} {_key(shown)}</figcaption>{drawn.svg()}</figure>"
        for title, shown, drawn in _drawn(measured, waterfall)
    )
    lines = "".join(_lines(measured))
    return (
        f"<section><h2>{escape(row)}</h2><p>{escape(explained)}</p><table><tr><th></th><th>median</th>"
        f"<th>p99</th><th>limit</th><th></th></tr>{lines}</table><div class=plots>{figures}</div></section>"
    )


def _key(shown: Sequence[str]) -> str:
    if len(shown) < 2:
        return ""
    return "".join(
        f'<span class=key><i style="background: var(--c{n % len(LIGHT)})"></i>{escape(name)}</span>'
        for n, name in enumerate(shown)
    )


def _lines(measured: Sequence[Measured]) -> Iterator[str]:
    for ours in measured:
        if ours.contender == OURS:
            yield _line(ours, ours)
            for theirs in measured:
                if theirs.figure == ours.figure and theirs.contender != OURS:
                    yield _line(theirs, ours)


def _line(measured: Measured, ours: Measured) -> str:
    mine = measured is ours
    name = f"{measured.figure.name}, {measured.figure.unit}" if mine else measured.contender
    row = f'<tr class="{"ours" if mine else "theirs"}"><td>{escape(name)}</td>'
    if measured.cannot or not measured.samples():
        return f"{row}<td>–</td><td>–</td><td></td><td>{escape(measured.cannot)}</td></tr>"
    figure, times = measured.figure, ratio(measured, ours)
    limit = ""
    if mine and figure.limit is not None:
        of = "" if figure.of == "median" else f"{figure.of} "
        limit = f"{of}{'≥' if figure.more_is_better else '≤'} {number(figure.limit)}"
    kept = {None: "", True: "ok", False: "<span class=missed>missed</span>"}[
        measured.kept() if mine else None
    ]
    said = kept if mine else "" if times is None else f"× {number(times)}"
    values = f"<td>{number(measured.median())}</td><td>{number(measured.p99())}</td>"
    return f"{row}{values}<td>{limit}</td><td>{said}</td></tr>"


def _drawn(
    measured: Sequence[Measured], waterfall: Mapping[str, str]
) -> Iterator[tuple[str, Sequence[str], plots.Drawing]]:
    """For each plot of a row its title, whose lines are in it, and itself."""
    stages = [m for name in waterfall for m in measured if m.figure.name == name and m.contender == OURS]
    if stages and all(stage.samples() for stage in stages):
        who = list(dict.fromkeys(waterfall.values()))
        colours = [who.index(taken_by) for taken_by in waterfall.values()]
        yield "stage by stage, medians", who, plots.waterfall(stages, colours, stages[0].figure.unit)
    for ours in measured:
        if ours.contender != OURS:
            continue
        shown = [m for m in measured if m.figure == ours.figure and m.samples()]
        if not ours.samples() or not any(len(set(m.samples())) > 2 for m in shown):
            continue
        title = f"{ours.figure.name}, {ours.figure.unit}"
        names = [m.contender for m in shown]
        if ours.figure.unit == "MB" and len(ours.rounds[-1]) >= TIMELINE_SAMPLES:
            yield title, names, plots.over_time(shown, ours.figure.unit)
        else:
            yield title, names, plots.ecdf(shown, ours.figure.unit)


def picture(kept: Results, waterfalls: Waterfalls) -> str:
    """All plots as one SVG on white, two beside each other."""
    gap, whole = 24, 2 * plots.WIDTH + 72
    parts: list[str] = []
    x, y, below = gap, gap, gap
    for row, group in groupby(kept.measured, lambda m: m.row):
        for title, shown, drawn in _drawn(tuple(group), waterfalls.get(row, {})):
            if x + drawn.width > whole:
                x, y = gap, below
            names = shown if len(shown) > 1 else ()
            parts.append(f'<text class="title" x="{x}" y="{y + 14}">{escape(f"{row}: {title}")}</text>')
            for n, name in enumerate(names):
                place = f'x="{x + 90 * (n % 4)}" y="{y + 31 + 14 * (n // 4)}"'
                parts.append(f'<text class="key bar c{n % len(LIGHT)}" {place}>{escape(name)}</text>')
            top = y + 22 + 14 * math.ceil(len(names) / 4)
            parts.append(drawn.svg(x, top))
            below = max(below, top + round(drawn.height) + gap)
            x += round(drawn.width) + gap
    style = f'<style>{drawing(PAPER, LIGHT)}</style><rect width="{whole}" height="{below}" fill="#fff"/>'
    return plots.Drawing(whole, below, style + "".join(parts)).svg()
