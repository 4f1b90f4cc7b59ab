"""What a duplex conversation costs: CPU time of `rtassist talk`, as a share of one core.

    python -m bench.duplex_cpu [--seconds 20] [--json FILE]

A private PulseAudio with null devices, the offline server in a process of its own. Of the client's threads
are told apart: trio's, those that own a device, and those of libpulse. Idle: the microphone is heard and
sent, and nobody speaks. Speaking: the assistant reads a story meanwhile, as over headphones. With echo: the
loudspeaker is mixed into the microphone, as loud as it is, and the story has gone on for some seconds. The
conversation: likewise from its second question on, for six times as long, while a user asks a short question
every twelve seconds, and hears the answer.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import trio

from tests.pulse import PrivatePulse, private_pulse
from tests.talking import SPEECH, environment, talk

WAYS = {"without cancellation": "headphones", "with cancellation": "on"}
ECHO_MS = 60
TURN_S = 12
LEARNING_S = 10
"""Until the room is learnt and the canceller is let go, with some pauses."""
TICKS_S = 1 / os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> dict[tuple[str, str], float]:
    """CPU seconds until now, by kind and id of the thread (Linux, /proc/PID/task/TID/stat)."""
    seconds = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        name, _, fields = (task / "stat").read_text().partition("(")[2].rpartition(")")
        utime, stime = fields.split()[11:13]
        kind = "trio" if int(task.name) == pid else "libpulse" if name == "threaded-ml" else "devices"
        seconds[kind, task.name] = (int(utime) + int(stime)) * TICKS_S
    return seconds


def share(pid: int, seconds: float) -> dict[str, float]:
    """Percent of one core during the next `seconds`."""
    before, began_s = cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    took_s = time.monotonic() - began_s
    after = cpu_s(pid)
    by_thread = dict.fromkeys(("trio", "devices", "libpulse"), 0.0)
    for (kind, id), seconds_until_now in after.items():
        by_thread[kind] += 100 * (seconds_until_now - before.get((kind, id), 0.0)) / took_s
    return {"all": sum(by_thread.values()), **by_thread}


def until(stream: int, words: bytes) -> None:
    seen = b""
    while words not in seen:
        more = os.read(stream, 1 << 16)
        assert more, seen
        seen += more


@contextmanager
def server() -> Iterator[str]:
    """The offline server's address."""
    command = [sys.executable, "-m", "bench.duplex_cpu", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().decode().strip()
        finally:
            process.kill()


async def serve_offline() -> None:
    from rtassist.server.offline import offline_parts
    from rtassist.server.serve import Options, Parts, serve

    async with offline_parts() as own:
        parts = Parts(thinker=own.thinker, recogniser=own.recogniser, synthesiser=own.synthesiser)
        async with serve(Options(), parts) as running:
            print(running.url, flush=True)
            await trio.sleep_forever()


def measure(
    pulse: PrivatePulse, url: str, echo: str, seconds: float, *, heard: bool = False
) -> dict[str, dict[str, float]]:
    """By phase. `heard`: the microphone hears the loudspeaker."""
    with tempfile.TemporaryDirectory() as folder:
        keyboard, terminal = os.openpty()
        with talk(
            *("--url", url, "--echo", echo),
            folder=Path(folder),
            environment=environment(Path(folder), PULSE_SERVER=pulse.server),
            stdin=terminal,
        ) as process:
            try:
                assert process.stderr is not None
                until(process.stderr.fileno(), b"Speak.")
                time.sleep(2)  # until imports and the first words of the server are over
                idle = {} if heard else {"idle": share(process.pid, seconds)}
                os.write(keyboard, b"read me a story\n")
                with pulse.recording() as recording:
                    while not recording.samples()[-2400:].any():
                        recording.wait_for_samples(len(recording.samples()) + 1)
                    if heard:
                        time.sleep(LEARNING_S)
                    speaking = share(process.pid, seconds)
                    recording.wait_for_samples(len(recording.samples()) + 1)
                    assert recording.samples()[-48_000:].any(), "the story has ended, or was interrupted"
            finally:
                process.kill()
                os.close(keyboard)
                os.close(terminal)
    return {**idle, "speaking with echo" if heard else "speaking": speaking}


def measure_conversation(pulse: PrivatePulse, url: str, turns: int) -> dict[str, float]:
    with (
        tempfile.TemporaryDirectory() as folder,
        talk(
            *("--url", url, "--echo", "on"),
            folder=Path(folder),
            environment=environment(Path(folder), PULSE_SERVER=pulse.server),
            stdin=subprocess.DEVNULL,
        ) as process,
    ):
        try:
            assert process.stderr is not None
            assert process.stdout is not None
            until(process.stderr.fileno(), b"Speak.")
            ask(pulse)
            until(process.stdout.fileno(), b"assistant:")
            with ThreadPoolExecutor(1) as user:
                asked = user.submit(lambda: [ask(pulse) for _ in range(turns)])
                shares = share(process.pid, turns * TURN_S)
                asked.result()
            process.kill()
            said = process.stdout.read().decode()
            assert said.count("assistant: It is") >= turns - 1, f"not every question was answered: {said}"
        finally:
            process.kill()
    return shares


def ask(pulse: PrivatePulse) -> None:
    began_s = time.monotonic()
    with pulse.speaking(SPEECH / "what_time_is_it_slt.wav"):
        time.sleep(TURN_S / 2)
    time.sleep(began_s + TURN_S - time.monotonic())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        trio.run(serve_offline)
    with private_pulse() as pulse, server() as url:
        rows = {
            f"{phase}, {way}": shares
            for way, echo in WAYS.items()
            for phase, shares in measure(pulse, url, echo, asked.seconds).items()
        }
        pulse.hear_itself(later_ms=ECHO_MS)
        with_echo = measure(pulse, url, "on", asked.seconds, heard=True)
        rows |= {f"{phase}, with cancellation": shares for phase, shares in with_echo.items()}
        turns = max(2, round(6 * asked.seconds / TURN_S))
        rows["a conversation, with cancellation"] = measure_conversation(pulse, url, turns)
    print(f"{'percent of one core':40}{'all':>8}{'trio':>8}{'devices':>9}{'libpulse':>10}")
    for name, row in rows.items():
        print(f"{name:40}{row['all']:8.1f}{row['trio']:8.1f}{row['devices']:9.1f}{row['libpulse']:10.1f}")
    if asked.json:
        asked.json.write_text(json.dumps({"percent_of_one_core": rows, "seconds": asked.seconds}, indent=2))


if __name__ == "__main__":
    main()
