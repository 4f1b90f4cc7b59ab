"""A connection that breaks: how soon there is another, and what of the user's speech is lost meanwhile."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from bench.clients.contract import BLOCK_S
from bench.contenders import PEERS, command
from bench.figures import OURS, Figure
from bench.plays import Played, play
from bench.row import CannotDo, Row, Samples

SESSION, HEARD, LOST = "to the next session", "to the microphone heard again", "microphone lost"
_BLOCK_NS: Final = BLOCK_S * 1e9


def gap(played: Played) -> Samples:
    """The samples of one loss, in ms. Raises CannotDo where no other connection came."""
    dropped_ns = next((ns for ns, what, _, _ in played.server["sent"] if what == "dropped"), None)
    if dropped_ns is None:
        raise CannotDo("it left before the connection broke")
    began_ns = [ns for ns, event in played.server["got"] if event["type"] == "session.update"]
    later_ns = [ns for ns in began_ns if ns > dropped_ns]
    if not later_ns:
        raise CannotDo("it does not connect again by itself")
    came_again_ns = [came_ns for came_ns, _ in played.server["up"] if came_ns > later_ns[0]]
    if not came_again_ns:
        raise CannotDo("it connects again, and sends no microphone any more")
    return {
        SESSION: [(later_ns[0] - dropped_ns) / 1e6],
        HEARD: [(came_again_ns[0] - dropped_ns) / 1e6],
        LOST: [lost_ms([heard_ns for _, heard_ns in played.server["up"]])],
    }


def lost_ms(heard_ns: list[int]) -> float:
    """What is missing between the first and the last block that the server got. Each is 20 ms, and may have
    been heard half of that too early or too late.
    """
    ordered = sorted(set(heard_ns))
    missing = 0
    for earlier_ns, later_ns in pairwise(ordered):
        missing += max(0, round((later_ns - earlier_ns) / _BLOCK_NS) - 1)
    return missing * BLOCK_S * 1000


def _once(contender: str, quick: bool) -> Samples:
    (played,) = play(command(contender), ("dropped",))
    return gap(played)


ROWS: Final = (
    Row(
        name="reconnect",
        measures="The server breaks the connection without a word → it has the first `session.update` of the "
        "next one, and the first microphone there; and how much of the microphone, between the first and the "
        "last that came, it never got. Ours waits up to a quarter of a second by design, "
        "so that clients that lost one server do not come back in one moment.",
        figures=(
            Figure(name=SESSION, unit="ms", limit=400),
            Figure(name=HEARD, unit="ms", limit=500),
            Figure(name=LOST, unit="ms", limit=0, of="worst"),
        ),
        once=_once,
        contenders=(OURS, *PEERS),
        quick_rounds=1,
        rounds=3,
    ),
)
