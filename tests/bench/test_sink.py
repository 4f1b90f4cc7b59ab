"""What the sink's recording is asked for is in it: where a voice was lowered, and which trials count."""

import numpy as np

from bench.barge_in import ANSWER, begins, lowered
from bench.sink import ERROR, QUIET, sink


def test_who_spoke_counts_for_silence_and_all_for_the_truncation() -> None:
    samples = sink(
        [
            {"by": "speech_started", "quiet_ms": 9.0, "error_ms": -0.5},
            {"by": "key", "quiet_ms": 70.0, "error_ms": 3.0},
            {"by": "speech_started", "quiet_ms": 11.0, "error_ms": 0.25},
        ]
    )
    assert samples == {QUIET: [9.0, 11.0], ERROR: [0.5, 3.0, 0.25]}


def test_a_lower_voice_is_found_where_it_is_lower() -> None:
    voice = np.concatenate([np.zeros(100, "<i2"), ANSWER])
    assert lowered(voice) is None
    quieter = voice.copy()
    quieter[8000:] = quieter[8000:] // 5
    assert lowered(quieter) == 8000
    hardly = voice.copy()
    hardly[8000:] = hardly[8000:] // 2
    assert lowered(hardly) is None


def test_breath_before_speech_is_no_speech() -> None:
    samples = np.zeros(2000, "<i2")
    assert begins(samples) is None
    samples[500:] = 50
    samples[1500:] = 20_000
    assert begins(samples) == 1500
