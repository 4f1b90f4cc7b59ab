"""Runs rows: contenders in turns, round by round, so that what else the machine does falls on all alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bench.figures import OURS, Measured, gathered
from bench.row import CannotDo, Row, Samples

Tell = Callable[[str], None]


def run(rows: Iterable[Row], *, quick: bool, peers: bool, tell: Tell) -> list[Measured]:
    """All figures of all rows. `tell` is given a line whenever something new begins."""
    measured: list[Measured] = []
    for row in rows:
        measured += run_row(row, quick=quick, peers=peers, tell=tell)
    return measured


def run_row(row: Row, *, quick: bool, peers: bool, tell: Tell) -> list[Measured]:
    contenders = [c for c in row.contenders if peers or c == OURS or c in row.bounds]
    rounds: dict[str, list[Samples]] = {contender: [] for contender in contenders}
    cannot: dict[str, str] = {}
    count = row.quick_rounds if quick else row.rounds
    for number in range(count):
        for contender in contenders:
            if contender in cannot:
                continue
            tell(f"{row.name}: {contender}, round {number + 1} of {count}")
            try:
                rounds[contender].append(row.once(contender, quick))
            except CannotDo as unable:
                cannot[contender] = unable.reason
    measured = []
    for contender in contenders:
        if contender in cannot:
            measured += [
                Measured(row=row.name, figure=figure, contender=contender, cannot=cannot[contender])
                for figure in row.figures
            ]
        else:
            measured += gathered(row.name, row.figures, contender, rounds[contender])
    return measured
