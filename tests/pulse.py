"""A PulseAudio of our own for tests: a loudspeaker and a microphone without hardware.

`spk` is a null sink whose monitor tells what sounded. `mic` is a source fed from the null sink
`micline`, which runs at real time like hardware: play into `micline` to speak into the microphone.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from attrs import Factory, define
from numpy.typing import NDArray

RATE = 24_000
NO_SKIP = bool(os.environ.get("RTASSIST_TEST_NO_SKIP"))
STARTING_S = 10.0
"""Far more than the 50 to 260 ms that it takes: a busy machine must not fail the test."""


def skip_without_pulseaudio() -> None:
    """Skip the test where a PulseAudio cannot be started; fail there when nothing may be skipped."""
    missing = [tool for tool in ("pulseaudio", "pactl", "parec", "paplay") if shutil.which(tool) is None]
    if sys.platform != "linux" or missing:
        why = f"needs PulseAudio on Linux (missing: {', '.join(missing) or sys.platform})"
        if NO_SKIP:
            pytest.fail(why)
        pytest.skip(why)


@define(kw_only=True)
class PrivatePulse:
    """A running server. `environment`: for child processes; this process' own is set while it runs."""

    server: str
    environment: dict[str, str]
    process: "subprocess.Popen[bytes]"
    command: Sequence[str]

    def pactl(self, *arguments: str) -> str:
        done = subprocess.run(
            ["pactl", *arguments],
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=10,
        )
        return done.stdout

    def load(self, module: str) -> str:
        """Load a module; its index, to unload it by."""
        return self.pactl("load-module", *module.split()).strip()

    def hear_itself(self, *, later_ms: int = 60, gain_db: int = 0) -> None:
        """From now on the microphone hears the loudspeaker, as in a room that stays as it is.

        adjust_time=0: else the loop's rate is corrected each second by what was measured on a busy machine,
        and the echo moves by up to two samples at once, as no room's and no clock's does.
        """
        loop = "module-loopback source=spk.monitor sink=micline adjust_time=0"
        self.load(f"{loop} latency_msec={later_ms}")
        (index,) = [line.split()[0] for line in self.pactl("list", "short", "sink-inputs").splitlines()]
        self.pactl("set-sink-input-volume", index, f"{gain_db}dB")

    def unload(self, *names: str) -> None:
        """Unload the modules that own devices of these names, as if the devices were unplugged."""
        for line in self.pactl("list", "short", "modules").splitlines():
            index, _, arguments = (line + "\t\t").split("\t")[:3]
            if any(f"_name={name} " in arguments + " " for name in names):
                self.pactl("unload-module", index)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """As whoever administers the machine does it: it says goodbye to its clients."""
        self.process.terminate()
        self.process.wait()

    def restart(self) -> None:
        """After `kill` or `stop`: the same devices at the same address. Returns when it answers."""
        self.process = subprocess.Popen(self.command, env=self.environment)
        wait_for_socket(self.server.removeprefix("unix:"), self.process)

    def freeze(self) -> None:
        """The server lives and answers nothing any more."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    @contextmanager
    def recording(self, source: str = "spk.monitor") -> Iterator["Recording"]:
        """Record a source, by default what the loudspeaker plays. Runs when the block is entered."""
        command = [
            "parec",
            f"--device={source}",
            "--raw",
            "--format=float32le",
            f"--rate={RATE}",
            "--channels=1",
        ]
        with child([*command, "--latency-msec=10"], self.environment, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            recording = Recording(stdout_fd=process.stdout.fileno())
            thread = threading.Thread(target=recording._listen, name="test recording")
            thread.start()
            try:
                recording.wait_for_samples(1)
                yield recording
            finally:
                process.terminate()
                process.wait()
                thread.join()

    @contextmanager
    def speaking(self, wav: Path, sink: str = "micline") -> Iterator["subprocess.Popen[bytes]"]:
        """Play a file into the microphone, as long as the block runs."""
        with child(["paplay", f"--device={sink}", str(wav)], self.environment) as process:
            yield process


@define(kw_only=True)
class Recording:
    """What a source gave, at 24 kHz, and when it came, by time.monotonic().

    Recorded as float32: PulseAudio's own rounding to 16 bits is off by one here and there.
    """

    stdout_fd: int
    arrivals: list[tuple[float, int]] = Factory(list)  # (when, samples until then)
    data: bytearray = Factory(bytearray)

    def _listen(self) -> None:
        while data := os.read(self.stdout_fd, 1 << 16):
            self.data += data
            self.arrivals.append((time.monotonic(), len(self.data) // 4))

    def wait_for_samples(self, samples: int, within_s: float = 10) -> None:
        give_up_s = time.monotonic() + within_s
        while len(self.data) // 4 < samples:
            assert time.monotonic() < give_up_s, "the recording stands still"
            time.sleep(0.005)

    def samples(self) -> NDArray[np.int16]:
        floats = np.frombuffer(bytes(self.data[: len(self.data) & ~3]), dtype="<f4")
        samples: NDArray[np.int16] = np.clip(np.rint(floats * 32768), -32768, 32767).astype(np.int16)
        return samples

    def sounded_at_s(self, sample: int) -> float:
        """When a sample was recorded, by time.monotonic(): from the arrivals that were delayed least."""
        settled = self.arrivals[len(self.arrivals) // 10 :]
        began_s = min(when - samples / RATE for when, samples in settled)
        return began_s + sample / RATE


@contextmanager
def child(
    command: Sequence[str], environment: dict[str, str], stdout: int | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(command, env=environment, stdout=stdout) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()


@contextmanager
def private_pulse() -> Iterator[PrivatePulse]:
    """Start a server with `spk`, `mic` and `micline`, and make it this process' server. Up in about 0.1 s.

    norewinds=1: without it a null sink sleeps in blocks of 2 s. The protocol comes last: the socket
    is there only when all devices are.
    """
    skip_without_pulseaudio()
    with tempfile.TemporaryDirectory(prefix="rtassist-pulse-") as folder:
        address = f"{folder}/native"
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("PULSE_")},
            "HOME": folder,
            "XDG_RUNTIME_DIR": folder,
            "PULSE_RUNTIME_PATH": f"{folder}/rt",
            "PULSE_STATE_PATH": f"{folder}/state",
        }
        null_sink = "module-null-sink rate=24000 channels=1 format=float32le norewinds=1 sink_name="
        modules = [
            f"{null_sink}spk",
            f"{null_sink}micline",
            "module-remap-source source_name=mic master=micline.monitor channels=1",
            f"module-native-protocol-unix socket={address} auth-anonymous=1",
        ]
        # An aborted test process leaves no server behind. (Tied to the thread that starts it: the main one.)
        dies_with_us = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        command = [
            *dies_with_us,
            "pulseaudio",
            "-n",
            "--daemonize=no",
            "--use-pid-file=no",
            "--exit-idle-time=-1",
        ]
        command += [
            "--realtime=no",
            "--high-priority=no",
            f"--log-target=file:{folder}/log",
            "--log-level=notice",
        ]
        for module in modules:
            command += ["-L", module]
        with child(command, environment) as process:
            wait_for_socket(address, process)
            server = environment["PULSE_SERVER"] = f"unix:{address}"
            pulse = PrivatePulse(server=server, environment=environment, process=process, command=command)
            pulse.pactl("set-default-sink", "spk")
            pulse.pactl("set-default-source", "mic")
            with our_server(pulse):
                yield pulse


@contextmanager
def our_server(pulse: PrivatePulse) -> Iterator[None]:
    """This process' server, too, as long as the block runs. At its end one that was restarted is killed."""
    started, before = pulse.process, os.environ.get("PULSE_SERVER")
    os.environ["PULSE_SERVER"] = pulse.server
    try:
        yield
    finally:
        if pulse.process is not started:
            pulse.kill()
        if before is None:
            del os.environ["PULSE_SERVER"]
        else:
            os.environ["PULSE_SERVER"] = before


def wait_for_socket(address: str, process: "subprocess.Popen[bytes]") -> None:
    give_up_s = time.monotonic() + STARTING_S
    while time.monotonic() < give_up_s:
        assert process.poll() is None, f"{process.args!r} did not start"
        with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(address)
            return
        time.sleep(0.01)
    raise AssertionError(f"{process.args!r} opened no socket")
