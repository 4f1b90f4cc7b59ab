"""A PipeWire of our own for tests: the devices of tests/pulse.py, and libpulse's protocol in front of them.

`spk` and `micline` are null adapters of the graph itself, and `mic` is what sounds in `micline`: all three
outlive a `pipewire-pulse` that is killed. The session manager, which chooses the default devices and joins
streams to them, gives up without a session bus, so there is one of those, too.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.pulse import STARTING_S, PrivatePulse, child, our_server, wait_for_socket

GRAPH = """\
context.properties = { default.clock.rate = 24000 default.clock.quantum = 512 default.clock.min-quantum = 64 }
context.objects = [
    { factory = adapter args = {
        factory.name = support.null-audio-sink node.name = spk node.description = spk
        media.class = Audio/Sink audio.position = [ MONO ] audio.rate = 24000 } }
    { factory = adapter args = {
        factory.name = support.null-audio-sink node.name = micline node.description = micline
        media.class = Audio/Sink audio.position = [ MONO ] audio.rate = 24000 } }
]
context.modules = [
    { name = libpipewire-module-loopback args = {
        audio.position = [ MONO ]
        capture.props = { node.name = micline-to-mic target.object = micline stream.capture.sink = true
            node.passive = true node.dont-reconnect = true }
        playback.props = { node.name = mic node.description = mic media.class = Audio/Source } } }
]
"""


@contextmanager
def private_pipewire() -> Iterator[PrivatePulse]:
    """As `private_pulse`, for tests marked `pipewire`. Up in about 0.1 s. `process`, and so `kill` and
    `restart`, mean pipewire-pulse, which is all that a client of libpulse ever sees."""
    with tempfile.TemporaryDirectory(prefix="rtassist-pipewire-") as folder, ExitStack() as stack:
        (graph := Path(folder, "config/pipewire/pipewire.conf.d")).mkdir(parents=True)
        (graph / "devices.conf").write_text(GRAPH)
        bus = f"{folder}/bus"
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PULSE_", "PIPEWIRE_", "XDG_"))},
            "HOME": folder,
            "XDG_RUNTIME_DIR": folder,
            "XDG_CONFIG_HOME": f"{folder}/config",
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={bus}",
            "PIPEWIRE_LOG": f"{folder}/log",
            "PIPEWIRE_LOG_LEVEL": "W",
        }
        dies_with_us = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        dbus = [
            *dies_with_us,
            "dbus-daemon",
            "--session",
            "--nofork",
            "--nopidfile",
            f"--address=unix:path={bus}",
        ]
        wait_for_socket(bus, stack.enter_context(child(dbus, environment)))
        graph_process = stack.enter_context(child([*dies_with_us, "pipewire"], environment))
        wait_for_socket(f"{folder}/pipewire-0", graph_process)
        stack.enter_context(child([*dies_with_us, "wireplumber"], environment))
        command = [*dies_with_us, "pipewire-pulse"]
        address = f"{folder}/pulse/native"
        process = stack.enter_context(child(command, environment))
        wait_for_socket(address, process)
        environment["PULSE_SERVER"] = f"unix:{address}"
        pipewire = PrivatePulse(
            server=environment["PULSE_SERVER"], environment=environment, process=process, command=command
        )
        _wait_for_defaults(pipewire)
        with our_server(pipewire):
            yield pipewire


def _wait_for_defaults(pipewire: PrivatePulse) -> None:
    """Until the session manager has seen the devices and has taken our choice, so that streams are joined."""
    give_up_s = time.monotonic() + STARTING_S
    chosen = ""
    while "Default Sink: spk\nDefault Source: mic\n" not in chosen:
        assert time.monotonic() < give_up_s, f"PipeWire has not these devices: {chosen}"
        sources = pipewire.pactl("list", "short", "sources")
        if "\tmic\t" in sources and "\tspk.monitor\t" in sources:
            with suppress(subprocess.CalledProcessError):  # before the session manager keeps such a choice
                pipewire.pactl("set-default-sink", "spk")
                pipewire.pactl("set-default-source", "mic")
        time.sleep(0.02)
        chosen = pipewire.pactl("info")
