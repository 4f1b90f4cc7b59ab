"""The list of devices: in columns, narrow, and for programs."""

from rtassist.audio.devices import Device
from rtassist.audio.listing import lines, values

HERE = (
    Device(
        kind="microphone",
        id="usb.monitor",
        name="Monitor of USB",
        default=False,
        monitor=True,
        channels=2,
        rate_hz=48_000,
    ),
    Device(kind="microphone", id="usb", name="USB Headset", default=True, channels=1, rate_hz=16_000),
    Device(kind="speaker", id="alsa_output.pci-0000_00_1f.3", name="Built-in", default=False),
)


def test_columns_are_aligned_where_there_is_room() -> None:
    assert lines(HERE, 100) == [
        "Microphones (--mic)",
        "  0  USB Headset     usb                           1 ch  16000 Hz  default",
        "  1  Monitor of USB  usb.monitor                   2 ch  48000 Hz  loopback",
        "Loudspeakers (--speaker)",
        "  0  Built-in        alsa_output.pci-0000_00_1f.3  ? ch      ? Hz",
    ]


def test_a_narrow_terminal_gets_them_stacked() -> None:
    narrow = lines(HERE, 60)
    assert narrow[:4] == [
        "Microphones (--mic)",
        "  0  USB Headset",
        "     usb",
        "     1 ch, 16000 Hz, default",
    ]
    assert max(map(len, narrow)) <= 60
    assert max(map(len, lines(HERE, 76))) <= 76


def test_a_machine_without_devices() -> None:
    assert lines((), 80) == ["Microphones (--mic): none", "Loudspeakers (--speaker): none"]
    assert values(()) == {"microphones": [], "speakers": []}


def test_programs_get_values() -> None:
    told = values(HERE)
    assert [d["id"] for d in told["microphones"]] == ["usb", "usb.monitor"]
    assert told["microphones"][1] == {
        "index": 1,
        "name": "Monitor of USB",
        "id": "usb.monitor",
        "channels": 2,
        "rate_hz": 48_000,
        "default": False,
        "loopback": True,
    }
    assert told["speakers"][0]["rate_hz"] is None
