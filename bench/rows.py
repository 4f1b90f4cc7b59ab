"""All rows of the suite, in the order of what a user feels."""

from __future__ import annotations

from typing import Final

from bench import decode, interruption, overhead, recording, sink
from bench.row import Row

ROWS: Final[tuple[Row, ...]] = (
    *interruption.ROWS,
    *sink.ROWS,
    *overhead.ROWS,
    *decode.ROWS,
    *recording.ROWS,
)
