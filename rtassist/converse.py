"""The ring around the decision: five tasks, one door.

    microphone ── capture ─┐                              ┌─ send ────── server
    server ────── receive ─┼─► feed ─► step ─► perform ───┼─ playback ── loudspeaker
    keys, timers  command ─┘    (noted)                   └─ tools, alarms, screen

capture, send and receive, and playback are in the files of these names (`exchange` has both directions).

Every task brings what happened to `feed`, which notes it, decides it and performs the effects without a
single await, so that events cannot interleave. `perform` starts, stops or queues; it never waits and never
feeds. What is decided is in `dialogue`; what things are is behind the edges that are passed in.
"""

from __future__ import annotations

from collections import defaultdict

import trio

from rtassist.capture import Capture
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
from rtassist.dialogue.step import begin, step
from rtassist.dialogue.terms import Terms
from rtassist.dialogue.wording import error
from rtassist.edges import Edges
from rtassist.exchange import Exchange
from rtassist.playback import Playback

CANCELLED = error("the user said stop, and it was cancelled")


async def converse(terms: Terms, edges: Edges) -> Quit:
    """Hold one conversation over an open link and say how it ended.

    Everything that was started here has ended when this returns or raises, cancellation included. Devices
    and link stay open: they belong to the caller.
    """
    async with trio.open_nursery() as nursery:
        ring = Ring(terms, edges, nursery)
        for task in (ring.capture.run, ring.exchange.run, ring.playback.run, ring.command):
            nursery.start_soon(task)
    edges.ended(ring.state)
    return ring.quit


class Ring:
    def __init__(self, terms: Terms, edges: Edges, nursery: trio.Nursery) -> None:
        self.edges = edges
        self.nursery = nursery
        self.state = begin(terms)
        self.began = trio.current_time()
        self.listening = trio.Event()
        self.exchange = Exchange(edges, self.feed, self.now_us, nursery)
        self.capture = Capture(edges, self.feed, lambda: self.state, self.listening, self.exchange)
        self.playback = Playback(edges, self.feed, self.listening, nursery)
        self.alarms: dict[str, trio.CancelScope] = {}
        self.tool_scopes: defaultdict[str, trio.CancelScope] = defaultdict(trio.CancelScope)
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
                self.playback.play(effect.item_id, effect.pcm)
            case Finish():
                self.playback.finish(effect.item_id)
            case Hush():
                self.playback.hush(effect.item_id)
            case Duck() | Unduck():
                self.playback.lower(self.state.lowered)
            case Announce():
                self.playback.announce(effect.item_id, effect.text)
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
                self.exchange.keep(effect)
            case Deliver():
                self.exchange.deliver()
            case Dial():
                self.exchange.dial()
            case Switch():
                self.exchange.switch()
            case Quit():
                self.quit = effect
                self.nursery.cancel_scope.cancel()

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

    async def call_tool(self, call: CallTool) -> None:
        output = CANCELLED
        with self.tool_scopes[call.call_id]:
            output = await self.edges.tools.run(call.name, call.arguments)
        del self.tool_scopes[call.call_id]
        self.feed(events.ToolEnded(call.call_id, output))

    async def run_errand(self, errand: RunErrand) -> None:
        if self.edges.errand is not None:
            self.feed(await self.edges.errand(errand.name, errand.argument))

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
