"""A turn's stages are the times between what was seen, each in the part of the one who took it."""

import pytest

from bench.turn import CLIENT, MARKS, ONSET, SERVER, STAGES, UP, WHOLE, Relay, Talker, stages_ms


def seen(late_s: dict[str, float]) -> dict[str, float]:
    """The second turn: speech from sample 1000 to 3000 of the microphone; what is named comes later."""
    relay, talker = Relay("ws://nowhere"), Talker(0, 0)
    talker.wrote_s = {480 * n: n * 0.02 for n in range(1, 20)}
    relay.up = [(n * 0.02 + 0.001 + late_s.get(UP, 0.0), 480 * n) for n in range(1, 20)]
    relay.down = [(0.0, kind) for kind in MARKS]
    relay.down.append((0.1 + late_s.get(ONSET, 0.0), "input_audio_buffer.speech_started"))
    at_s = 0.141 + late_s.get(UP, 0.0)
    for stage, kind in zip(STAGES, MARKS, strict=False):
        at_s += 0.01 + late_s.get(stage, 0.0)
        relay.down.append((at_s, kind))
    return stages_ms(relay, talker, 0.01, 1000, 3000, at_s + 0.005 + late_s.get(STAGES[-1], 0.0))


def test_stages_add_up() -> None:
    turn = seen({})
    assert turn[UP] == pytest.approx(1)
    assert [turn[stage] for stage in STAGES] == pytest.approx([10, 10, 10, 10, 5])
    assert turn[CLIENT] == pytest.approx(6)
    assert turn[SERVER] == pytest.approx(40)
    assert turn[WHOLE] == pytest.approx(turn[CLIENT] + turn[SERVER])


@pytest.mark.parametrize("stage", [UP, *STAGES])
def test_a_delay_is_in_its_stage_and_in_the_part_of_who_took_it(stage: str) -> None:
    before, after = seen({}), seen({stage: 0.2})
    moved = {name for name in before if after[name] - before[name] > 100}
    theirs = CLIENT if stage in (UP, STAGES[-1]) else SERVER
    # What the client keeps back is late for the server's ears as well, but not by the server's doing.
    assert moved == {stage, theirs, WHOLE}
