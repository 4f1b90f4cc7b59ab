"""Results as lines of text: figures below each other, contenders side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bench.figures import OURS, Figure, Measured, change, ratio

_COLUMNS = ("", "median", "p99", "limit", "")


def lines(measured: Sequence[Measured]) -> Iterator[str]:
    """What is ours, one line a figure; under it a line for each other contender, with its ratio to ours."""
    width = max((len(_title(m)) for m in measured), default=0)
    yield _line(width, *_COLUMNS)
    for ours in measured:
        if ours.contender != OURS:
            continue
        yield _ours(width, ours)
        for theirs in measured:
            if (theirs.row, theirs.figure) == (ours.row, ours.figure) and theirs.contender != OURS:
                yield _theirs(width, theirs, ours)


def _title(measured: Measured) -> str:
    if measured.contender != OURS:
        return f"    {measured.contender}"
    return f"{measured.row}: {measured.figure.name}, {measured.figure.unit}"


def _line(width: int, title: str, median: str, p99: str, limit: str, verdict: str) -> str:
    return f"{title:{width}}  {median:>9}  {p99:>9}  {limit:>12}  {verdict}".rstrip()


def _ours(width: int, ours: Measured) -> str:
    figure = ours.figure
    if ours.cannot or not ours.samples():
        return _line(width, _title(ours), "–", "–", "", ours.cannot or "nothing was measured")
    kept = ours.kept()
    verdict = "" if kept is None else "ok" if kept else "MISSED"
    return _line(width, _title(ours), number(ours.median()), number(ours.p99()), bound(figure), verdict)


def bound(figure: Figure) -> str:
    """The limit, as it is written behind a figure."""
    if figure.limit is None:
        return ""
    sign = "≥" if figure.more_is_better else "≤"
    return f"{'' if figure.of == 'median' else figure.of + ' '}{sign} {number(figure.limit)}"


def _theirs(width: int, theirs: Measured, ours: Measured) -> str:
    if theirs.cannot or not theirs.samples():
        return _line(width, _title(theirs), "–", "–", "", theirs.cannot or "nothing was measured")
    times = ratio(theirs, ours)
    said = "" if times is None else f"× {number(times)}"
    return _line(width, _title(theirs), number(theirs.median()), number(theirs.p99()), "", said)


def number(value: float) -> str:
    """Three digits that count: 0.0412, 4.12, 412, 41,200."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{2 if abs(value) < 1 else 3}g}"


def compared(before: Iterable[Measured], after: Iterable[Measured]) -> Iterator[str]:
    """A line for each figure that both runs have: the ratio, or that there is no difference."""
    first = {(m.row, m.figure.name, m.contender): m for m in before}
    for measured in after:
        other = first.get((measured.row, measured.figure.name, measured.contender))
        if other is None or not other.samples() or not measured.samples():
            continue
        title = f"{measured.row}: {measured.figure.name}, {measured.contender}"
        changed = change(other, measured)
        if changed is None:
            same = other.median() == measured.median()
            said = "no difference" if same else f"{number(other.median())} → {number(measured.median())}"
        elif not changed.certain:
            said = f"no difference (× {changed.low:.2f} to {changed.high:.2f})"
        else:
            said = f"× {changed.ratio:.2f} (between {changed.low:.2f} and {changed.high:.2f})"
        yield f"{title}: {said}"
