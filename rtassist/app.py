"""Puts the parts together for each command: the only file that knows them all."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import attrs
import trio

from rtassist import errors, tasks
from rtassist.audio import Microphone, Speaker
from rtassist.converse import converse
from rtassist.dialogue import events
from rtassist.dialogue.effects import Outcome, Quit
from rtassist.dialogue.state import Turn
from rtassist.edges import Edges
from rtassist.link.address import parse_address
from rtassist.link.websocket import connect
from rtassist.recording import Recording, recorded
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
from rtassist.terminal import keyboard
from rtassist.terminal.screen import OutputClosed, Screen, style_for
from rtassist.terminal.streams import drop, say
from rtassist.terms import terms_for
from rtassist.tools.builtin import clock, timer
from rtassist.tools.registry import Toolbox

if TYPE_CHECKING:
    from rtassist.audio.held import Held
    from rtassist.doctor.consult import Plan

EXIT_OUTPUT_CLOSED = 141
"""As shells report a program that wrote into a pipe that nobody reads: 128 + SIGPIPE."""
_FAILURES: dict[Outcome, type[errors.Failure]] = {
    Outcome.LINK_LOST: errors.LinkFailed,
    Outcome.REFUSED: errors.Refused,
    Outcome.NO_REALTIME: errors.NoRealtime,
}


def run_talk(settings: Settings) -> int:
    """`rtassist talk`: the exit code of a conversation. Raises errors.Failure."""
    history: tuple[Turn, ...] = ()
    if settings.resume is not None:
        from rtassist.shelf import resumed  # and all that it takes to read a recording

        settings, history = resumed(settings)
    return run(partial(talk, settings, history))


def run_serve(settings: Settings) -> int:
    """`rtassist serve`: runs until a signal. Raises errors.Failure."""
    from rtassist.embedded import serve_others

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


def run(command: Callable[[], Awaitable[int]], clock: trio.abc.Clock | None = None) -> int:
    """The exit code of a command. Raises what it raises; of several failures one, by itself."""
    try:
        return trio.run(until_signal, command, clock=clock)
    except BaseExceptionGroup as group:
        raise _told(group) from None


def _told(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one failure that the user is to hear of; a bug anywhere in the group is never hidden behind it."""
    leaves = list(_leaves(group))
    failures = [leaf for leaf in leaves if isinstance(leaf, errors.Failure | KeyboardInterrupt)]
    return failures[0] if failures and len(failures) == len(leaves) else group


def _leaves(error: BaseException) -> Any:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


async def until_signal(command: Callable[[], Awaitable[int]]) -> int:
    """Run `command`; a signal cancels it, and when everything in it has ended, its code is 128 + signal.

    The second signal tells what has not ended yet, and ends the program where it stands.
    """
    wanted = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP"):
        wanted.append(signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in wanted}
    code = 0

    async def watch(nursery: trio.Nursery, task_status: trio.TaskStatus[None]) -> None:
        nonlocal code
        with trio.open_signal_receiver(*wanted) as signals:
            task_status.started()
            code = 128 + await anext(aiter(signals))
        for number in wanted:
            signal.signal(number, _leave_at_once)
        nursery.cancel_scope.cancel()
        if sys.stderr.isatty():
            print(file=sys.stderr)  # the shell's prompt is not to stand behind the ^C

    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(watch, nursery))
            code = await command()
            nursery.cancel_scope.cancel()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code


def _leave_at_once(number: int, frame: object) -> NoReturn:
    """The user does not want to wait any more: say for what it would have been, and leave all as it is."""
    with suppress(OSError, ValueError):
        told = ["rtassist: left at once. What had not ended:", *tasks.tree(trio.lowlevel.current_root_task())]
        print("\n".join(told), file=sys.stderr, flush=True)
    os._exit(128 + number)


async def talk(settings: Settings, history: tuple[Turn, ...] = ()) -> int:
    """Hold conversations until one ends that is not to be begun again. The first goes on with `history`."""
    typed = None if settings.mic == "-" else sys.stdin
    out = sys.stderr if settings.speaker == "-" else sys.stdout
    style = style_for(out, typed, os.environ, plain=settings.plain)
    if settings.text and not (typed and typed.isatty()):
        style = attrs.evolve(style, names=False)
    secrets = [settings.api_key.reveal()] if settings.api_key else []
    screen = Screen(out, sys.stderr, style, secrets)
    code = errors.EXIT_OK
    with recorded(settings, screen.show, say) as recording:
        try:
            quit_ = await conversations(settings, screen, recording, typed is not None, history)
        except* OutputClosed:
            drop(out)
            quit_, code = Quit(), EXIT_OUTPUT_CLOSED
    if quit_.outcome in _FAILURES:
        raise _FAILURES[quit_.outcome](errors.foreign_text(quit_.message, secrets, limit=1000))
    return code


async def conversations(
    settings: Settings,
    screen: Screen,
    recording: Recording,
    keyboard_there: bool,
    history: tuple[Turn, ...],
) -> Quit:
    """One, and another whenever one ends to be begun again; how the last one ended."""
    missing = Missing()
    if settings.embedded:
        from rtassist.embedded import deaf, mute

        settings = put_to_use(settings, missing, deaf=deaf(settings), mute=mute(settings))
    echo = echo_for(settings)
    async with _together(
        endpoint(settings, screen.notice),
        held_microphone(settings, missing, echo),
        held_speaker(settings, missing, echo),
    ) as (address, heard, spoken):
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
                    settings, screen, recording, address, heard, spoken, keyboard_there, history
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
        return EXIT_OUTPUT_CLOSED
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
    code = EXIT_OUTPUT_CLOSED
    try:
        code = await consult(settings, problems, plan, server)
    except* BrokenPipeError:
        drop(sys.stdout)
    return code


@attrs.frozen
class Endpoint:
    """Where to connect."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()


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
        yield Endpoint(with_model(own_url, settings.model))


async def hold(
    settings: Settings,
    screen: Screen,
    recording: Recording,
    address: Endpoint,
    heard: Held[Microphone],
    spoken: Held[Speaker],
    keyboard_there: bool,
    history: tuple[Turn, ...] = (),
) -> Quit:
    """One conversation over one connection, that knows what was said in an earlier one."""
    to_commands, commands = trio.open_memory_channel[events.Event](math.inf)
    dial = partial(connect, address.url, headers=address.headers, deadline_s=settings.timeout_s)
    async with dial() as link, trio.open_nursery() as nursery:
        tools = Toolbox(
            (
                clock(lambda: datetime.now().astimezone()),
                timer(nursery, lambda label: to_commands.send_nowait(events.TimerDue(label))),
            )
        )
        terms = terms_for(
            settings,
            tools.definitions,
            voiced=spoken.comes_back or spoken.device is not None,
            speaker_there=spoken.device is not None,
            microphone=heard.comes_back or heard.device is not None,
            microphone_there=heard.device is not None,
            microphone_ends=heard.device is not None and not heard.device.live,
            keyboard=keyboard_there,
            greeting=greeting(settings, heard.device),
            history=history,
        )
        if keyboard_there:
            nursery.start_soon(type_lines, to_commands, screen)
        edges = Edges(
            link=link,
            another_link=dial,
            microphone=heard.device,
            speaker=spoken.device,
            another_microphone=partial(next_device, heard) if heard.comes_back else None,
            another_speaker=partial(next_device, spoken) if spoken.comes_back else None,
            commands=commands,
            tools=tools,
            show=screen.show,
            in_turn=not sys.stdin.isatty(),
            note=recording.begin(terms),
        )
        quit_ = await converse(terms, edges)
        nursery.cancel_scope.cancel()
    return quit_


def remote(settings: Settings) -> Endpoint:
    """The server of the settings, and the header with the key."""
    headers: tuple[tuple[str, str], ...] = ()
    if settings.api_key is not None:
        headers = (("Authorization", f"Bearer {settings.api_key.reveal()}"),)
    return Endpoint(with_model(settings.url, settings.model), headers)


def with_model(url: str, model: str) -> str:
    """The model is chosen when connecting; one that stands in the URL already is left alone."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    query.setdefault("model", model)
    return urlunsplit(parts._replace(query=urlencode(query)))


def greeting(settings: Settings, heard: Microphone | None) -> str:
    """What to do now, for a person at a terminal; a pipe needs no invitation."""
    if heard is not None and heard.live:
        how = "Press Enter to talk, and again when you are done" if settings.ptt else "Speak"
        return f"{how}. Enter interrupts the answer, /help lists the commands, Ctrl-C leaves."
    return "Type. /help lists the commands, Ctrl-C leaves." if sys.stdin.isatty() and heard is None else ""


async def type_lines(to_commands: trio.MemorySendChannel[events.Event], screen: Screen) -> None:
    """What is typed, as events. The end of what a person types (Ctrl-D) means that the person leaves."""
    terminal = sys.stdin.isatty()
    async with aclosing(keyboard.lines(sys.stdin)) as lines:
        async for line in lines:
            if terminal:
                screen.line_typed()
            await to_commands.send(events.Typed(line))
    await to_commands.send(events.Typed("/quit") if terminal else events.TypingEnded())


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
