"""Interruptions judged by what the server and the loudspeaker reported."""

import base64
from typing import Any

import pytest

from bench.device import RATE
from bench.interruption import Verdict, judged
from bench.plays import Played
from bench.row import CannotDo
from bench.scenarios import LATE, MS, voice

BEGAN_NS = 100_000_000_000


def ns(ms: float) -> int:
    return BEGAN_NS + round(ms * 1_000_000)


def verdict(got: list[tuple[int, dict[str, Any]]], *left: bytes, late: bool = False) -> Verdict:
    """400 ms of an item and 1000 of another at once, an interruption at 700 ms."""
    sent = [(ns(0), "audio", 0, 400), (ns(0), "audio", 1, 1000), (ns(700), "speech_started", 0, 0)]
    if late:
        sent.append((ns(710), "late", 0, 100))
    device = {"began_s": 100.0, "rate": RATE, "left": base64.b64encode(b"".join(left)).decode()}
    server = {"scenario": "x", "sent": sent, "got": got, "up": []}
    return judged(Played(scenario="x", server=server, client={"scenario": "x", "device": device}))


def pcm(of: int, ms: int) -> bytes:
    return voice(of, 0, ms * MS).tobytes()


def told(ms: int, item: int, at: float = 712) -> tuple[int, dict[str, Any]]:
    event = {"type": "conversation.item.truncate", "item_id": f"item_{item}", "audio_end_ms": ms}
    return ns(at), event


SILENCE = bytes(20 * MS * 2)


def test_what_is_told_right_has_no_error() -> None:
    found = verdict([told(285, 1)], SILENCE, pcm(0, 400), pcm(1, 285), SILENCE)
    assert found.first_ms == pytest.approx(20)
    assert found.quiet_ms == pytest.approx(5)
    assert found.told_ms == pytest.approx(12)
    assert (found.error_ms, found.ghost) == (0, 0)


def test_the_worst_item_counts() -> None:
    assert verdict([told(300, 1)], SILENCE, pcm(0, 400), pcm(1, 285)).error_ms == 15
    assert verdict([told(380, 0), told(300, 1)], pcm(0, 400), pcm(1, 300)).error_ms == 20


def test_who_tells_nothing_lets_the_server_believe_all_of_it() -> None:
    found = verdict([], SILENCE, pcm(0, 400), pcm(1, 285))
    assert found.told_ms is None
    assert found.error_ms == 715


def test_a_deleted_item_was_not_heard() -> None:
    deleted = (ns(720), {"type": "conversation.item.delete", "item_id": "item_1"})
    assert verdict([deleted], pcm(0, 400)).error_ms == 0
    assert verdict([deleted], pcm(0, 400), pcm(1, 30)).error_ms == 30


def test_late_audio_that_sounds_is_a_ghost() -> None:
    heard = (SILENCE, pcm(0, 400), pcm(1, 285), SILENCE, pcm(LATE, 100))
    found = verdict([told(285, 1)], *heard, late=True)
    assert found.ghost == 100 * MS
    assert found.quiet_ms == pytest.approx(125)
    assert found.error_ms == 0  # the server takes all that it sent of the item for heard
    assert verdict([told(285, 1), told(400, 0)], *heard, late=True).error_ms == 100


def test_what_is_no_playing_is_no_verdict() -> None:
    with pytest.raises(CannotDo, match="lost or repeated"):
        verdict([told(285, 1)], pcm(0, 400), pcm(0, 400))
    with pytest.raises(CannotDo, match="leaves playing"):
        judged(Played(scenario="x", server={}, client={"scenario": "x"}))
