"""Puts the parts together for each command: the only file that knows them all."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import attrs

from rtassist import errors
from rtassist.app_talk import endpoint, talk
from rtassist.dialogue.terms import Turn
from rtassist.link.address import parse_address
from rtassist.link.websocket import connect
from rtassist.logs import logged
from rtassist.offering import offer
from rtassist.recording import secrets_of
from rtassist.running import run
from rtassist.settings import Settings
from rtassist.terminal.streams import drop, say
from rtassist.tracing import tracing

if TYPE_CHECKING:
    from rtassist.doctor.consult import Plan


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
