"""What stands between the loudspeaker and the microphone, and what the user is told of it."""

import sys
from pathlib import Path

import pytest

from rtassist import errors, sound
from rtassist.audio.devices import Device
from rtassist.audio.echo import Echo, Way
from rtassist.settings import Settings


def between(way: Way, *, loudspeaker: bool = True) -> Echo:
    echo = Echo()
    echo.way, echo.far.open = way, loudspeaker
    echo.microphone = Device(kind="microphone", id="x", name="Studio (echo cancelled with Box)", default=True)
    return echo


@pytest.mark.parametrize("way", ["none", "cancelled"])
def test_nothing_is_told_where_all_is_as_it_should_be(way: Way) -> None:
    assert sound.echo_sentences(Settings(), between(way)) == []
    assert sound.echo_sentences(Settings(), None) == []


def test_the_gate_is_told_in_one_line_with_its_cures() -> None:
    (line,) = sound.echo_sentences(Settings(), between("gated"))
    assert "\n" not in line
    assert "you are not heard while the assistant speaks (Enter interrupts)" in line
    assert "pip install 'rtassist[aec]'" in line
    assert "--echo headphones" in line


def test_without_a_loudspeaker_there_is_no_gate_to_tell_of() -> None:
    assert sound.echo_sentences(Settings(), between("gated", loudspeaker=False)) == []


def test_a_source_that_the_system_cancels_is_named() -> None:
    (line,) = sound.echo_sentences(Settings(), between("system"))
    assert line.startswith("Studio (echo cancelled with Box) is already free of echo")


def test_cancelling_that_was_asked_for_and_cannot_be_had_ends_the_program() -> None:
    with pytest.raises(errors.SoundUnavailable, match="not installed"):
        sound.echo_sentences(Settings(echo="on"), between("gated"))
    assert sound.echo_sentences(Settings(echo="on"), between("cancelled")) == []


def test_something_stands_only_between_two_devices() -> None:
    assert sound.echo_for(Settings()) is not None
    assert sound.echo_for(Settings(mic="usb", speaker="hdmi", echo="on")) is not None
    for settings in (
        Settings(echo="off"),
        Settings(echo="headphones"),
        Settings(text=True),
        Settings(mic="-"),
        Settings(mic="question.wav"),
        Settings(speaker="answer.wav"),
        Settings(speaker="none"),
    ):
        assert sound.echo_for(settings) is None


@pytest.mark.skipif(sys.platform == "win32", reason="its file names are others")
def test_a_path_is_no_device(tmp_path: Path) -> None:
    assert sound.echo_for(Settings(speaker=str(tmp_path / "answer"))) is None
