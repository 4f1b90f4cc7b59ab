"""The records of a recording with each chunk of the microphone where it was heard. Pure.

A run of chunks stands behind the lines that it goes on past (see `journal`). Who decides again what happened
need not care, for neither means anything to the other; who tells or plays it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs
import orjson

from rtassist.dialogue.step import is_frequent
from rtassist.sessions.reading import Asked, Damaged, Happened, Heard, Record

Chunks = tuple[tuple[int, int], ...]


def in_time(records: Iterable[Record]) -> Iterator[Record]:
    """The same records; a run that goes on past others is parted there. Held back is what a run may go on
    past, and no more. Raises what reading them raises.
    """
    passed: list[Record] = []
    try:
        for record in records:
            if type(record) is Heard:
                yield from _merged(passed, record)
                passed = []
            elif (type(record) is Happened and is_frequent(record.event)) or (
                type(record) is Asked and passed
            ):
                passed.append(record)
            else:
                yield from passed
                passed = []
                yield record
    except Damaged:
        yield from passed
        raise
    yield from passed


def _merged(passed: list[Record], run: Heard) -> Iterator[Record]:
    rest: Heard | None = run
    for record in passed:
        if rest is not None and type(record) is Happened:
            before, rest = split(rest, record.us)
            if before is not None:
                yield before
        yield record
    if rest is not None:
        yield rest


def split(heard: Heard, at_us: int) -> tuple[Heard | None, Heard | None]:
    """The chunks before this time, and those from it on; `us` of either is the time of its first one."""
    chunks = heard.chunks
    before = tuple(chunk for chunk in chunks if heard.us + chunk[0] < at_us)
    behind = chunks[len(before) :]
    samples = sum(chunk[1] for chunk in before)
    first, whole = heard.run
    return _run(heard, before, (first, samples)), _run(heard, behind, (first + samples, whole - samples))


def _run(heard: Heard, chunks: Chunks, run: tuple[int, int]) -> Heard | None:
    if not chunks:
        return None
    moved = chunks[0][0]
    text = orjson.dumps([(at_us - moved, samples) for at_us, samples in chunks])[1:-1]
    return attrs.evolve(heard, us=heard.us + moved, run=run, text=text, first_us=0)
