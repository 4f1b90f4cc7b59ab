"""Playback: the assistant's voices, one after the other, on as many loudspeakers as that takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import aclosing, suppress

import trio
from attrs import define, field

from rtassist.audio import SAMPLE_RATE, DeviceLost, SoundUnavailable, Speaker
from rtassist.audio.jitter import Jitter
from rtassist.dialogue import events
from rtassist.edges import REPLACED_S, Edges

ADVANCE_SAMPLES = SAMPLE_RATE // 10
"""Progress is reported ten times a second: about a syllable."""
HANDED_BYTES = 2 * ADVANCE_SAMPLES
"""What is handed to the loudspeaker at once. An interruption takes back what the device has not taken; each
time costs a wake-up of trio, and with 20 ms there would be fifty a second."""
DUCKED_GAIN = 0.2
"""-14 dB, as Android lowers whoever plays while another speaks (PlaybackActivityMonitor's DUCK_VSHAPE)."""
IDLE_CHECK_S = 0.2
"""How often a loudspeaker that has nothing to say is asked whether it is still there."""


@define(eq=False)
class Voice:
    """One assistant item on its way to the loudspeaker. Cancelling `scope` silences it.

    `heard`: samples that have sounded; `unheard`: the sound behind these, as far as it came out of `chunks`.
    """

    item_id: str
    to_sound: trio.MemorySendChannel[bytes]
    chunks: trio.MemoryReceiveChannel[bytes]
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    heard: int = 0
    unheard: bytearray = field(factory=bytearray)

    def advance(self, heard: int) -> None:
        del self.unheard[: 2 * (heard - self.heard)]
        self.heard = heard


class Playback:
    """`run` is the task; the public methods are for what performs effects, and wait for nothing.

    `listening` is set when the conversation has begun: a loudspeaker that comes back is told of after it.
    """

    def __init__(
        self,
        edges: Edges,
        feed: Callable[[events.Event], None],
        listening: trio.Event,
        tasks: trio.Nursery,
    ) -> None:
        self._edges = edges
        self._feed = feed
        self._listening = listening
        self._tasks = tasks
        self._speaker = edges.speaker
        self._lowered = False
        self._set_gain()  # another conversation may have ended while its voice was lowered
        self._to_play, self._voices = trio.open_memory_channel[Voice](math.inf)
        self._voice_of: dict[str, Voice] = {}
        self._jitter = Jitter()

    def play(self, item_id: str, pcm: bytes) -> None:
        self._voice(item_id).to_sound.send_nowait(pcm)

    def finish(self, item_id: str) -> None:
        self._voice(item_id).to_sound.close()

    def hush(self, item_id: str) -> None:
        self._voice(item_id).scope.cancel()

    def announce(self, item_id: str, text: str) -> None:
        self._tasks.start_soon(self._announce, text, self._voice(item_id))

    def lower(self, lowered: bool) -> None:
        self._lowered = lowered
        self._set_gain()

    async def run(self) -> None:
        """One voice after the other; the report of its end is outside of its scope, and given once."""
        if self._speaker is None and self._edges.another_speaker is not None:
            self._tasks.start_soon(self._speaker_back, None)
        while True:
            voice: Voice | None = None
            with trio.move_on_after(IDLE_CHECK_S if self._edges.another_speaker else math.inf):
                voice = await self._voices.receive()
            lost: DeviceLost | SoundUnavailable | None = None
            try:
                if voice is not None:
                    await self._say(voice)
                elif self._speaker is not None:
                    await self._speaker.drain()
            except (DeviceLost, SoundUnavailable) as gone:
                lost = gone
            if voice is not None:
                del self._voice_of[voice.item_id]
                self._feed(events.PlaybackEnded(voice.item_id, voice.heard))
            if lost is not None:
                await self._replace_speaker(lost)

    async def _say(self, voice: Voice) -> None:
        """To its end, on as many loudspeakers as that takes, or until it is hushed or there is none."""
        with voice.scope:
            while self._speaker is not None:
                start = self._speaker.handed() - voice.heard
                try:
                    await self._sound(voice, self._speaker, start)
                    return
                except (DeviceLost, SoundUnavailable) as gone:
                    voice.advance(max(voice.heard, self._speaker.heard() - start))
                    await self._replace_speaker(gone)
        if voice.scope.cancel_called and self._speaker is not None:
            self._speaker.flush()
            try:
                # A few ms, until the device has said where it fell silent.
                await self._speaker.drain()
            finally:
                voice.advance(max(voice.heard, self._speaker.heard() - start))

    async def _sound(self, voice: Voice, speaker: Speaker, start: int) -> None:
        """What was not heard of it yet. The voice's first sample is `start` of the speaker's own count."""
        told = voice.heard
        pcm = bytes(voice.unheard)
        self._jitter.began()
        with suppress(trio.EndOfChannel):
            while True:
                for offset in range(0, len(pcm), HANDED_BYTES):
                    await speaker.play(chunk := pcm[offset : offset + HANDED_BYTES])
                    self._edges.gauge.sounded(chunk)
                    voice.advance(speaker.heard() - start)
                    if voice.heard - told >= ADVANCE_SAMPLES:
                        told = voice.heard
                        self._feed(events.PlaybackAdvanced(voice.item_id, voice.heard))
                pcm = await self._more_of(voice, speaker)
                voice.unheard += pcm
        await speaker.drain()
        voice.advance(speaker.heard() - start)
        self._jitter.ended(voice.heard * 1000 // SAMPLE_RATE)

    async def _more_of(self, voice: Voice, speaker: Speaker) -> bytes:
        """The next sound of it; at its beginning and after a gap, as much as the link has taught to wait for.

        Raises trio.EndOfChannel at its end.
        """
        begins = not voice.heard and not voice.unheard
        left, asked_s = speaker.handed() - speaker.heard(), trio.current_time()
        pcm = await voice.chunks.receive()
        left_ms = round(1000 * (left / SAMPLE_RATE - (trio.current_time() - asked_s)))
        if not left and not begins:  # it sounds all at once, or we were late ourselves: the link was not
            return pcm
        if not begins and left_ms >= 0:
            self._jitter.arrived(left_ms)
            return pcm
        if not begins:
            self._jitter.starved(-left_ms)
            self._feed(events.VoiceStarved(voice.item_id, -left_ms, self._jitter.wait_ms))
        if self._jitter.wait_ms:
            wanted, more = self._jitter.wait_ms * SAMPLE_RATE // 1000 * 2, pcm
            with trio.move_on_after(self._jitter.wait_ms / 1000), suppress(trio.EndOfChannel):
                # What came last is for the time until the next comes.
                while len(pcm) < wanted + min(wanted, len(more)):
                    more = await voice.chunks.receive()
                    pcm += more
        return pcm

    async def _replace_speaker(self, lost: DeviceLost | SoundUnavailable) -> None:
        """Another loudspeaker goes on at once with what sounds; or it is read, until there is one."""
        another, before = self._edges.another_speaker, self._speaker
        if another is not None:
            with trio.move_on_after(REPLACED_S):
                self._speaker, name = await another(before, getattr(lost, "moved_to", None))
                self._set_gain()
                self._feed(events.SpeakerBack(name, instead=lost.reason))
                return
        self._speaker = None
        self._feed(events.SpeakerLost(lost.reason))  # first: what is not heard of this answer is read
        for voice in self._voice_of.values():
            voice.scope.cancel()
        if another is not None:
            self._tasks.start_soon(self._speaker_back, before)

    async def _speaker_back(self, lost: Speaker | None) -> None:
        assert self._edges.another_speaker is not None
        await self._listening.wait()
        self._speaker, name = await self._edges.another_speaker(lost, None)
        self._set_gain()
        self._feed(events.SpeakerBack(name))

    def _set_gain(self) -> None:
        if self._speaker is not None:
            self._speaker.fade_to(DUCKED_GAIN if self._lowered else 1.0)

    async def _announce(self, text: str, voice: Voice) -> None:
        with voice.to_sound:
            if self._edges.announcer is not None:
                async with aclosing(self._edges.announcer(text)) as chunks:
                    async for pcm in chunks:
                        voice.to_sound.send_nowait(pcm)

    def _voice(self, item_id: str) -> Voice:
        """The voice of an item, queued for playback when it is first named."""
        voice = self._voice_of.get(item_id)
        if voice is None:
            voice = Voice(item_id, *trio.open_memory_channel[bytes](math.inf))
            self._voice_of[item_id] = voice
            self._to_play.send_nowait(voice)
        return voice
