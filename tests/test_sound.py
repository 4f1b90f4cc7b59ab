"""Which devices a conversation gets, and what is told where it gets none."""

from pathlib import Path

import pytest
import trio

from rtassist import errors
from rtassist.audio.clocked import ClockedSpeaker
from rtassist.settings import Settings
from rtassist.settings_loading import load
from rtassist.sound import Missing, put_to_use

DEAF, MUTE = "It cannot hear.", "It cannot speak."


def speaker() -> ClockedSpeaker:
    return ClockedSpeaker(lambda position, pcm: None, fast=True)


class Microphone:
    live = True
    clips = False

    async def read(self) -> bytes:
        await trio.lowlevel.checkpoint()
        return bytes(960)


def settings(tmp_path: Path, **flags: object) -> Settings:
    config = tmp_path / "config.toml"
    config.touch()
    return load(flags, {"RTASSIST_CONFIG": str(config)}, tmp_path)


def test_what_one_reason_takes_away_is_told_in_one_line() -> None:
    assert Missing().sentences() == []
    assert Missing("No sound.", "No sound.").sentences() == [
        "No sound. Until then you type, and answers are written."
    ]
    assert Missing("No mic.", "No sound.").sentences() == [
        "No mic. Until then you type.",
        "No sound. Until then answers are written.",
    ]


async def test_devices_that_the_server_has_a_use_for_stay(tmp_path: Path) -> None:
    missing, microphone, loudspeaker = Missing(), Microphone(), speaker()
    both = put_to_use(settings(tmp_path), missing, microphone, loudspeaker, deaf="", mute="")
    assert both == (microphone, loudspeaker)
    assert missing == Missing()


async def test_a_server_that_cannot_hear_or_speak_leaves_typing_and_writing(tmp_path: Path) -> None:
    missing = Missing()
    both = put_to_use(settings(tmp_path), missing, Microphone(), speaker(), deaf=DEAF, mute=MUTE)
    assert both == (None, None)
    assert missing == Missing(DEAF, MUTE)


def test_why_there_is_no_device_comes_before_what_the_server_would_do_with_it(tmp_path: Path) -> None:
    missing = Missing("No sound.", "No sound.")
    assert put_to_use(settings(tmp_path), missing, None, None, deaf=DEAF, mute=MUTE) == (None, None)
    assert missing == Missing("No sound.", "No sound.")


async def test_what_was_asked_for_by_name_is_not_silently_left_out(tmp_path: Path) -> None:
    with pytest.raises(errors.SoundUnavailable, match=DEAF):
        put_to_use(settings(tmp_path, mic="a"), Missing(), Microphone(), None, deaf=DEAF, mute=MUTE)
    with pytest.raises(errors.SoundUnavailable, match=MUTE):
        put_to_use(settings(tmp_path, speaker="a"), Missing(), None, speaker(), deaf=DEAF, mute=MUTE)
