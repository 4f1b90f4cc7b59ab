"""Which devices a conversation gets, and what is told where it gets none."""

from pathlib import Path

import pytest

from rtassist import errors
from rtassist.settings import Settings
from rtassist.settings_loading import load
from rtassist.sound import Missing, put_to_use

DEAF, MUTE = "It cannot hear.", "It cannot speak."


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


def test_devices_that_the_server_has_a_use_for_stay(tmp_path: Path) -> None:
    missing, meant = Missing(), settings(tmp_path, mic="a")
    assert put_to_use(meant, missing, deaf="", mute="") == meant
    assert missing == Missing()


def test_with_a_server_that_cannot_hear_or_speak_no_device_is_opened(tmp_path: Path) -> None:
    missing = Missing()
    meant = put_to_use(settings(tmp_path), missing, deaf=DEAF, mute=MUTE)
    assert (meant.mic, meant.speaker) == ("none", "none")
    assert missing == Missing(DEAF, MUTE)


@pytest.mark.parametrize("flags", [{"text": True}, {"mic": "none", "speaker": "none"}])
def test_who_wants_no_sound_is_not_told_that_there_is_none(flags: dict[str, object], tmp_path: Path) -> None:
    missing = Missing()
    put_to_use(settings(tmp_path, **flags), missing, deaf=DEAF, mute=MUTE)
    assert missing == Missing()


def test_what_was_asked_for_by_name_is_not_silently_left_out(tmp_path: Path) -> None:
    with pytest.raises(errors.SoundUnavailable, match=DEAF):
        put_to_use(settings(tmp_path, mic="a"), Missing(), deaf=DEAF, mute=MUTE)
    with pytest.raises(errors.SoundUnavailable, match=MUTE):
        put_to_use(settings(tmp_path, speaker="a"), Missing(), deaf=DEAF, mute=MUTE)
