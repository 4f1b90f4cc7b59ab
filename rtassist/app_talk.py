"""Puts the parts together for conversations, one after the other."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, redirect_stdout
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import trio

from rtassist import errors
from rtassist.announcing import announcer
from rtassist.converse import converse
from rtassist.dialogue import events
from rtassist.dialogue.effects import Outcome, Quit
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.terms import Turn
from rtassist.edges import Edges
from rtassist.errands import Errands, goes_on_with
from rtassist.front import Front, front_for
from rtassist.gauge import Gauge
from rtassist.hooks import Note, hooked, to_both
from rtassist.link import profiles
from rtassist.link.address import parse_address
from rtassist.link.websocket import connect
from rtassist.offering import Offer
from rtassist.recording import Recording, recorded, secrets_of
from rtassist.settings import Settings
from rtassist.sound import (
    Missing,
    echo_for,
    echo_sentences,
    held_microphone,
    held_speaker,
    next_device,
    put_to_use,
)
from rtassist.terminal.screen import OutputClosed
from rtassist.terminal.streams import drop, say
from rtassist.terms import terms_for
from rtassist.typed import Typed, typing
from rtassist.watching import Watch

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_FAILURES: dict[Outcome, type[errors.Failure]] = {
    Outcome.LINK_LOST: errors.LinkFailed,
    Outcome.REFUSED: errors.Refused,
    Outcome.NO_REALTIME: errors.NoRealtime,
}


async def talk(
    settings: Settings,
    offered: Offer,
    history: tuple[Turn, ...] = (),
    tracer: Tracer | None = None,
) -> int:
    """Hold conversations until one ends that is not to be begun again. The first goes on with `history`."""
    secrets = secrets_of(settings)
    code = errors.EXIT_OK
    with (
        front_for(settings, os.environ) as front,
        recorded(settings, front.screen.show, say) as recording,
        redirect_stdout(sys.stderr),  # what an own tool prints is not part of the conversation
    ):
        front.screen.session = recording.name
        try:
            async with front.screen.opened(), hooked(settings, front.screen.notice) as observe:
                run = Run(front, offered, observe, Used(trio.current_time(), tracer))
                quit_ = await conversations(settings, run, recording, history)
        except* OutputClosed:
            drop(front.out)
            quit_, code = Quit(), errors.EXIT_OUTPUT_CLOSED
    if quit_.outcome in _FAILURES:
        raise _FAILURES[quit_.outcome](errors.foreign_text(quit_.message, secrets, limit=1000))
    return code


@attrs.define
class Used:
    """What the earlier conversations of a run have used of its limits, from `began_s` on; and who sees it."""

    began_s: float
    tracer: Tracer | None = None
    usd: Decimal = Decimal(0)

    def ended(self, state: Conversation) -> None:
        self.usd += state.spending.usd


@attrs.frozen
class Run:
    """What the conversations of one run of the program have in common."""

    front: Front
    offered: Offer
    observe: Note
    used: Used


async def conversations(
    settings: Settings, run: Run, recording: Recording, history: tuple[Turn, ...]
) -> Quit:
    """One, and another whenever one ends to be begun again; how the last one ended."""
    screen = run.front.screen
    missing = Missing()
    if settings.embedded:
        from rtassist.embedded import deaf, mute

        settings = put_to_use(settings, missing, deaf=deaf(settings), mute=mute(settings))
    echo = echo_for(settings)
    async with (
        _together(
            endpoint(settings, screen.notice),
            held_microphone(settings, missing, echo),
            held_speaker(settings, missing, echo),
            run.offered.opened(screen.notice),
        ) as (address, heard, spoken, offered),
        typing(run.front) as typed,
    ):
        run = attrs.evolve(run, offered=offered)
        told = missing.sentences()
        if heard.device is not None and spoken.device is not None:
            told += echo_sentences(settings, echo)
        if settings.resume is not None:
            told += [goes_on_with(settings, history)]
        for sentence in told:
            screen.notice(sentence)
        errands = Errands(settings, recording, heard, spoken, history)
        while True:
            model = settings.model
            settings, history = errands.begin()
            if settings.model != model:
                address = attrs.evolve(address, url=profiles.address(address.url, settings.model, over=True))
            try:
                quit_ = await hold(settings, run, address, errands, typed, history)
            finally:  # also in the middle of a line, when Ctrl-C ends it
                screen.close()
            if (goes_on := errands.again(quit_)) is None:
                return quit_
            screen.notice(goes_on)


@attrs.frozen
class Endpoint:
    """Where to connect. `truncates` as in a profile."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    truncates: bool = True


@asynccontextmanager
async def endpoint(settings: Settings, tell: Callable[[str], None]) -> AsyncIterator[Endpoint]:
    """The server of the settings, or our own, which runs as long as this is open."""
    if not settings.embedded:
        yield remote(settings)
        return
    from rtassist.embedded import embedded  # with its recogniser and all; a far server needs none of it

    if not settings.offline:
        tell(
            "No key is set: this is the embedded server, a stand-in without a language model. "
            "Set OPENAI_API_KEY to talk to OpenAI."
        )
    async with embedded(settings) as own_url:
        yield Endpoint(profiles.address(own_url, settings.model))


async def hold(
    settings: Settings,
    run: Run,
    address: Endpoint,
    errands: Errands,
    typed: Typed,
    history: tuple[Turn, ...],
) -> Quit:
    """One conversation, that knows what was said in an earlier one."""
    front, offered, used = run.front, run.offered, run.used
    heard, spoken, recording = errands.heard, errands.spoken, errands.recording
    dial = partial(connect, address.url, headers=address.headers, deadline_s=settings.timeout_s)
    async with dial() as link, trio.open_nursery() as nursery:
        tools = offered.toolbox(
            nursery,
            lambda label: typed.to_commands.send_nowait(events.TimerDue(label)),
            lambda: recording.notes,
        )
        terms = terms_for(
            settings,
            offered.definitions(tools),
            asks=tools.asking,
            cancels=tools.cancelled,
            voiced=spoken.comes_back or spoken.device is not None,
            speaker_there=spoken.device is not None,
            microphone=heard.comes_back or heard.device is not None,
            microphone_there=heard.device is not None,
            microphone_ends=heard.device is not None and not heard.device.live,
            keyboard=typed.there,
            greeting=front.greeting(settings, heard.device),
            history=history,
            truncates=address.truncates,
            spent_usd=used.usd,
            lasted_ms=round(1000 * (trio.current_time() - used.began_s)),
        )
        watch = Watch(
            terms,
            note=partial(to_both, front.noting(recording.begin(terms)), run.observe),
            tell=front.screen.notice,
            debug=settings.debug,
            tracer=used.tracer,
            server="itself" if settings.embedded else parse_address(settings.url).authority,
        )

        def ended(state: Conversation) -> None:
            used.ended(state)
            errands.leave((*terms.history, *state.history), state.limits.text_rate)

        edges = Edges(
            link=link,
            another_link=dial,
            microphone=heard.device,
            speaker=spoken.device,
            another_microphone=partial(next_device, heard) if heard.comes_back else None,
            another_speaker=partial(next_device, spoken) if spoken.comes_back else None,
            commands=typed.commands,
            tools=tools,
            show=front.screen.show,
            errand=errands.run,
            prefer=errands.prefer,
            gauge=Gauge(front.stands),
            announcer=announcer,
            ended=ended,
            in_turn=not sys.stdin.isatty(),
            note=watch.saw,
        )
        try:
            quit_ = await converse(terms, edges)
        finally:
            watch.over()
        nursery.cancel_scope.cancel()
    return quit_


def remote(settings: Settings) -> Endpoint:
    """The server of the settings, and the headers with the key and what else it wants."""
    key = None if settings.api_key is None else settings.api_key.reveal()
    given = [(name, value.reveal()) for name, value in settings.headers]
    return Endpoint(
        profiles.address(settings.url, settings.model),
        profiles.headers(settings.url, key, given),
        truncates=profiles.profile_for(settings.url).truncates,
    )


@asynccontextmanager
async def _together(*openings: AbstractAsyncContextManager[Any]) -> AsyncIterator[list[Any]]:
    """Enter several context managers at the same time, each in a task of its own, and leave them so."""
    opened: list[Any] = [None] * len(openings)
    done = trio.Event()

    async def keep(index: int, opening: AbstractAsyncContextManager[Any], task_status: Any) -> None:
        async with opening as opened[index]:
            task_status.started()
            await done.wait()

    async with trio.open_nursery() as keepers:
        async with trio.open_nursery() as starters:
            for index, opening in enumerate(openings):
                starters.start_soon(keepers.start, partial(keep, index, opening))
        try:
            yield opened
        finally:
            done.set()
