import pytest

from rtassist.audio import SoundUnavailable
from rtassist.audio.devices import Device, Kind, choose, of_kind


def device(id: str, name: str, kind: Kind = "microphone", *, default: bool = False) -> Device:
    return Device(kind=kind, id=id, name=name, default=default, monitor=id.endswith(".monitor"))


HERE = (
    device("hdmi.monitor", "Monitor of HDMI", default=True),
    device("usb", "USB Headset"),
    device("builtin", "Built-in Microphone"),
    device("usb.monitor", "Monitor of USB Headset"),
    device("hdmi", "HDMI", "speaker"),
    device("usb", "USB Headset", "speaker", default=True),
)


def test_the_default_is_never_a_monitor() -> None:
    assert choose(HERE, "microphone", None).id == "usb"
    assert choose(HERE, "speaker", None).id == "usb"


@pytest.mark.parametrize(
    ("wanted", "id"),
    [
        ("builtin", "builtin"),
        ("built-in", "builtin"),
        ("headset", "usb"),  # its monitor is called so too, but is meant only by its own name
        ("0", "usb"),
        ("1", "builtin"),
        ("2", "hdmi.monitor"),
        ("usb.monitor", "usb.monitor"),
        ("of hdmi", "hdmi.monitor"),
    ],
)
def test_by_id_index_and_part_of_the_name(wanted: str, id: str) -> None:
    assert choose(HERE, "microphone", wanted).id == id


def test_indices_are_those_of_the_list() -> None:
    listed = of_kind(HERE, "microphone")
    assert [d.monitor for d in listed] == [False, False, True, True]
    assert [choose(HERE, "microphone", str(i)) for i in range(4)] == list(listed)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("bluetooth", "There is no microphone called 'bluetooth'."),
        ("4", "There is no microphone called '4'."),
        ("b", "More than one microphone is called 'b'."),
        ("monitor of", "More than one microphone is called 'monitor of'."),
    ],
)
def test_what_is_not_there_lists_what_is(wanted: str, says: str) -> None:
    with pytest.raises(SoundUnavailable) as refused:
        choose(HERE, "microphone", wanted)
    assert refused.value.message == (
        f"{says} There is:\n"
        "  0  USB Headset  (usb)\n"
        "  1  Built-in Microphone  (builtin)\n"
        "  2  Monitor of HDMI  (hdmi.monitor), default, monitor\n"
        "  3  Monitor of USB Headset  (usb.monitor), monitor"
    )


def test_a_machine_without_devices() -> None:
    with pytest.raises(SoundUnavailable, match=r"^This machine has no speaker\.$"):
        choose((), "speaker", None)
    with pytest.raises(SoundUnavailable, match=r"no microphone\. There is:\n  0  Monitor of HDMI"):
        choose(HERE[:1], "microphone", None)
