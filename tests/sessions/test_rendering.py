"""What was heard, on the session's own timeline: every sample where it sounded, and none that did not."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from rtassist.dialogue import events
from rtassist.sessions import reading, rendering
from rtassist.sessions.reading import Heard, Record
from rtassist.sessions.rendering import rendered
from tests import playbook as p
from tests.sessions.making import Recording

MS = 24


class Numbered:
    """Sound in which every sample says which one it is."""

    def mic(self, first: int, samples: int) -> bytes:
        return np.arange(first + 1, first + samples + 1).astype("<u2").tobytes()

    voice = mic


def sound_of(recording: Recording, ducked: float = 1.0) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Left and right, in samples."""
    if b'"end"' not in recording.lines[-1]:
        recording.end()
    blocks = list(rendered(reading.records(iter(recording.lines[1:])), Numbered(), ducked=ducked))
    stereo = np.concatenate(blocks)
    return stereo[:, 0], stereo[:, 1]


def runs(side: NDArray[np.int16]) -> list[tuple[int, int, int]]:
    """Where sound begins (ms), which sample it is, and how many go on from there one by one."""
    found: list[tuple[int, int, int]] = []
    side = side.view(np.uint16)
    loud = np.flatnonzero(side)
    for piece in np.split(loud, np.flatnonzero(np.diff(loud) > 1) + 1) if len(loud) else ():
        assert np.array_equal(np.diff(side[piece].astype(int)), np.ones(len(piece) - 1))
        found.append((int(piece[0]) // MS, int(side[piece[0]]) - 1, len(piece)))
    return found


_counted = itertools.count()


def voice(item_id: str, ms: int) -> events.Event:
    """No two are the same, for a recording keeps only one of two equal ones that follow each other."""
    return p.audio(item_id, pcm=next(_counted).to_bytes(2, "little") * (ms * MS))


def answering(ms: int = 2000) -> Recording:
    """From 400 ms on: what the server sends of A1 comes at 500 ms, before any of it has sounded."""
    return Recording().happen(p.created("R1"), p.added("A1"), voice("A1", ms=ms))


def test_a_voice_stands_where_it_was_reported() -> None:
    recording = answering(600).happen(p.audio_done("A1"), p.done("R1"), after_ms=0)
    recording.happen(p.advanced("A1", ms=100), after_ms=150)
    recording.happen(p.advanced("A1", ms=300), after_ms=200)
    recording.happen(p.ended("A1", ms=600), after_ms=300)
    _, right = sound_of(recording)
    assert runs(right) == [(550, 0, 600 * MS)]


def test_an_interruption_is_cut_where_it_was_heard() -> None:
    recording = answering(2000).happen(p.advanced("A1", ms=100), after_ms=150)
    recording.happen(p.speech_started("U1"), after_ms=205)
    recording.happen(p.ended("A1", ms=310), after_ms=5)
    recording.happen(voice("A1", ms=500), p.done("R1", "cancelled"), p.speech_stopped("U1"))
    recording.happen(p.created("R2"), p.added("A2"), voice("A2", ms=200), p.ended("A2", ms=200))
    _, right = sound_of(recording)
    (story, answer) = runs(right)
    assert story == (550, 0, 310 * MS)
    assert answer[1:] == (2500 * MS, 200 * MS), "the late audio was received, and never sounded"


def test_a_voice_that_ran_dry_is_silent_until_more_came() -> None:
    recording = answering(300).happen(p.advanced("A1", ms=200), after_ms=200)
    recording.happen(voice("A1", ms=300), after_ms=500)
    recording.happen(events.VoiceStarved("A1", 400, 80), after_ms=0)
    recording.happen(p.ended("A1", ms=600), after_ms=300)
    _, right = sound_of(recording)
    assert runs(right) == [(500, 0, 300 * MS), (1200, 300 * MS, 300 * MS)]


def test_a_device_that_ran_dry_is_silent_behind_what_it_told() -> None:
    recording = answering(2000).happen(p.advanced("A1", ms=100), p.advanced("A1", ms=200))
    recording.happen(p.advanced("A1", ms=300), after_ms=160)  # 60 ms of them nothing sounded
    recording.happen(p.advanced("A1", ms=400), p.advanced("A1", ms=500), p.ended("A1", ms=600))
    _, right = sound_of(recording)
    assert runs(right) == [(500, 0, 300 * MS), (860, 300 * MS, 300 * MS)]


def test_one_report_that_is_late_tears_no_hole() -> None:
    recording = answering(2000).happen(p.advanced("A1", ms=100), p.advanced("A1", ms=200))
    recording.happen(p.advanced("A1", ms=300), after_ms=190)
    recording.happen(p.advanced("A1", ms=400), after_ms=10)
    recording.happen(p.advanced("A1", ms=500), p.ended("A1", ms=600))
    _, right = sound_of(recording)
    assert runs(right) == [(500, 0, 600 * MS)]


def test_reports_that_are_a_little_off_tear_no_hole() -> None:
    recording = answering(2000)
    for late_ms in (0, 9, 2, 15, 3, 29):
        recording.happen(p.advanced("A1", ms=(1 + recording_count(recording)) * 100), after_ms=100 + late_ms)
        recording.happen(events.MicLost("to no effect"), after_ms=0)
        recording._us -= late_ms * 1000
    _, right = sound_of(recording)
    assert [samples for _, _, samples in runs(right)] == [600 * MS]


def recording_count(recording: Recording) -> int:
    return sum(b"playback_advanced" in line for line in recording.lines)


def test_the_microphone_is_on_the_left_where_it_was_heard() -> None:
    recording = Recording()
    for _ in range(50):
        recording.happen(p.heard(ms=20), after_ms=20)
    recording.happen(p.typed("/mute"), after_ms=700)
    for _ in range(50):
        recording.happen(p.heard(ms=20), after_ms=20)
    left, _ = sound_of(recording)
    assert runs(left) == [(200, 0, 1000 * MS), (1900, 1000 * MS, 1000 * MS)]


def test_a_chunk_that_came_late_with_others_behind_it_was_heard_before() -> None:
    recording = Recording().happen(p.heard(ms=20), after_ms=1000)
    recording.happen(p.heard(ms=20), after_ms=320)
    recording.happen(*[p.heard(ms=20)] * 14, after_ms=0)
    recording.happen(*[p.heard(ms=20)] * 5, after_ms=20)
    left, _ = sound_of(recording)
    assert runs(left) == [(1180, 0, 21 * 20 * MS)]


def test_what_is_read_faster_than_it_sounds_stands_one_behind_the_other() -> None:
    recording = Recording().happen(*[p.heard(ms=20)] * 100, after_ms=1)
    left, _ = sound_of(recording)
    assert [samples for _, _, samples in runs(left)] == [2000 * MS]


def test_a_voice_is_as_low_as_it_was_lowered() -> None:
    recording = answering(2000).happen(
        p.advanced("A1", ms=100), events.OnsetHeard(), p.advanced("A1", ms=300)
    )
    recording.happen(p.speech_started("U1"), p.ended("A1", ms=500))
    _, loud = sound_of(recording)
    _, right = sound_of(recording, ducked=0.2)
    (at,) = (at * MS for at, _, _ in runs(loud))
    assert np.array_equal(right[: at + 200 * MS], loud[: at + 200 * MS])
    low = slice(at + 206 * MS, at + 500 * MS)
    assert np.allclose(right[low], loud[low] * 0.2, atol=1)


def test_it_is_given_in_blocks_of_a_second() -> None:
    recording = Recording().happen(p.heard(ms=20), after_ms=4115).end()
    blocks = list(rendered(reading.records(iter(recording.lines[1:])), Numbered()))
    assert {len(block) for block in blocks[:-1]} == {rendering.BLOCK}
    assert sum(map(len, blocks)) == round(4.315 * 24_000)


def long_session(minutes: int) -> Iterator[Record]:
    for second in range(minutes * 60):
        chunks = b",".join(b"[%d,480]" % (20_000 * index) for index in range(50))
        run = (second * 24_000, 24_000)
        yield Heard(second, second * 1_000_000, run, chunks, appended=True, each=480)


def test_memory_does_not_grow_with_the_recording() -> None:
    def peak(minutes: int) -> int:
        tracemalloc.start()
        for _ in rendered(long_session(minutes), Numbered()):
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(1)
    assert peak(10) < peak(1) * 1.2


@pytest.mark.parametrize("end", [3, 10, -1])
def test_a_recording_that_breaks_off_is_rendered_as_far_as_it_goes(end: int) -> None:
    recording = answering(600).happen(p.advanced("A1", ms=100), p.advanced("A1", ms=200))
    records = reading.records(iter([*recording.lines[1:end], b'{"us":9']))
    assert len(np.concatenate(list(rendered(records, Numbered()))))
