"""Results as tables for a README: what is measured beside others, and what is ours alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.figures import OURS, Measured
from bench.results import Results
from bench.table import bound, number


def markdown(kept: Results) -> Iterator[str]:
    """Lines. Of each figure the median, ours with the p99 behind it; then why a contender is not in a row."""
    machine = ", ".join([kept.machine[part] for part in ("system", "processor")])
    yield f"{kept.made[:10]}, {machine} × {kept.machine['cores']}, Python {kept.machine['python']}."
    others = list(dict.fromkeys(m.contender for m in kept.measured if m.contender != OURS))
    ours = [m for m in kept.measured if m.contender == OURS]
    beside = {
        (m.row, m.figure.name, m.contender): m for m in kept.measured if m.contender != OURS and m.samples()
    }
    shared = [m for m in ours if any((m.row, m.figure.name, other) in beside for other in others)]
    alone = [m for m in ours if m not in shared]
    if shared:
        yield ""
        yield from _head("median", "rtassist (p99)", "limit", *others)
        for each in shared:
            theirs = [beside.get((each.row, each.figure.name, other)) for other in others]
            yield _row(each, *("" if it is None else number(it.median()) for it in theirs))
    if alone:
        yield ""
        yield from _head("median", "rtassist (p99)", "limit")
        yield from map(_row, alone)
    yield from _absent(kept.measured)


def _head(*names: str) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|---{'|--:' * (len(names) - 1)}|"


def _row(ours: Measured, *others: str) -> str:
    title = f"{ours.row}: {ours.figure.name}, {ours.figure.unit}"
    value = "–"
    if ours.samples():
        value = f"{number(ours.median())} ({number(ours.p99())})"
    missed = " **missed**" if ours.kept() is False else ""
    return f"| {' | '.join([title, value, bound(ours.figure) + missed, *others])} |"


def _absent(measured: Sequence[Measured]) -> Iterator[str]:
    reasons: dict[tuple[str, str], list[str]] = {}
    for each in measured:
        if each.cannot:
            rows = reasons.setdefault((each.contender, each.cannot), [])
            if each.row not in rows:
                rows.append(each.row)
    if reasons:
        yield ""
    for (contender, reason), rows in reasons.items():
        yield f"- {contender}, {', '.join(rows)}: {reason}"
