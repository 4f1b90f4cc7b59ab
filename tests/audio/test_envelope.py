import numpy as np

from rtassist.audio.envelope import RAMP_SAMPLES, Gain

TEN = b"\x0a\x00"


def test_a_gain_moves_in_a_straight_line_and_stays() -> None:
    gain = Gain()
    gain.target = 0.25
    falling = gain.over(RAMP_SAMPLES)
    assert np.allclose(np.diff(falling[:90]), -1 / RAMP_SAMPLES, atol=1e-6)
    assert falling[89:].tolist() == [0.25] * (RAMP_SAMPLES - 89)
    gain.target = 1.0
    rising = np.concatenate([gain.over(50), gain.over(50)])
    assert np.allclose(rising[:90], 0.25 + np.arange(1, 91) / RAMP_SAMPLES, atol=1e-6)
    assert rising[-1] == 1.0


def test_full_gain_changes_no_bit_and_another_one_does() -> None:
    gain = Gain()
    loudest = b"\xff\x7f\x00\x80"
    assert gain.of(loudest) == loudest
    gain.target = 0.5
    assert gain.of(b"") == b""
    assert gain.of(TEN * 200)[-2:] == b"\x05\x00"
    gain.target = 1.0
    assert gain.of(TEN * 200)[-2:] == TEN
    assert gain.of(loudest) == loudest
