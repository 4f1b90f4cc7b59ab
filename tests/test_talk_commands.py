"""Commands of a conversation that is under way, typed at a terminal, with real devices."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.pulse import RATE, private_pulse
from tests.test_talk_devices import talking, until_it_sounds

pytestmark = [pytest.mark.offline, pytest.mark.sound]


def test_another_loudspeaker_and_microphone_in_the_middle_of_the_story(tmp_path: Path) -> None:
    with private_pulse() as pulse:
        pulse.load("module-null-sink sink_name=elsewhere rate=24000 channels=1")
        pulse.load("module-remap-source source_name=other master=micline.monitor")
        with (
            pulse.recording() as before,
            pulse.recording("elsewhere.monitor") as after,
            talking(pulse, tmp_path, "--echo", "off") as watched,
        ):
            until_it_sounds(before, RATE)
            since_s = time.monotonic()
            watched.types("/speaker elsewhere\n")
            watched.until("(as you chose).", since_s)
            until_it_sounds(after, RATE)
            since_s = time.monotonic()
            watched.types("/mic other\n")
            watched.until("The microphone is now", since_s)
            watched.types("/mic\n")
            watched.until("The microphone is Remapped", since_s)
            watched.types("/speaker telephone\n")
            watched.until("There is no speaker called 'telephone'", since_s)
            assert not any("interrupted" in line for _, line in watched.said), "the story goes on"
