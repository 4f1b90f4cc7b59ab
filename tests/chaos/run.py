"""One conversation over a bad network in virtual time, and what is found wrong with it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, cast, get_args

import trio
import trio.testing
from attrs import define, field
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection

from rtassist.converse import converse
from rtassist.dialogue import effects, events
from rtassist.dialogue.effects import Effect, Outcome, Quit
from rtassist.dialogue.step import begin, step
from rtassist.edges import Edges
from rtassist.errors import CannotConnect, Failure, Refused
from rtassist.link.address import Address
from rtassist.link.websocket import Link, over
from rtassist.protocol import FunctionTool
from rtassist.server.serve import Options, Server
from rtassist.sessions import showing
from rtassist.sessions.journal import Journal
from rtassist.sessions.properties import Monitor
from rtassist.sessions.replay import Different, replay
from rtassist.settings import Settings
from rtassist.terms import terms_for
from tests.chaos.parts import Mouth, Thinker, Tools, WatchedSpeaker, parts, spoken, texts_of
from tests.chaos.pipes import pair
from tests.chaos.plan import FINAL, Act, Plan
from tests.chaos.proxy import Proxy
from tests.chaos.sequence import Sequence

UNIX_S: Final = 1_800_000_000
HERE: Final = Address(host="127.0.0.1", port=9, secure=False, resource="/v1/realtime?model=any")
DEADLINE_S: Final = 900.0
"""Virtual. Two minutes are the longest gap that is waited out, and there may be several."""
QUIET_S: Final = 400.0
SETTLED_S: Final = 2.0
DIALLED_S: Final = 10.0
SWALLOW: Final = {"slow up", "half-close up"}
"""Behind these the server has not heard what was sent, and for more than a second says nothing of it."""
LAST: Final = "These are the last words."
LOOK_UP: Final = FunctionTool(
    name="look_up", description="Looks something up.", parameters={"type": "object"}
)
EVENTS: Final = frozenset(get_args(events.Event))


class Broken(AssertionError):  # noqa: N818 - what is wrong with the program, named for what it is
    """What was promised and does not hold, with the seed that shows it.

    What is typed is never lost. What is said is, where the user was told so, and where a network that took
    it and did not bring it broke off: nobody knows how much was still under way, and a second is said again.
    """


@define
class Outcomes:
    """What came of one run."""

    seed: int
    quit: Quit | None = None
    connections: int = 0
    failed_starts: int = 0
    played: list[str] = field(factory=list)
    said: list[str] = field(factory=list)
    """The sentences of the user."""
    lost: list[str] = field(factory=list)
    """Those that the last model was not told."""
    taken_back: set[str] = field(factory=set)
    """Those that the user did not want to be heard to their end."""
    dropped: bool = False
    """The user was told that something that was said is lost."""
    crossed: int = 0
    """Requests for a response that the server refused since it was making one, to a turn that had not been
    told when it was asked (see `sequence`)."""
    checks: Counter[str] = field(factory=Counter)
    lines: int = 0
    virtual_s: float = 0.0
    notices: list[str] = field(factory=list)


def run(plan: Plan, *, say: bool = False) -> Outcomes:
    """Hold it. Raises Broken for whatever is not as promised, and names the seed."""
    settle(plan.seed)
    world = World(plan, say=say)
    try:
        trio.run(world.hold, clock=trio.testing.MockClock(autojump_threshold=0))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise Broken(f"seed {plan.seed}: {_first_line(error)}; {world.where()}") from error
    world.judge()
    return world.found


def settle(seed: int) -> None:
    """Make trio wake tasks of one moment in an order that the seed decides, as it lets Hypothesis do."""
    trio._core._run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc]  # it is there to be set
    trio._core._run._r.seed(seed)


def _first_line(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__} {error}".strip().splitlines()[0]


class World:
    """The client, its user, its devices, the servers, and what lies between."""

    def __init__(self, plan: Plan, *, say: bool = False) -> None:
        self.plan = plan
        self.found = Outcomes(plan.seed)
        self._say = say
        self._chance = random.Random(f"{plan.seed} network")
        self._thinker = Thinker(plan.thinks_s)
        self._doing = "nothing"
        self._terms = terms_for(
            Settings(),
            (LOOK_UP,),
            voiced=True,
            microphone=plan.microphone,
            microphone_ends=False,
            keyboard=True,
            greeting="",
        )
        self._afresh()

    def _afresh(self) -> None:
        """Nothing of a conversation has happened."""
        self._state = begin(self._terms)
        self._monitor = Monitor(self._terms)
        self._sequence = Sequence(hears=self.plan.microphone)
        self._lines: list[bytes] = []
        self._journal = Journal(line=self._lines.append, mic=_drop, voice=_drop)

    def where(self) -> str:
        return f"at {self.found.virtual_s:.1f} s, {self._doing}, after {self.found.played}"

    async def hold(self) -> None:
        self._server = Server(
            Options(
                max_sessions=1000,
                expires_after_s=self.plan.lasts_s,
                faster_than_real_time=self.plan.faster,
                seed=self.plan.seed,
                unix_s=self._unix_s,
            ),
            parts(self._thinker),
            0,
        )
        try:
            with trio.fail_after(DEADLINE_S):
                async with trio.open_nursery() as self._outside:
                    await self._begin()
                    self._doing = "it is over"
                    self._outside.cancel_scope.cancel()
        finally:
            self.found.virtual_s = trio.current_time()

    def _unix_s(self) -> float:
        return UNIX_S + trio.current_time()

    async def _begin(self) -> None:
        """As a user does whose first attempt fails: it is tried again."""
        while not self._state.link.sessions:
            self._afresh()
            try:
                async with self._dial() as link:
                    await self._converse(link)
            except Failure as failure:
                self.found.notices.append(failure.message)
            self.found.failed_starts += not self._state.link.sessions

    async def _converse(self, link: Link) -> None:
        send, receive = trio.open_memory_channel[events.Event](100)
        mouth = Mouth() if self.plan.microphone else None
        edges = Edges(
            link=link,
            another_link=self._dial,
            unix_s=self._unix_s,
            chance=self._chance.random,
            microphone=mouth,
            speaker=WatchedSpeaker(self._monitor),
            commands=receive,
            tools=Tools(self.plan.tool_s),
            show=self._show,
            note=self._note,
        )
        self._journal.header(id="chaos", started="2026-11-22T00:00:00.000Z", program="chaos")
        self._journal.begin(0, self._terms)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._act, send, mouth)
            self.found.quit = await converse(self._terms, edges)
            nursery.cancel_scope.cancel()
        self._monitor.settle()
        self._journal.end(0)

    @asynccontextmanager
    async def _dial(self) -> AsyncIterator[Link]:
        trouble = self.plan.trouble(self.found.connections)
        self.found.connections += 1
        deadline = trio.current_time() + DIALLED_S
        if trouble.refusal in ("unreachable", "busy"):
            await trio.sleep(0.1)
            if trouble.refusal == "busy":
                raise Refused("The server has too much to do.", code="session_limit_reached")
            raise CannotConnect("127.0.0.1:9 cannot be reached: connection refused.")
        if trouble.refusal:
            ours, theirs = pair()
            self._outside.start_soon(refuse, trouble.refusal, theirs)
            async with over(ours, HERE, deadline=deadline) as link:
                yield link
            return
        proxy = Proxy(trouble, self._chance)
        self.found.played = [*self.found.played, "|"]
        proxy.played = self.found.played
        self._outside.start_soon(self._server.accept, proxy.far)
        self._outside.start_soon(proxy.run)
        async with over(proxy.near, HERE, deadline=deadline) as link:
            yield link

    async def _act(self, send: trio.MemorySendChannel[events.Event], mouth: Mouth | None) -> None:
        """What the user does, and at the end one more question, whose answer tells what the model knows."""
        for act in self.plan.acts:
            self._doing = f"before {act}"
            await trio.sleep(act.after_s)
            await self._do(act, send, mouth)
        self._doing = "waiting for quiet"
        await self._until_quiet()
        for _ in range(5):  # the answer may be lost, and after that it is asked for once more only
            asked = len(self._thinker.asked)
            self._doing = "the last words"
            await send.send(events.Typed(LAST))
            await trio.sleep(1)
            await self._until_quiet()
            if any(LAST in str(texts_of(ask.items)) for ask in self._thinker.asked[asked:]):
                break
        await send.send(events.Typed("/quit"))

    async def _do(self, act: Act, send: trio.MemorySendChannel[events.Event], mouth: Mouth | None) -> None:
        if act.kind == "type":
            if act.text in ("/mute", "/pause"):  # what is being said is taken back
                known = [turn.text for turn in self._state.history]
                self.found.taken_back |= {text for text in self.found.said if text not in str(known)}
            await send.send(events.Typed(act.text))
            if act.number:
                self.found.said.append(act.text)
        elif act.kind == "speak" and mouth is not None:
            mouth.say(act.number)
            self.found.said.append(spoken(act.number))
            await mouth.said()

    async def _until_quiet(self) -> None:
        """Nothing is outstanding, for longer than the server needs to notice that the user has spoken."""
        with trio.fail_after(QUIET_S):
            quiet_s = 0.0
            while quiet_s < SETTLED_S:
                await trio.sleep(0.25)
                quiet_s = quiet_s + 0.25 if self._state.quiet() else 0.0

    def judge(self) -> None:
        """Raises Broken for what was promised and does not hold."""
        found = self.found
        assert found.quit is not None
        found.checks = self._monitor.checks
        found.lines = len(self._lines)
        asked = [texts_of(ask.items) for ask in self._thinker.asked]
        known = next((str(told) for told in reversed(asked) if LAST in str(told)), "")
        found.lost = [text for text in found.said if text not in known and text not in found.taken_back]
        may_end = any(kind in FINAL for kind in found.played)
        wrong = []
        if found.quit.outcome is not Outcome.OVER and not may_end:
            wrong.append(f"it ended with {found.quit}")
        told = (found.quit.message, *found.notices)
        wrong += [f"{text!r} is no line for a user" for text in told if not text.isprintable()]
        if found.quit.outcome is Outcome.OVER and not known:
            wrong.append("the last words were never answered")
        bounded = found.dropped or not SWALLOW.isdisjoint(found.played)
        typed = [text for text in found.lost if "sentence" not in text]
        if found.quit.outcome is Outcome.OVER and known and (typed or (found.lost and not bounded)):
            wrong.append(f"{found.lost} of {found.said} are lost: the model knows {known}")
        found.crossed = self._sequence.crossed
        wrong += self._sequence.wrong
        if self._monitor.breaks:
            wrong.append(f"{len(self._monitor.breaks)} breaks, the first is {self._monitor.breaks[0]}")
        result = replay(self._lines)
        if isinstance(result, Different):
            wrong.append("it replays differently: " + " / ".join(showing.diff(result.difference)))
        elif result.notes:
            wrong.append(f"it replays with notes: {result.notes}")
        if wrong:
            raise Broken(f"seed {found.seed}: {'; '.join(wrong)}; {self.where()}")

    def _show(self, shown: effects.Shown) -> None:
        if isinstance(shown, effects.Notice) and shown.level != "debug":
            self.found.notices.append(shown.text)
            if self._say:
                print(f"{trio.current_time():8.2f}  {shown.text}")

    def _note(self, now_us: int, what: events.Event | Effect) -> None:
        self._monitor.note(now_us, what)
        self._sequence.note(now_us, what)
        self._journal.note(now_us, what)
        if type(what) in EVENTS:
            self._state, _ = step(self._state, now_us, cast(events.Event, what))
        if isinstance(what, events.UplinkDropped):
            self.found.dropped = True


def _drop(pcm: bytes) -> None:
    """The sound is not kept."""


async def refuse(how: str, stream: trio.abc.Stream) -> None:
    """A server that no conversation comes about with."""
    page = b"<html><body>Please log in to the network.</body></html>"
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        async with stream:
            if how == "eof":
                return
            request = await stream.receive_some()
            if how == "page":
                await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page))
            elif how == "half an upgrade":
                await stream.send_all(b"HTTP/1.1 101 Switching Pro")
            elif how == "no session":
                protocol = WSConnection(ConnectionType.SERVER)
                protocol.receive_data(bytes(request))
                list(protocol.events())
                await stream.send_all(protocol.send(AcceptConnection()))
            if how in ("silent", "no session"):
                while await stream.receive_some():
                    pass
