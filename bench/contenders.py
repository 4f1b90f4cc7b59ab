"""Whose processes the latency rows can have play a scenario."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from bench import peers
from bench.figures import OURS

RAW: Final = "raw socket"
WEBSOCKETS: Final = "websockets + orjson"
OURSELVES: Final = {
    OURS: "bench.clients.rtassist_client",
    RAW: "bench.clients.raw_socket",
    WEBSOCKETS: "bench.clients.websockets_orjson",
}
"""They run in this interpreter; a peer in one of its own."""
PEERS: Final = tuple(peers.peers())


def command(contender: str) -> Sequence[str]:
    """What starts the client of a contender. Raises CannotDo."""
    if contender in OURSELVES:
        return [sys.executable, "-m", OURSELVES[contender]]
    return peers.command(contender)
