"""What reading and writing cost is that of the real functions: when they become slower, so do the figures."""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bench import decode as row
from bench.figures import OURS

SLOWER_NS = 300_000


@pytest.fixture(autouse=True)
def looked_up_anew() -> Iterator[None]:
    yield
    row._parser.cache_clear()
    row._writer.cache_clear()


def slowed(function: Callable[..., Any]) -> Callable[..., Any]:
    def late(*arguments: Any) -> Any:
        until_ns = time.perf_counter_ns() + SLOWER_NS
        while time.perf_counter_ns() < until_ns:
            pass
        return function(*arguments)

    return late


def median(samples: row.Samples) -> float:
    return statistics.median(next(iter(samples.values())))


def test_a_slower_decode_moves_the_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row, "PASSES", {OURS: 1})
    row._parser.cache_clear()
    assert median(row._read(OURS, True)) < SLOWER_NS
    row._parser.cache_clear()
    monkeypatch.setattr(row, "decode", slowed(row.decode))
    assert median(row._read(OURS, True)) > SLOWER_NS


def test_a_slower_encode_moves_the_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    row._writer.cache_clear()
    assert median(row._write(OURS, True)) < SLOWER_NS
    row._writer.cache_clear()
    monkeypatch.setattr(row, "encode", slowed(row.encode))
    assert median(row._write(OURS, True)) > SLOWER_NS
