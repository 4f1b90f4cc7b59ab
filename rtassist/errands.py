"""What commands need of the outside: files, devices, recordings, and another conversation behind this one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import trio
from pybase64 import b64encode_as_string

from rtassist import errors
from rtassist.audio import Microphone, SoundUnavailable, Speaker
from rtassist.costs import USUAL_RATE, TextRate
from rtassist.dialogue.effects import Outcome, Quit
from rtassist.dialogue.events import ErrandEnded
from rtassist.dialogue.limits import newest
from rtassist.dialogue.obeying import split_path
from rtassist.dialogue.terms import Turn
from rtassist.recording import SUFFIX, Recording
from rtassist.settings import Settings
from rtassist.sound import device_name

if TYPE_CHECKING:
    from rtassist.audio.devices import Kind
    from rtassist.audio.held import Held

LARGEST_IMAGE_BYTES = 1024 * 1024
"""OpenAI documents no limit, and large ones have ended connections without a word. A photo of 1024 pixels as
JPEG has a fifth of this, and models look at no more of one than that."""
LARGEST_TEXT_BYTES = 256 * 1024
"""Instructions longer than this fill the context window of any realtime model."""
WIDE = 160
"""Columns in which devices stand on one line each, for most of them."""
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}


@attrs.define
class Errands:
    """For one run of the program. `settings`, `history`: what the next conversation begins with."""

    settings: Settings
    recording: Recording
    heard: Held[Microphone]
    spoken: Held[Speaker]
    history: tuple[Turn, ...] = ()
    left: tuple[Turn, ...] = ()
    """What was said in the last conversation."""
    rate: TextRate = USUAL_RATE
    """How many tokens that is, as far as its server has told."""
    _begun: Settings = attrs.field(init=False)
    """Those of the conversation that is held, or was the last."""
    _proven: Settings = attrs.field(init=False)
    """The last with which a server held one; at first those that the program was started with."""

    def __attrs_post_init__(self) -> None:
        self._begun = self._proven = self.settings

    def begin(self) -> tuple[Settings, tuple[Turn, ...]]:
        """The settings of the next conversation, and what is said in it before it begins."""
        self._begun, history, self.history = self.settings, self.history, ()
        return self._begun, history

    async def run(self, name: str, argument: str) -> ErrandEnded:
        """Do it. What a user can cause comes back as the problem."""
        try:
            return ErrandEnded(name, argument, result=await _ERRANDS[name](self, argument))
        except (errors.Failure, SoundUnavailable) as failure:
            return ErrandEnded(name, argument, problem=failure.message)

    def prefer(self, name: str, value: str) -> None:
        """Known names are instructions, model, voice and vad."""
        changes: dict[str, Any] = {name: value}
        if name == "vad":
            changes["ptt"] = value == "off"
        self.settings = attrs.evolve(self.settings, **changes)

    def leave(self, history: tuple[Turn, ...], rate: TextRate = USUAL_RATE) -> None:
        self.left, self.rate = history, rate

    def again(self, quit_: Quit) -> str | None:
        """What to tell the user of the conversation that is to begin behind this one; None: none is."""
        if quit_.outcome in (Outcome.REFUSED, Outcome.NO_REALTIME):
            if self._begun is self._proven:
                return None
            self.settings, self.history = self._proven, newest(self.left, rate=self.rate)
            return f"{quit_.message} The conversation goes on as it was."
        self._proven = self._begun
        if quit_.outcome is Outcome.GO_ON:
            self.history = newest(self.left, rate=self.rate)
            return f"The conversation goes on with {self.settings.model}."
        if quit_.outcome is Outcome.RESTART:
            return goes_on_with(self.settings, self.history) if self.history else "A new conversation."
        return None

    async def _devices(self, _: str) -> str:
        from rtassist.audio import listing
        from rtassist.audio.microphone import devices

        return "\n".join(listing.lines(await devices(), WIDE))

    async def _mic(self, name: str) -> str:
        return await self._device("microphone", self.heard, name)

    async def _speaker(self, name: str) -> str:
        return await self._device("speaker", self.spoken, name)

    async def _device(self, kind: Kind, held: Held[Any], name: str) -> str:
        """The ring is told of a change by the device itself, which counts as lost, and says where to go."""
        said = "loudspeaker" if kind == "speaker" else kind
        if not held.comes_back:
            raise errors.Failure(
                f"This conversation has a file or a pipe for a {said}, or none; so it stays."
            )
        current = device_name(held.device) if held.device is not None else ""
        if not name:
            return f"The {said} is {current}." if current else f"There is no {said}; one is awaited."
        from rtassist.audio.devices import choose
        from rtassist.audio.microphone import devices

        chosen = choose(await devices(), kind, name)
        if held.device is None:
            held.prefer(chosen.id)
            return f"The {said} is going to be {chosen.name}."
        if getattr(getattr(held.device, "device", None), "id", None) == chosen.id:
            return f"The {said} is {chosen.name} already."
        held.device.leave("as you chose", chosen.id)
        return ""

    async def _image(self, argument: str) -> str:
        path, question = split_path(argument)
        hint = " A path with spaces stands in quotes." if question else ""
        advice = "Make it smaller: 1024 pixels are enough."
        data = await _read(path, LARGEST_IMAGE_BYTES, "an image", advice, hint)
        kind = next((kind for start, kind in _SIGNATURES.items() if data.startswith(start)), None)
        if kind is None:
            raise errors.Failure(f"{path} is neither a PNG nor a JPEG image.")
        return f"data:image/{kind};base64,{b64encode_as_string(data)}"

    async def _instructions(self, argument: str) -> str:
        path = argument.removeprefix("@")
        data = await _read(path, LARGEST_TEXT_BYTES, "instructions", "Say it in fewer words.")
        try:
            text = data.decode().strip()
        except UnicodeDecodeError:
            raise errors.Failure(f"{path} is not UTF-8 text.") from None
        if not text:
            raise errors.Failure(f"{path} is empty.")
        return text

    async def _save(self, argument: str) -> str:
        source = self.recording.path
        if source is None:
            raise errors.Failure("This conversation is not recorded: there is nothing to save.")
        if not argument:
            return f"This conversation is recorded in {source}."
        return await trio.to_thread.run_sync(_save, source, split_path(argument)[0])

    async def _resume(self, name: str) -> str:
        from rtassist.shelf import another

        current = self.recording.path
        self.settings, self.history = await trio.to_thread.run_sync(
            another, self.settings, name, current.stem if current else ""
        )
        return str(self.settings.resume)


def goes_on_with(settings: Settings, history: tuple[Turn, ...]) -> str:
    return f"This goes on with {settings.resume}: {len(history)} of its lines are known."


_ERRANDS: dict[str, Callable[[Errands, str], Awaitable[str]]] = {
    "devices": Errands._devices,
    "mic": Errands._mic,
    "speaker": Errands._speaker,
    "image": Errands._image,
    "instructions": Errands._instructions,
    "save": Errands._save,
    "resume-session": Errands._resume,
}


async def _read(name: str, most_bytes: int, what: str, advice: str, hint: str = "") -> bytes:
    """A file as it is. Raises errors.Failure."""
    try:
        path = await trio.Path(name).expanduser()
        async with await path.open("rb") as file:
            data: bytes = await file.read(most_bytes + 1)
    except (OSError, ValueError, RuntimeError) as error:  # a path that can be none, ~nobody
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise errors.Failure(f"{name} cannot be read: {why}.{hint}") from None
    if len(data) > most_bytes:
        raise errors.Failure(f"{name} is too large for {what}: more than {most_bytes // 1024} KiB. {advice}")
    return data


def _save(source: Path, name: str) -> str:
    """The recording so far, or the conversation as a document; by the name's ending. In a thread."""
    from rtassist.shelf import save_copy

    out = Path(name).expanduser().absolute()
    save_copy(source, out)
    sound = ", without its sound" if out.suffix == SUFFIX else ""
    return f"Saved{sound}: {out}"
