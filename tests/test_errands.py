"""What commands need of the outside: files, devices, and another conversation behind this one."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from rtassist.audio.devices import Device
from rtassist.dialogue.effects import Outcome, Quit
from rtassist.dialogue.terms import Terms, Turn
from rtassist.errands import LARGEST_IMAGE_BYTES, Errands
from rtassist.protocol import Session
from rtassist.recording import recorded
from rtassist.settings import Settings
from rtassist.shelf import save_copy

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
JPEG = b"\xff\xd8\xff\xe0" + bytes(40)


@define
class Held:
    """A kind of device as the errands see it."""

    device: Any = None
    comes_back: bool = False
    preferred: list[str] = field(factory=list)

    def prefer(self, name: str) -> None:
        self.preferred.append(name)


@define
class Open:
    """An open device, and where it was left for."""

    device: Device
    left: list[tuple[str, str | None]] = field(factory=list)

    def leave(self, reason: str, moved_to: str | None) -> None:
        self.left.append((reason, moved_to))


@define
class Nowhere:
    path: Path | None = None


def errands(heard: Held | None = None, **settings: Any) -> Errands:
    return Errands(Settings(**settings), Nowhere(), heard or Held(), Held())  # type: ignore[arg-type]  # by shape


async def result(name: str, argument: str) -> str:
    ended = await errands().run(name, argument)
    assert not ended.problem
    assert (ended.name, ended.argument) == (name, argument)
    return ended.result


async def problem(name: str, argument: str) -> str:
    ended = await errands().run(name, argument)
    assert not ended.result
    return ended.problem


@pytest.mark.parametrize(("data", "kind"), [(PNG, "png"), (JPEG, "jpeg")])
async def test_an_image_is_known_by_what_is_in_it(tmp_path: Path, data: bytes, kind: str) -> None:
    path = tmp_path / "a picture.of what"
    path.write_bytes(data)
    uri = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    assert await result("image", f'"{path}" what is this') == uri
    assert await result("image", f"'{path}'") == uri


async def test_what_is_no_image_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "huge.png").write_bytes(PNG + bytes(LARGEST_IMAGE_BYTES))
    assert "neither a PNG nor a JPEG" in await problem("image", f"{tmp_path}/text.png")
    told = await problem("image", f"{tmp_path}/huge.png")
    assert told.endswith(
        "too large for an image: more than 1024 KiB. Make it smaller: 1024 pixels are enough."
    )
    assert (await problem("image", f"{tmp_path}/none.png")).endswith(
        "cannot be read: no such file or directory."
    )
    assert "quotes" in await problem("image", f"{tmp_path}/my photo.png")
    assert "cannot be read" in await problem("image", str(tmp_path))
    assert "cannot be read" in await problem("image", "a\0b")


async def test_instructions_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "pirate.txt"
    path.write_text("Talk like a pirate.\n")
    assert await result("instructions", f"@{path}") == "Talk like a pirate."
    path.write_bytes(b"\xff")
    assert "is not UTF-8 text" in await problem("instructions", f"@{path}")
    path.write_bytes(b" \n")
    assert "is empty" in await problem("instructions", f"@{path}")


USB = Device(kind="microphone", id="usb", name="USB headset", default=False)
BUILT_IN = Device(kind="microphone", id="built-in", name="Built-in", default=True)


@pytest.fixture
def two_microphones(monkeypatch: pytest.MonkeyPatch) -> None:
    async def devices() -> list[Device]:
        return [BUILT_IN, USB]

    monkeypatch.setattr("rtassist.audio.microphone.devices", devices)


async def test_another_microphone_is_one_that_this_one_is_left_for(two_microphones: None) -> None:
    microphone = Open(BUILT_IN)
    held = Held(microphone, comes_back=True)
    mine = errands(held)
    assert (await mine.run("mic", "")).result == "The microphone is Built-in."
    assert (await mine.run("mic", "built")).result == "The microphone is Built-in already."
    assert microphone.left == []
    assert (await mine.run("mic", "usb")).result == "", "the device tells the rest"
    assert microphone.left == [("as you chose", "usb")]
    told = (await mine.run("mic", "telephone")).problem
    assert told.startswith("There is no microphone called 'telephone'.")
    held.device = None
    assert (await mine.run("mic", "")).result == "There is no microphone; one is awaited."
    assert (await mine.run("mic", "usb")).result == "The microphone is going to be USB headset."
    assert held.preferred == ["usb"]


async def test_a_file_stays_the_microphone(two_microphones: None) -> None:
    assert "a file or a pipe" in (await errands(Held(Open(USB))).run("mic", "usb")).problem


def test_what_is_preferred_is_what_the_next_conversation_begins_with() -> None:
    mine = errands(ptt=True)
    for name, value in (("model", "m"), ("voice", "v"), ("instructions", "i"), ("vad", "semantic")):
        mine.prefer(name, value)
    now = mine.settings
    assert (now.model, now.voice, now.instructions, now.vad, now.ptt) == ("m", "v", "i", "semantic", False)
    mine.prefer("vad", "off")
    assert mine.settings.ptt


SAID = (Turn("user", "hello"), Turn("assistant", "hi"))


def test_the_next_conversation_knows_what_was_said_or_not() -> None:
    mine = errands()
    mine.begin()
    mine.leave(SAID)
    assert mine.again(Quit()) is None
    assert mine.again(Quit(Outcome.LINK_LOST, "gone")) is None
    assert mine.again(Quit(Outcome.RESTART)) == "A new conversation."
    assert mine.begin() == (mine.settings, ())
    mine.prefer("model", "other")
    assert mine.again(Quit(Outcome.GO_ON)) == "The conversation goes on with other."
    assert mine.begin() == (mine.settings, SAID)
    assert mine.begin() == (mine.settings, ()), "it is told once"


def test_a_model_that_is_refused_costs_nothing_but_the_attempt() -> None:
    mine = errands(model="good")
    mine.begin()
    mine.leave(SAID)
    mine.prefer("model", "bad")
    mine.again(Quit(Outcome.GO_ON))
    settings, history = mine.begin()
    assert (settings.model, history) == ("bad", SAID)

    refused = Quit(Outcome.REFUSED, "The server refused: no such model.")
    assert mine.again(refused) == "The server refused: no such model. The conversation goes on as it was."
    settings, history = mine.begin()
    assert (settings.model, history) == ("good", SAID)

    assert mine.again(refused) is None, "the one that was good is refused now: that is the end"


async def test_a_copy_of_the_recording_so_far(tmp_path: Path) -> None:
    notices: list[object] = []
    settings = Settings(record=str(tmp_path / "kept.jsonl"), record_audio=False, text=True)
    with recorded(settings, notices.append, lambda line: None) as recording:
        recording.begin(Terms(session=Session(type="realtime")))
        source = recording.path
        assert source is not None
        mine = Errands(settings, recording, Held(), Held())  # type: ignore[arg-type]  # by shape
        assert (await mine.run("save", "")).result == f"This conversation is recorded in {source}."
        assert "must end in .jsonl" in (await mine.run("save", str(tmp_path / "copy.doc"))).problem
    save_copy(source, tmp_path / "copy.jsonl")
    copied = (tmp_path / "copy.jsonl").read_bytes()
    assert copied == source.read_bytes()
    with pytest.raises(Exception, match="is there already"):
        save_copy(source, tmp_path / "copy.jsonl")
    assert "not recorded" in await problem("save", "copy.md")


async def test_a_recording_that_there_is_not(tmp_path: Path) -> None:
    mine = errands(record=str(tmp_path))
    assert (await mine.run("resume-session", "2020")).problem.startswith("No recording begins with '2020'")
    assert (await mine.run("resume-session", "last")).problem.startswith("There is no earlier recording")
