"""All rows of the suite, in the order of what a user feels."""

from __future__ import annotations

from typing import Final

from bench import decode, recording, startup
from bench.row import Row

ROWS: Final[tuple[Row, ...]] = (*startup.ROWS, *decode.ROWS, *recording.ROWS)
