"""Puts the parts together for each command: the only file that knows them all."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, redirect_stdout
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import trio

from rtassist import errors
from rtassist.announcing import announcer
from rtassist.audio import Microphone, Speaker
from rtassist.converse import converse
from rtassist.dialogue import events
from rtassist.dialogue.effects import Outcome, Quit
from rtassist.dialogue.state import Conversation, Turn
from rtassist.edges import Edges
from rtassist.front import Front, front_for
from rtassist.gauge import Gauge
from rtassist.hooks import Note, hooked, to_both
from rtassist.link import profiles
from rtassist.link.address import parse_address
from rtassist.link.websocket import connect
from rtassist.logs import logged
from rtassist.offering import Offer, offer
from rtassist.recording import Recording, recorded, secrets_of
from rtassist.running import run
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
from rtassist.tracing import tracing
from rtassist.watching import Watch

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from rtassist.audio.held import Held
    from rtassist.doctor.consult import Plan

_FAILURES: dict[Outcome, type[errors.Failure]] = {
    Outcome.LINK_LOST: errors.LinkFailed,
    Outcome.REFUSED: errors.Refused,
    Outcome.NO_REALTIME: errors.NoRealtime,
}


def run_talk(settings: Settings) -> int:
    """`rtassist talk`: the exit code of a conversation. Raises errors.Failure."""
    history: tuple[Turn, ...] = ()
    offered = offer(settings)
    if settings.resume is not None:
        from rtassist.shelf import resumed  # and all that it takes to read a recording

        settings, history = resumed(settings)
    with logged(settings.log_level, secrets_of(settings)), tracing(settings.otel, os.environ) as tracer:
        return run(partial(talk, settings, offered, history, tracer))


def run_serve(settings: Settings) -> int:
    """`rtassist serve`: runs until a signal. Raises errors.Failure."""
    from rtassist.embedded import serve_others

    with logged(settings.log_level, secrets_of(settings)):
        return run(partial(serve_others, settings, say))


def run_devices(*, as_json: bool) -> int:
    """`rtassist devices`. Raises errors.SoundUnavailable."""
    return run(partial(list_devices, as_json))


def run_doctor(
    settings: Settings,
    problems: Sequence[str],
    *,
    connect: bool | None,
    sound: bool,
    stress_minutes: float | None,
    as_json: bool,
) -> int:
    """`rtassist doctor`: 0 when no check failed, else 1. `problems`: what is wrong with the settings that
    were meant, in whose place `settings` are the defaults. The rest is as in `consult.Plan`.
    """
    from rtassist.doctor.consult import Plan

    plan = Plan(connect=connect, sound=sound, stress_minutes=stress_minutes, as_json=as_json)
    return run(partial(examine, settings, problems, plan))


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
                used = Used(trio.current_time(), tracer)
                quit_ = await conversations(settings, front, recording, history, offered, observe, used)
        except* OutputClosed:
            drop(front.out)
            quit_, code = Quit(), errors.EXIT_OUTPUT_CLOSED
    if quit_.outcome in _FAILURES:
        raise _FAILURES[quit_.outcome](errors.foreign_text(quit_.message, secrets, limit=1000))
    return code


async def conversations(
    settings: Settings,
    front: Front,
    recording: Recording,
    history: tuple[Turn, ...],
    offered: Offer,
    observe: Note,
    used: Used,
) -> Quit:
    """One, and another whenever one ends to be begun again; how the last one ended."""
    screen = front.screen
    missing = Missing()
    if settings.embedded:
        from rtassist.embedded import deaf, mute

        settings = put_to_use(settings, missing, deaf=deaf(settings), mute=mute(settings))
    echo = echo_for(settings)
    async with _together(
        endpoint(settings, screen.notice),
        held_microphone(settings, missing, echo),
        held_speaker(settings, missing, echo),
        offered.opened(screen.notice),
    ) as (address, heard, spoken, offered):
        told = missing.sentences()
        if heard.device is not None and spoken.device is not None:
            told += echo_sentences(settings, echo)
        if settings.resume is not None:
            told += [f"This goes on with {settings.resume}: {len(history)} of its lines are known."]
        for sentence in told:
            screen.notice(sentence)
        while True:
            try:
                quit_ = await hold(
                    settings,
                    front,
                    recording,
                    address,
                    heard,
                    spoken,
                    history,
                    offered=offered,
                    observe=observe,
                    used=used,
                )
            finally:  # also in the middle of a line, when Ctrl-C ends it
                screen.close()
            if quit_.outcome is not Outcome.RESTART:
                return quit_
            screen.notice("A new conversation.")
            history = ()


async def list_devices(as_json: bool) -> int:
    """Print the microphones and loudspeakers that there are."""
    from rtassist.audio import SoundUnavailable, listing
    from rtassist.audio.microphone import devices

    try:
        found = await devices()
    except SoundUnavailable as unavailable:
        raise errors.SoundUnavailable(unavailable.message) from None
    if as_json:
        told = json.dumps(listing.values(found), ensure_ascii=False, indent=2)
    else:
        told = "\n".join(listing.lines(found, shutil.get_terminal_size().columns))
    try:
        print(told, flush=True)
    except BrokenPipeError:
        drop(sys.stdout)
        return errors.EXIT_OUTPUT_CLOSED
    return errors.EXIT_OK


async def examine(settings: Settings, problems: Sequence[str], plan: Plan) -> int:
    """Look at everything that a conversation needs."""
    from rtassist.doctor.consult import Server, consult
    from rtassist.embedded import deaf, mute

    @asynccontextmanager
    async def session() -> AsyncIterator[None]:
        without_sound = attrs.evolve(settings, text=True)
        async with (
            endpoint(without_sound, lambda _: None) as address,
            connect(address.url, headers=address.headers, deadline_s=settings.timeout_s),
        ):
            yield

    where = "rtassist's own server" if settings.embedded else parse_address(settings.url).authority
    server = Server(where=where, opening=session, deaf=deaf(settings), mute=mute(settings))
    code = errors.EXIT_OUTPUT_CLOSED
    try:
        code = await consult(settings, problems, plan, server)
    except* BrokenPipeError:
        drop(sys.stdout)
    return code


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


@attrs.define
class Used:
    """What the earlier conversations of a run have used of its limits, from `began_s` on; and who sees it."""

    began_s: float
    tracer: Tracer | None = None
    usd: Decimal = Decimal(0)

    def ended(self, state: Conversation) -> None:
        self.usd += state.spending.usd


async def hold(
    settings: Settings,
    front: Front,
    recording: Recording,
    address: Endpoint,
    heard: Held[Microphone],
    spoken: Held[Speaker],
    history: tuple[Turn, ...] = (),
    *,
    offered: Offer,
    observe: Note,
    used: Used,
) -> Quit:
    """One conversation over one connection, that knows what was said in an earlier one."""
    to_commands, commands = trio.open_memory_channel[events.Event](math.inf)
    dial = partial(connect, address.url, headers=address.headers, deadline_s=settings.timeout_s)
    async with dial() as link, trio.open_nursery() as nursery:
        tools = offered.toolbox(
            nursery,
            lambda label: to_commands.send_nowait(events.TimerDue(label)),
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
            keyboard=front.typed,
            greeting=front.greeting(settings, heard.device),
            history=history,
            truncates=address.truncates,
            spent_usd=used.usd,
            lasted_ms=round(1000 * (trio.current_time() - used.began_s)),
        )
        if front.typed:
            nursery.start_soon(front.press, to_commands)
        watch = Watch(
            terms,
            note=partial(to_both, front.noting(recording.begin(terms)), observe),
            tell=front.screen.notice,
            debug=settings.debug,
            tracer=used.tracer,
            server="itself" if settings.embedded else parse_address(settings.url).authority,
        )
        edges = Edges(
            link=link,
            another_link=dial,
            microphone=heard.device,
            speaker=spoken.device,
            another_microphone=partial(next_device, heard) if heard.comes_back else None,
            another_speaker=partial(next_device, spoken) if spoken.comes_back else None,
            commands=commands,
            tools=tools,
            show=front.screen.show,
            gauge=Gauge(front.stands),
            announcer=announcer,
            ended=used.ended,
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
