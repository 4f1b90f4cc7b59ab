"""Measurements as SVG: distributions, stages that follow each other, what changes over time. Pure.

Colours are left to whoever shows it, by classes: `c0` is ours, `c1` to `c7` are the others; `axis`, `grid`,
`limit` and `text` are what they say.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from attrs import frozen

from bench.figures import Measured
from bench.table import number

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 24, 10, 34
LOGARITHMIC_FROM: Final = 20
"""The largest over the smallest: from there on most of a linear axis would be empty."""
BAR: Final = 26
NAMES: Final = 230

Scale = Callable[[float], float]


@frozen
class Drawing:
    width: float
    height: float
    body: str

    def svg(self, x: float = 0, y: float = 0) -> str:
        """`x`, `y`: where it lies in another one."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" role="img"'
            f' x="{x}" y="{y}" width="{self.width}" height="{self.height}">{self.body}</svg>'
        )


def ecdf(measured: Sequence[Measured], unit: str) -> Drawing:
    """For each contender which share of its samples is at most so large; the limit of the first as a line."""
    curves = [sorted(m.samples()) for m in measured]
    limit = measured[0].figure.limit
    shown = [s for curve in curves for s in curve] + ([limit] if limit else [])
    scale, ticks = axis(min(shown), max(shown))
    up = _linear(0, 1, HEIGHT - BOTTOM, TOP)
    parts = [_frame(ticks, scale, unit), *(_level(up(share), f"{share:.0%}") for share in (0, 0.5, 1))]
    if limit:
        parts.append(f'<path class="limit" d="M{scale(limit):.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
    for index, curve in enumerate(curves):
        steps = [f"M{scale(curve[0]):.1f} {up(0):.1f}"]
        steps += [f"V{up((n + 1) / len(curve)):.1f}H{scale(x):.1f}" for n, x in enumerate(_next(curve))]
        parts.append(f'<path class="line c{index % 8}" d="{"".join(steps)}"/>')
    return Drawing(WIDTH, HEIGHT, "".join(parts))


def _next(curve: Sequence[float]) -> list[float]:
    """Where each step ends."""
    return [*curve[1:], curve[-1]]


def over_time(measured: Sequence[Measured], unit: str) -> Drawing:
    """Samples in the order in which they were taken, from zero on."""
    curves = [m.rounds[-1] for m in measured]
    up = _linear(0, max(map(max, curves)) * 1.15, HEIGHT - BOTTOM, TOP)
    across = _linear(0, 1, LEFT, WIDTH - RIGHT)
    parts = [_frame([], across, "beginning → end")]
    parts += [_level(up(value), number(value)) for value in _round_numbers(0, max(map(max, curves)) * 1.15)]
    for index, curve in enumerate(curves):
        points = " ".join(
            f"{across(n / max(1, len(curve) - 1)):.1f},{up(y):.1f}" for n, y in enumerate(curve)
        )
        parts.append(f'<polyline class="line c{index % 8}" points="{points}"/>')
    return Drawing(WIDTH, HEIGHT, "".join(parts))


def waterfall(stages: Sequence[Measured], colours: Sequence[int], unit: str) -> Drawing:
    """The medians of stages that follow each other, each bar where the one before ends."""
    medians = [statistics.median(stage.samples()) for stage in stages]
    width, height = 2 * WIDTH, TOP + BAR * len(stages) + BOTTOM
    scale = _linear(0, sum(medians) * 1.12, NAMES, width - RIGHT)
    ticks = _round_numbers(0, sum(medians) * 1.12)
    parts = [_frame(ticks, scale, unit, width, height, NAMES)]
    begin = 0.0
    for index, (stage, took) in enumerate(zip(stages, medians, strict=True)):
        y = TOP + BAR * index
        long = max(1.5, scale(begin + took) - scale(begin))
        name = escape(stage.figure.name)
        parts.append(
            f'<text class="text" x="{NAMES - 8}" y="{y + 16}" text-anchor="end">{name}</text>'
            f'<rect class="bar c{colours[index] % 8}" x="{scale(begin):.1f}" y="{y + 4}" width="{long:.1f}"'
            f' height="{BAR - 9}" rx="2"/>'
            f'<text class="text" x="{scale(begin) + long + 5:.1f}" y="{y + 16}">{number(took)}</text>'
        )
        begin += took
    return Drawing(width, height, "".join(parts))


def axis(low: float, high: float) -> tuple[Scale, list[float]]:
    """From values to places, and the values that are written at it."""
    left, right = LEFT, WIDTH - RIGHT
    if low > 0 and high / low > LOGARITHMIC_FROM:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        place = _linear(first, last, left, right)
        every = math.ceil((last - first) / 5)
        return lambda x: place(math.log10(x)), [10.0**n for n in range(first, last + 1, every)]
    room = (high - low) * 0.08 or abs(high) * 0.05 or 1.0
    low = 0.0 if 0 <= low < high / 3 else low - room
    return _linear(low, high + room, left, right), _round_numbers(low, high + room)


def _linear(low: float, high: float, first: float, last: float) -> Scale:
    per = (last - first) / ((high - low) or 1)
    return lambda x: first + (x - low) * per


def _round_numbers(low: float, high: float) -> list[float]:
    """Four to seven of them, in steps of 1, 2 or 5."""
    rough = (high - low) / 5 or 1
    ten = 10.0 ** math.floor(math.log10(rough))
    step = next(s * ten for s in (1, 2, 5, 10) if s * ten >= rough)
    return [n * step for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _frame(
    ticks: Sequence[float],
    scale: Scale,
    unit: str,
    width: int = WIDTH,
    height: int = HEIGHT,
    left: int = LEFT,
) -> str:
    ground = height - BOTTOM
    marks = "".join(
        f'<path class="grid" d="M{scale(x):.1f} {TOP}V{ground}"/>'
        f'<text class="text" x="{scale(x):.1f}" y="{ground + 14}" text-anchor="middle">{number(x)}</text>'
        for x in ticks
    )
    return (
        f'{marks}<path class="axis" d="M{left} {ground}H{width - RIGHT}"/>'
        f'<text class="text" x="{(left + width - RIGHT) / 2}" y="{ground + 28}" text-anchor="middle">'
        f"{escape(unit)}</text>"
    )


def _level(y: float, text: str) -> str:
    return (
        f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        f'<text class="text" x="{LEFT - 5}" y="{y + 3.5:.1f}" text-anchor="end">{escape(text)}</text>'
    )
