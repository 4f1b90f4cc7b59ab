"""The ring around the decision: five tasks, one door.

    microphone ── capture ─┐                              ┌─ send ────── server
    server ────── receive ─┼─► feed ─► step ─► perform ───┼─ playback ── loudspeaker
    keys, timers  command ─┘    (noted)                   └─ tools, alarms, screen

send and receive are in `exchange`.

Every task brings what happened to `feed`, which notes it, decides it and performs the effects without a
single await, so that events cannot interleave. `perform` starts, stops or queues; it never waits and never
feeds. What is decided is in `dialogue`; what things are is behind the edges that are passed in.
"""

from __future__ import annotations

import math
from collections import defaultdict
from contextlib import aclosing, suppress

import trio
from attrs import define, field

from rtassist.audio import SAMPLE_RATE, DeviceLost, Microphone, SoundUnavailable, Speaker
from rtassist.audio.jitter import Jitter
from rtassist.audio.silence import SilenceWatch
from rtassist.dialogue import events
from rtassist.dialogue.effects import (
    Announce,
    CallTool,
    CancelTool,
    ClearAlarm,
    Deliver,
    Dial,
    Duck,
    Effect,
    Finish,
    Hush,
    Keep,
    Listen,
    Outcome,
    Play,
    Prefer,
    Quit,
    RunErrand,
    Send,
    SetAlarm,
    Show,
    Switch,
    Unduck,
)
from rtassist.dialogue.state import Ending, Terms
from rtassist.dialogue.step import begin, step
from rtassist.dialogue.wording import error
from rtassist.edges import Edges
from rtassist.exchange import STALE_SAMPLES, Exchange

SILENCE_BYTES = 960
"""20 ms: what a microphone that is no device hears behind its end, at once."""
ADVANCE_SAMPLES = SAMPLE_RATE // 10
"""Progress is reported ten times a second: about a syllable."""
HANDED_BYTES = 2 * ADVANCE_SAMPLES
"""What is handed to the loudspeaker at once. An interruption takes back what the device has not taken; each
time costs a wake-up of trio, and with 20 ms there would be fifty a second."""
REPLACED_S = 0.3
"""A device that is there this soon after one was lost goes on where that one stopped: opening takes 50 ms.
One may stand still for 1.5 s before it counts as lost, and both together are to be less than two seconds."""
DUCKED_GAIN = 0.2
"""-14 dB, as Android lowers whoever plays while another speaks (PlaybackActivityMonitor's DUCK_VSHAPE)."""
CANCELLED = error("the user said stop, and it was cancelled")
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


async def converse(terms: Terms, edges: Edges) -> Quit:
    """Hold one conversation over an open link and say how it ended.

    Everything that was started here has ended when this returns or raises, cancellation included. Devices
    and link stay open: they belong to the caller.
    """
    async with trio.open_nursery() as nursery:
        ring = Ring(terms, edges, nursery)
        for task in (ring.capture, ring.exchange.run, ring.playback, ring.command):
            nursery.start_soon(task)
    edges.ended(ring.state)
    return ring.quit


class Ring:
    def __init__(self, terms: Terms, edges: Edges, nursery: trio.Nursery) -> None:
        self.edges = edges
        self.nursery = nursery
        self.state = begin(terms)
        self.began = trio.current_time()
        self.speaker = edges.speaker
        self.set_gain()  # another conversation may have ended while its voice was lowered
        self.listening = trio.Event()
        self.exchange = Exchange(edges, self.feed, self.now_us, nursery)
        self.to_play, self.voices = trio.open_memory_channel[Voice](math.inf)
        self.voice_of: dict[str, Voice] = {}
        self.alarms: dict[str, trio.CancelScope] = {}
        self.tool_scopes: defaultdict[str, trio.CancelScope] = defaultdict(trio.CancelScope)
        self.jitter = Jitter()
        self.became_quiet = trio.Event()
        self.quit = Quit(Outcome.OVER)

    def now_us(self) -> int:
        return round((trio.current_time() - self.began) * 1_000_000)

    def feed(self, event: events.Event) -> None:
        """The one door: note what happened, decide it, perform what follows."""
        now_us = self.now_us()
        self.edges.note(now_us, event)
        self.state, effects = step(self.state, now_us, event)
        for effect in effects:
            self.edges.note(now_us, effect)
            self.perform(effect)
        self.edges.gauge.follow(self.state, now_us)
        if self.state.quiet() or self.state.questions:
            self.became_quiet.set()

    def perform(self, effect: Effect) -> None:
        match effect:
            case Send():
                self.exchange.send(effect)
            case Play():
                self.voice(effect.item_id).to_sound.send_nowait(effect.pcm)
            case Finish():
                self.voice(effect.item_id).to_sound.close()
            case Hush():
                self.voice(effect.item_id).scope.cancel()
            case Duck() | Unduck():
                self.set_gain()
            case Announce():
                self.nursery.start_soon(self.announce, effect.text, self.voice(effect.item_id))
            case CallTool():
                self.nursery.start_soon(self.call_tool, effect)
            case RunErrand():
                self.nursery.start_soon(self.run_errand, effect)
            case Prefer():
                self.edges.prefer(effect.name, effect.value)
            case CancelTool():
                self.tool_scopes[effect.call_id].cancel()
            case SetAlarm() | ClearAlarm():
                self.set_alarm(effect)
            case Show():
                self.edges.show(effect.what)
            case Listen():
                self.listening.set()
            case Keep():
                self.exchange.keep(effect.since_us)
            case Deliver():
                self.exchange.deliver()
            case Dial():
                self.exchange.dial()
            case Switch():
                self.exchange.switch()
            case Quit():
                self.quit = effect
                self.nursery.cancel_scope.cancel()

    async def capture(self) -> None:
        """The microphone's chunks, as they are heard; behind a file's end, silence."""
        microphone = self.edges.microphone
        await self.listening.wait()
        try:
            while microphone is not None or self.edges.another_microphone is not None:
                microphone = await self.hear(microphone)
        except trio.EndOfChannel:
            self.feed(events.MicEnded())
            while self.state.ending is Ending.TRAILING:
                self.feed(events.MicHeard(bytes(SILENCE_BYTES)))
                await self.sent_most()

    async def hear(self, microphone: Microphone | None) -> Microphone | None:
        """Until the microphone is lost; then another, or None when it is gone for good."""
        another = self.edges.another_microphone
        if microphone is None:
            return await self.microphone_back(None)
        try:
            await self.chunks_of(microphone)
        except (DeviceLost, SoundUnavailable) as lost:
            reason, moved_to = lost.reason, getattr(lost, "moved_to", None)
        if another is not None:
            with trio.move_on_after(REPLACED_S):
                replacement, name = await another(microphone, moved_to)
                self.feed(events.MicBack(name, instead=reason))
                return replacement
        self.feed(events.MicLost(reason, may_return=another is not None))
        return await self.microphone_back(microphone)

    async def microphone_back(self, lost: Microphone | None) -> Microphone | None:
        if self.edges.another_microphone is None:
            return None
        microphone, name = await self.edges.another_microphone(lost, None)
        self.feed(events.MicBack(name))
        return microphone

    async def chunks_of(self, microphone: Microphone) -> None:
        from rtassist.audio.onset import OnsetWatch  # and numpy, which who only types can do without

        watch, onsets, clips = SilenceWatch(), OnsetWatch(), False
        while True:
            pcm = await microphone.read()
            self.edges.gauge.heard(pcm)
            self.feed(events.MicHeard(pcm))
            if (
                self.state.terms.ducks
                and self.state.server_turns
                and onsets.begins(pcm, voice=self.state.sounding)
            ):
                self.feed(events.OnsetHeard())
            if not microphone.live:
                await self.sent_most()
            elif watch.is_silent(pcm):
                self.feed(events.MicSilent())
            if microphone.clips and not clips:
                clips = True
                self.feed(events.MicClips())
            self.exchange.check()

    async def sent_most(self) -> None:
        """What is no live voice can wait for the network, and loses nothing."""
        await trio.lowlevel.checkpoint()
        uplink = self.exchange.uplink
        while uplink.unsent > STALE_SAMPLES // 2:
            uplink.was_sent = trio.Event()
            await uplink.was_sent.wait()

    async def playback(self) -> None:
        """One voice after the other; the report of its end is outside of its scope, and given once."""
        if self.speaker is None and self.edges.another_speaker is not None:
            self.nursery.start_soon(self.speaker_back, None)
        while True:
            voice: Voice | None = None
            with trio.move_on_after(IDLE_CHECK_S if self.edges.another_speaker else math.inf):
                voice = await self.voices.receive()
            lost: DeviceLost | SoundUnavailable | None = None
            try:
                if voice is not None:
                    await self.say(voice)
                elif self.speaker is not None:
                    await self.speaker.drain()
            except (DeviceLost, SoundUnavailable) as gone:
                lost = gone
            if voice is not None:
                del self.voice_of[voice.item_id]
                self.feed(events.PlaybackEnded(voice.item_id, voice.heard))
            if lost is not None:
                await self.replace_speaker(lost)

    async def say(self, voice: Voice) -> None:
        """To its end, on as many loudspeakers as that takes, or until it is hushed or there is none."""
        with voice.scope:
            while self.speaker is not None:
                start = self.speaker.handed() - voice.heard
                try:
                    await self.sound(voice, self.speaker, start)
                    return
                except (DeviceLost, SoundUnavailable) as gone:
                    voice.advance(max(voice.heard, self.speaker.heard() - start))
                    await self.replace_speaker(gone)
        if voice.scope.cancel_called and self.speaker is not None:
            self.speaker.flush()
            try:
                # A few ms, until the device has said where it fell silent.
                await self.speaker.drain()
            finally:
                voice.advance(max(voice.heard, self.speaker.heard() - start))

    async def sound(self, voice: Voice, speaker: Speaker, start: int) -> None:
        """What was not heard of it yet. The voice's first sample is `start` of the speaker's own count."""
        told = voice.heard
        pcm = bytes(voice.unheard)
        self.jitter.began()
        with suppress(trio.EndOfChannel):
            while True:
                for offset in range(0, len(pcm), HANDED_BYTES):
                    await speaker.play(chunk := pcm[offset : offset + HANDED_BYTES])
                    self.edges.gauge.sounded(chunk)
                    voice.advance(speaker.heard() - start)
                    if voice.heard - told >= ADVANCE_SAMPLES:
                        told = voice.heard
                        self.feed(events.PlaybackAdvanced(voice.item_id, voice.heard))
                pcm = await self.more_of(voice, speaker)
                voice.unheard += pcm
        await speaker.drain()
        voice.advance(speaker.heard() - start)
        self.jitter.ended(voice.heard * 1000 // SAMPLE_RATE)

    async def more_of(self, voice: Voice, speaker: Speaker) -> bytes:
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
            self.jitter.arrived(left_ms)
            return pcm
        if not begins:
            self.jitter.starved(-left_ms)
            self.feed(events.VoiceStarved(voice.item_id, -left_ms, self.jitter.wait_ms))
        if self.jitter.wait_ms:
            wanted, more = self.jitter.wait_ms * SAMPLE_RATE // 1000 * 2, pcm
            with trio.move_on_after(self.jitter.wait_ms / 1000), suppress(trio.EndOfChannel):
                # What came last is for the time until the next comes.
                while len(pcm) < wanted + min(wanted, len(more)):
                    more = await voice.chunks.receive()
                    pcm += more
        return pcm

    async def replace_speaker(self, lost: DeviceLost | SoundUnavailable) -> None:
        """Another loudspeaker goes on at once with what sounds; or it is read, until there is one."""
        another, before = self.edges.another_speaker, self.speaker
        if another is not None:
            with trio.move_on_after(REPLACED_S):
                self.speaker, name = await another(before, getattr(lost, "moved_to", None))
                self.set_gain()
                self.feed(events.SpeakerBack(name, instead=lost.reason))
                return
        self.speaker = None
        self.feed(events.SpeakerLost(lost.reason))  # first: what is not heard of this answer is read
        for voice in self.voice_of.values():
            voice.scope.cancel()
        if another is not None:
            self.nursery.start_soon(self.speaker_back, before)

    async def speaker_back(self, lost: Speaker | None) -> None:
        assert self.edges.another_speaker is not None
        await self.listening.wait()
        self.speaker, name = await self.edges.another_speaker(lost, None)
        self.set_gain()
        self.feed(events.SpeakerBack(name))

    def set_gain(self) -> None:
        if self.speaker is not None:
            self.speaker.fade_to(DUCKED_GAIN if self.state.lowered else 1.0)

    async def command(self) -> None:
        """What the user types and does, and timers."""
        await self.listening.wait()
        while True:
            # Both: what is not taken is there for the conversation behind this one.
            await self.in_turn()
            event = await self.edges.commands.receive()
            await self.in_turn()
            self.feed(event)

    async def in_turn(self) -> None:
        while self.edges.in_turn and not (self.state.quiet() or self.state.questions):
            self.became_quiet = trio.Event()
            await self.became_quiet.wait()

    async def announce(self, text: str, voice: Voice) -> None:
        with voice.to_sound:
            if self.edges.announcer is not None:
                async with aclosing(self.edges.announcer(text)) as chunks:
                    async for pcm in chunks:
                        voice.to_sound.send_nowait(pcm)

    async def call_tool(self, call: CallTool) -> None:
        output = CANCELLED
        with self.tool_scopes[call.call_id]:
            output = await self.edges.tools.run(call.name, call.arguments)
        del self.tool_scopes[call.call_id]
        self.feed(events.ToolEnded(call.call_id, output))

    async def run_errand(self, errand: RunErrand) -> None:
        if self.edges.errand is not None:
            self.feed(await self.edges.errand(errand.name, errand.argument))

    def voice(self, item_id: str) -> Voice:
        """The voice of an item, queued for playback when it is first named."""
        voice = self.voice_of.get(item_id)
        if voice is None:
            voice = Voice(item_id, *trio.open_memory_channel[bytes](math.inf))
            self.voice_of[item_id] = voice
            self.to_play.send_nowait(voice)
        return voice

    def set_alarm(self, effect: SetAlarm | ClearAlarm) -> None:
        previous = self.alarms.pop(effect.name, None)
        if previous is not None:
            previous.cancel()
        if isinstance(effect, SetAlarm):
            scope = self.alarms[effect.name] = trio.CancelScope()
            self.nursery.start_soon(self.alarm, effect, scope)

    async def alarm(self, effect: SetAlarm, scope: trio.CancelScope) -> None:
        with scope:
            await trio.sleep_until(self.began + effect.at_us / 1_000_000)
        if not scope.cancel_called:
            self.feed(events.AlarmRang(effect.name))
