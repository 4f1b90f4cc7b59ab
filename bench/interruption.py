"""An interruption as the loudspeaker had it: when it fell silent, what of it was told, what came after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from attrs import frozen

from bench.contenders import PEERS, command
from bench.figures import OURS, Figure
from bench.heard import Heard, heard
from bench.plays import Played, play
from bench.row import CannotDo, Row, Samples
from bench.scenarios import INTERRUPTIONS, LATE, TRUNCATIONS

LIMIT_MS: Final = 20


@frozen(kw_only=True)
class Verdict:
    """Of one interruption. `quiet_ms`: from the server's sending `speech_started` to the last sample leaving
    the device; `told_ms`: to the server's having the truncation, None where it never came. `error_ms`: by how
    much the worst item is told wrong. `ghost`: samples that the server sent after the interruption and that
    sounded. `first_ms`: from the first delta to the first sample.
    """

    first_ms: float
    quiet_ms: float
    told_ms: float | None
    error_ms: float
    ghost: int


def judged(played: Played) -> Verdict:
    """Raises CannotDo where the client did not play, or not what it was sent."""
    if "device" not in played.client:
        raise CannotDo("it leaves playing to its user")
    sounded = heard(played.client["device"])
    sent = played.server["sent"]
    interrupted_ns = [ns for ns, what, _, _ in sent if what == "speech_started"]
    if not interrupted_ns:
        raise CannotDo(f"it left {played.scenario!r} before it was interrupted")
    interrupted_s = interrupted_ns[0] / 1e9
    began_s, ended_s = sounded.began(), sounded.ended()
    if not sounded.steady():
        raise CannotDo(f"samples were lost or repeated in {played.scenario!r}")
    return Verdict(
        first_ms=(began_s - sent[0][0] / 1e9) * 1000 if began_s else 0.0,
        quiet_ms=max(0.0, ended_s - interrupted_s) * 1000 if ended_s else 0.0,
        told_ms=_told_ms(played.server["got"], interrupted_s),
        error_ms=max(_errors_ms(played, sounded)),
        ghost=sounded.count(LATE),
    )


def _told_ms(got: Iterable[tuple[int, dict[str, Any]]], interrupted_s: float) -> float | None:
    for ns, event in got:
        if event["type"] == "conversation.item.truncate":
            return (ns / 1e9 - interrupted_s) * 1000
    return None


def _errors_ms(played: Played, sounded: Heard) -> list[float]:
    """Of each item: what the server takes for heard, which is all that it sent unless it is told otherwise,
    beside what left the device.
    """
    believed_ms: dict[int, float] = {}
    for _, what, item, ms in played.server["sent"]:
        if what in ("audio", "late"):
            believed_ms[item] = believed_ms.get(item, 0) + ms
    for _, event in played.server["got"]:
        if event["type"] == "conversation.item.truncate":
            believed_ms[_item(event)] = event["audio_end_ms"]
        elif event["type"] == "conversation.item.delete":
            believed_ms[_item(event)] = 0
    truth_ms = {item: sounded.ms(item) for item in believed_ms}
    truth_ms[0] += sounded.ms(LATE)
    return [abs(believed_ms[item] - truth_ms[item]) for item in believed_ms]


def _item(event: dict[str, Any]) -> int:
    return int(event["item_id"].removeprefix("item_"))


def _plays(contender: str, names: Sequence[str], quick: bool) -> Iterable[Played]:
    if not quick:
        return play(command(contender), names)
    once = _all_once(contender)
    return [once[name] for name in names]


@cache
def _all_once(contender: str) -> dict[str, Played]:
    """For --quick, where one play of a scenario serves all three rows."""
    return {played.scenario: played for played in play(command(contender), TRUNCATIONS)}


def _barge_in(contender: str, quick: bool) -> Samples:
    samples: dict[str, list[float]] = {}
    for played in _plays(contender, INTERRUPTIONS, quick):
        verdict = judged(played)
        samples.setdefault(f"quiet, {played.scenario}", []).append(verdict.quiet_ms)
        if verdict.told_ms is not None:
            samples.setdefault(f"told, {played.scenario}", []).append(verdict.told_ms)
        samples.setdefault("first sample", []).append(verdict.first_ms)
    return samples


def _truncation(contender: str, quick: bool) -> Samples:
    plays = _plays(contender, TRUNCATIONS, quick)
    return {played.scenario: [judged(played).error_ms] for played in plays}


def _ghost(contender: str, quick: bool) -> Samples:
    return {"late deltas": [judged(played).ghost for played in _plays(contender, ("late",), quick)]}


ROWS: Final = (
    Row(
        name="barge-in",
        measures="Quiet: the server sends `speech_started` → the last sample leaves the device, whose period "
        "is 10 ms; told: → the server has the truncation. Plain with ten seconds sent, behind a stall of the "
        "network, and with deltas that come late.",
        figures=(
            *(Figure(name=f"quiet, {name}", unit="ms", limit=LIMIT_MS) for name in INTERRUPTIONS),
            *(Figure(name=f"told, {name}", unit="ms") for name in INTERRUPTIONS),
            Figure(name="first sample", unit="ms"),
        ),
        once=_barge_in,
        contenders=(OURS, *PEERS),
        quick_rounds=1,
        rounds=5,
    ),
    Row(
        name="truncation",
        measures="What the server takes for heard of an item, by the truncations that it got → what left the "
        "device of it: the difference, of the item where it is worst.",
        figures=tuple(Figure(name=name, unit="ms", limit=LIMIT_MS, of="worst") for name in TRUNCATIONS),
        once=_truncation,
        contenders=(OURS, *PEERS),
        quick_rounds=1,
        rounds=3,
    ),
    Row(
        name="ghost",
        measures="Half a second of audio that the server sends of a response after `speech_started` → as "
        "many samples of it as leave the device.",
        figures=(Figure(name="late deltas", unit="samples", limit=0, of="worst"),),
        once=_ghost,
        contenders=(OURS, *PEERS),
        quick_rounds=1,
        rounds=3,
    ),
)
