"""The real ring holds recorded conversations again: the properties hold, and what breaks them is noticed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import trio

from rtassist.audio.clocked import ClockedSpeaker
from rtassist.converse import Ring
from rtassist.dialogue import events
from rtassist.dialogue.effects import Effect
from rtassist.sessions import reading
from rtassist.sessions.properties import PROPERTIES
from rtassist.sessions.reading import Damaged
from rtassist.whole import Held, hold_again
from tests import playbook as p
from tests.dialogue.mutants import MUTANTS
from tests.recordings.make import FOLDER
from tests.sessions.making import Recording, asked, called, restarted, spoken, troubled, typed

FILES = sorted(FOLDER.glob("*.jsonl"))


class Silence:
    """No sound was recorded."""

    def mic(self, first: int, samples: int) -> bytes:
        return bytes(2 * samples)

    voice = mic


async def held(lines: Iterable[bytes]) -> Held:
    lines = iter(lines)
    reading.header(next(lines))
    return await hold_again(reading.records(lines), Silence())


def quarrel() -> Recording:
    """Answers are interrupted by speech, a typed line and a key, at odd moments, and go on coming."""
    recording = Recording().happen(p.created("R1"), p.added("A1"), p.audio("A1", ms=3000))
    recording._us += 777
    recording.happen(p.speech_started("U1"), after_ms=1000)
    recording.happen(p.ended("A1", ms=1000), p.audio("A1", ms=500), p.added("A2", "R1"), after_ms=5)
    recording.happen(p.audio("A2", ms=500, of="R1"), p.done("R1", "cancelled"), p.audio("A1", ms=200))
    recording.happen(p.speech_stopped("U1"), p.committed("U1"), p.transcribed("U1", "No."))
    recording.happen(p.created("R3"), p.added("A3"), p.audio("A3", ms=900), p.added("A4", "R3"))
    recording.happen(p.audio("A4", ms=900, of="R3"))
    recording._us += 333
    recording.happen(p.typed("Yes!"), p.ended("A3", ms=200), p.ended("A4", ms=0))
    recording.happen(p.audio("A4", ms=100, of="R3"), p.done("R3", "cancelled"))
    recording.happen(p.created("R5"), p.added("A5"), p.audio("A5", ms=700), events.Interrupted())
    recording.happen(p.ended("A5", ms=100), p.done("R5", "cancelled"))
    recording.happen(p.created("R6"), p.added("A6"), p.audio("A6", ms=700), p.audio_done("A6"), p.done("R6"))
    recording.happen(p.typed("Well?"), p.ended("A6", ms=300), p.created("R7"), p.done("R7"))
    return recording.end()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_every_property_holds_in_the_golden_sessions(autojump_clock: object, path: Path) -> None:
    with path.open("rb") as file:
        result = await held(file)
    assert result.breaks == []
    assert result.conversations
    assert result.recorded_us == max(reading_us(path))


def reading_us(path: Path) -> list[int]:
    return [int(line.split(b":")[1].split(b",")[0]) for line in path.read_bytes().splitlines()[1:]]


@pytest.mark.parametrize("make", [quarrel, spoken, called, typed, restarted, troubled])
async def test_every_property_holds_in_what_is_made(autojump_clock: object, make: object) -> None:
    recording: Recording = make()  # type: ignore[operator]  # one of the functions above
    result = await held(recording.lines)
    assert result.breaks == []


async def test_every_property_is_checked(autojump_clock: object) -> None:
    result = await held(quarrel().lines)
    assert set(result.checks) == set(PROPERTIES)
    assert result.checks["P2"] == 4
    assert result.checks["P7"] == 4


NOTICED = {
    "nobody is hushed": "P1",
    "only the first item is hushed": "P2",
    "the floor is not taken": "P1",
    "an item of a silenced response has a voice": "P1",
    "audio is not played": "P2",
    "cut at what arrived": "P7",
    "cut at what was handed over": "P7",
    "milliseconds are rounded up": "P7",
    "deleted although heard": "P4",
    "cut to nothing": "P4",
    "left alone although cut": "P4",
    "not deleted": "P4",
    "cancelled beside the server": "P8",
    "cancelled before it is truncated": "P8",
}


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.name in NOTICED], ids=lambda m: m.name)
async def test_a_broken_rule_is_noticed(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch, mutant: object
) -> None:
    lines = quarrel().lines  # by the right rules
    mutant.apply(monkeypatch)  # type: ignore[attr-defined]  # either kind of mutant
    result = await held(lines)
    assert NOTICED[mutant.name] in {each.property for each in result.breaks}  # type: ignore[attr-defined]


def test_all_that_is_to_be_noticed_is_there() -> None:
    assert set(NOTICED) <= {mutant.name for mutant in MUTANTS}


async def test_a_loudspeaker_that_goes_on_is_noticed(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds half a second and does not give it back."""
    monkeypatch.setattr("rtassist.audio.clocked.ENOUGH", 12_000)
    monkeypatch.setattr(ClockedSpeaker, "flush", lambda self: 0)
    result = await held(quarrel().lines)
    assert "P6" in {each.property for each in result.breaks}


async def test_a_position_that_is_not_what_sounded_is_noticed(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ClockedSpeaker, "heard", lambda self: self._playout.handed)
    result = await held(quarrel().lines)
    assert {"P5", "P7"} <= {each.property for each in result.breaks}


async def test_a_voice_that_is_handed_over_twice_is_noticed(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform = Ring.perform

    def twice(self: Ring, effect: Effect) -> None:
        perform(self, effect)
        if type(effect).__name__ == "Play":
            perform(self, effect)

    monkeypatch.setattr(Ring, "perform", twice)
    recording = Recording().happen(p.created("R1"), p.added("A1"), p.audio("A1", ms=800), p.done("R1"))
    result = await held(recording.lines)
    assert "P5" in {each.property for each in result.breaks}


async def test_times_of_breaks_count_from_the_beginning_of_the_recording(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Recording().happen(*asked("U1", "Start over!"))
    recording = first.begin(first.state.terms)
    recording.happen(p.created("R1"), p.added("A1"), p.audio("A1", ms=3000), p.speech_started("U2"))
    at_us = recording._us
    recording.happen(p.ended("A1", ms=100), p.done("R1", "cancelled")).end()
    (mutant,) = (mutant for mutant in MUTANTS if mutant.name == "cut at what arrived")
    mutant.apply(monkeypatch)
    result = await held(recording.lines)
    assert result.conversations == 2
    assert {each.us for each in result.breaks} == {at_us}


async def test_the_end_is_found_or_given(autojump_clock: object) -> None:
    """A recording that breaks off in the middle of a voice: it sounds to its end, and nobody waits."""
    recording = Recording().happen(p.created("R1"), p.added("A1"), p.audio("A1", ms=8000), p.done("R1"))
    began_s = trio.current_time()
    result = await held(recording.lines)
    assert result.breaks == []
    assert result.checks["P5"] == 8000 // 100 + 2  # one for each piece handed over
    assert trio.current_time() - began_s < 60


async def test_behind_a_gap_nobody_knows_what_happened(autojump_clock: object) -> None:
    recording = quarrel()
    at = next(index for index, line in enumerate(recording.lines) if b"speech_started" in line)
    us = recording.lines[at].split(b",")[0].split(b":")[1]
    lines = [*recording.lines[:at], b'{"us":%b,"gap":{"lines":2}}\n' % us, *recording.lines[at + 1 :]]
    result = await held(lines)
    assert (result.gaps, result.breaks) == (1, [])
    assert result.checks["P2"] == 0


async def test_damage_is_raised(autojump_clock: object) -> None:
    lines = quarrel().lines
    with pytest.RaisesGroup(pytest.RaisesExc(Damaged)):
        await held([*lines[:8], b"nonsense\n"])
