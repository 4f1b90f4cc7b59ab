"""All rows of the suite, in the order of what a user feels."""

from __future__ import annotations

from typing import Final

from bench import (
    decode,
    endurance,
    interruption,
    overhead,
    reconnect,
    recording,
    replay,
    screen,
    self_interruption,
    sink,
    startup,
    turn,
)
from bench.row import Row

ROWS: Final[tuple[Row, ...]] = (
    *startup.ROWS,
    *interruption.ROWS,
    *sink.ROWS,
    *turn.ROWS,
    *screen.ROWS,
    *self_interruption.ROWS,
    *reconnect.ROWS,
    *overhead.ROWS,
    *decode.ROWS,
    *recording.ROWS,
    *endurance.ROWS,
    *replay.ROWS,
)
WATERFALLS: Final = {"turn": turn.TAKEN_BY}
"""Rows whose figures follow each other in time, and who takes each of them."""
