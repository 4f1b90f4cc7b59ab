"""Capture: what the microphone hears, chunk by chunk, on as many microphones as that takes."""

from __future__ import annotations

from collections.abc import Callable

import trio

from rtassist.audio import DeviceLost, Microphone, SoundUnavailable
from rtassist.audio.silence import SilenceWatch
from rtassist.dialogue import events
from rtassist.dialogue.state import Conversation, Ending
from rtassist.edges import REPLACED_S, Edges
from rtassist.exchange import Exchange
from rtassist.uplink import STALE_SAMPLES

SILENCE_BYTES = 960
"""20 ms: what a microphone that is no device hears behind its end, at once."""


class Capture:
    """`run` is the task. It begins to hear when `listening` is set."""

    def __init__(
        self,
        edges: Edges,
        feed: Callable[[events.Event], None],
        state: Callable[[], Conversation],
        listening: trio.Event,
        exchange: Exchange,
    ) -> None:
        self._edges = edges
        self._feed = feed
        self._state = state
        self._listening = listening
        self._exchange = exchange

    async def run(self) -> None:
        """The microphone's chunks, as they are heard; behind a file's end, silence."""
        microphone = self._edges.microphone
        await self._listening.wait()
        try:
            while microphone is not None or self._edges.another_microphone is not None:
                microphone = await self._hear(microphone)
        except trio.EndOfChannel:
            self._feed(events.MicEnded())
            while self._state().ending is Ending.TRAILING:
                self._feed(events.MicHeard(bytes(SILENCE_BYTES)))
                await self._sent_most()

    async def _hear(self, microphone: Microphone | None) -> Microphone | None:
        """Until the microphone is lost; then another, or None when it is gone for good."""
        another = self._edges.another_microphone
        if microphone is None:
            return await self._microphone_back(None)
        try:
            await self._chunks_of(microphone)
        except (DeviceLost, SoundUnavailable) as lost:
            reason, moved_to = lost.reason, getattr(lost, "moved_to", None)
        if another is not None:
            with trio.move_on_after(REPLACED_S):
                replacement, name = await another(microphone, moved_to)
                self._feed(events.MicBack(name, instead=reason))
                return replacement
        self._feed(events.MicLost(reason, may_return=another is not None))
        return await self._microphone_back(microphone)

    async def _microphone_back(self, lost: Microphone | None) -> Microphone | None:
        if self._edges.another_microphone is None:
            return None
        microphone, name = await self._edges.another_microphone(lost, None)
        self._feed(events.MicBack(name))
        return microphone

    async def _chunks_of(self, microphone: Microphone) -> None:
        from rtassist.audio.onset import OnsetWatch  # and numpy, which who only types can do without

        watch, onsets, clips = SilenceWatch(), OnsetWatch(), False
        while True:
            microphone.urgent = self._state().sounding
            pcm = await microphone.read()
            self._edges.gauge.heard(pcm)
            self._feed(events.MicHeard(pcm))
            state = self._state()
            if state.terms.ducks and state.server_turns:
                if not state.sounding:
                    onsets.follow(pcm)
                elif onsets.begins(pcm, voice=True):
                    self._feed(events.OnsetHeard())
            if not microphone.live:
                await self._sent_most()
            elif watch.is_silent(pcm):
                self._feed(events.MicSilent())
            if microphone.clips and not clips:
                clips = True
                self._feed(events.MicClips())
            self._exchange.check()

    async def _sent_most(self) -> None:
        """What is no live voice can wait for the network, and loses nothing."""
        await trio.lowlevel.checkpoint()
        uplink = self._exchange.uplink
        while uplink.unsent > STALE_SAMPLES // 2:
            uplink.was_sent = trio.Event()
            await uplink.was_sent.wait()
