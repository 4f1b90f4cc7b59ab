"""`rtassist devices`, as a process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pulse import private_pulse
from tests.talking import environment

pytestmark = pytest.mark.sound


def listing(folder: Path, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "rtassist", "devices", *arguments],
        env=environment(folder, **more),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_what_there_is_is_listed(tmp_path: Path) -> None:
    with private_pulse() as pulse:
        people = listing(tmp_path, PULSE_SERVER=pulse.server, COLUMNS="60")
        programs = listing(tmp_path, "--json", PULSE_SERVER=pulse.server)
    assert (people.returncode, people.stderr) == (0, "")
    assert max(map(len, people.stdout.splitlines())) <= 60
    assert "     mic\n     1 ch, 24000 Hz, default\n" in people.stdout
    assert (programs.returncode, programs.stderr) == (0, "")
    told = json.loads(programs.stdout)
    assert [d["id"] for d in told["microphones"]] == ["mic", "spk.monitor", "micline.monitor"]
    assert [d["loopback"] for d in told["microphones"]] == [False, True, True]
    assert [d["default"] for d in told["speakers"]] == [True, False]


def test_without_a_sound_system_it_is_said(tmp_path: Path) -> None:
    refused = listing(tmp_path)
    assert (refused.returncode, refused.stdout) == (7, "")
    assert refused.stderr.startswith("rtassist: No sound server answers. Start PulseAudio or PipeWire")
