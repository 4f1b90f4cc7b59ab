"""The same conversation over a microphone and a loudspeaker: a real sound server, virtual devices."""

import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import trio

from tests.pipewire import private_pipewire
from tests.pulse import RATE, PrivatePulse, private_pulse
from tests.talking import QUESTION, SPEECH, assert_it_says_391, environment, talk, until_said, voices

pytestmark = [pytest.mark.offline, pytest.mark.sound]

Server = Callable[[], AbstractContextManager[PrivatePulse]]


@pytest.mark.parametrize(
    "server", [private_pulse, pytest.param(private_pipewire, marks=pytest.mark.pipewire)]
)
async def test_a_spoken_sum_is_answered_aloud_until_goodbye(server: Server, tmp_path: Path) -> None:
    with server() as pulse, pulse.recording() as recording:
        with talk(
            "--offline",
            folder=tmp_path,
            environment=environment(tmp_path, PULSE_SERVER=pulse.server),
            stdin=subprocess.PIPE,
        ) as process:
            try:
                await until_said(process.stderr, "Speak.")
                with pulse.speaking(SPEECH / f"{QUESTION}_rms.wav"):
                    asked = await until_said(process.stdout, "you:")
                    answered = await until_said(process.stdout, "assistant:")
                with pulse.speaking(SPEECH / "goodbye_rms.wav"), trio.fail_after(60):
                    out, err = await trio.to_thread.run_sync(process.communicate, abandon_on_cancel=True)
            finally:
                process.kill()
        recording.wait_for_samples(len(recording.samples()) + RATE // 4)
        sounded = recording.samples()

    assert process.returncode == 0, err.decode()
    assert asked == "you: what is seventeen times twenty three\n"
    assert answered == "assistant: Seventeen times twenty-three is 391.\n"
    assert out.decode().splitlines()[0] == "you: goodbye"
    answer, *farewell = voices(sounded)
    await assert_it_says_391(answer)
    assert farewell, "it leaves when that has been heard"
