"""Whose processes the latency rows can have play a scenario."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from bench.figures import OURS

RAW: Final = "raw socket"
WEBSOCKETS: Final = "websockets + orjson"
OURSELVES: Final = {
    OURS: "bench.clients.rtassist_client",
    RAW: "bench.clients.raw_socket",
    WEBSOCKETS: "bench.clients.websockets_orjson",
}
"""They run in this interpreter; a peer in one of its own."""


def command(contender: str) -> Sequence[str]:
    """What starts the client of a contender. Raises CannotDo."""
    return [sys.executable, "-m", OURSELVES[contender]]
