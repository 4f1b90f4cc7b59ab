"""All checks together: which are made, in which order they are told, and how it ends."""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

import trio
from attrs import frozen

from rtassist import __version__
from rtassist.config_file import config_path
from rtassist.doctor import checks, report, server_checks
from rtassist.doctor.advice import advise
from rtassist.doctor.examine import Examination, Found, examine
from rtassist.doctor.report import Check
from rtassist.recording import sessions_folder
from rtassist.settings import Settings
from rtassist.terminal.screen import style_for
from rtassist.terminal.streams import say

SOUND_S = 60.0
"""Opening twice at 4 s each, 9 s of chirps, 6 s of a voice; each of these ends by itself."""
THREAD_S = 15.0
"""The import of livekit takes 0.5 s, from a cold and busy disk ten times that."""
HANGS = "look whether a disk or a network folder hangs."
HANGS_SOUND = "restart the sound server."


@frozen(kw_only=True)
class Plan:
    """What may be done. `connect` None: only when a key or a URL is set. `stress_minutes` None: the devices
    are measured instead."""

    connect: bool | None
    sound: bool
    stress_minutes: float | None
    as_json: bool


@frozen(kw_only=True)
class Server:
    """The server of the settings. `deaf`, `mute`: what our own lacks, as a sentence each."""

    where: str
    opening: Callable[[], AbstractAsyncContextManager[object]]
    deaf: str
    mute: str


async def consult(settings: Settings, problems: Sequence[str], plan: Plan, server: Server) -> int:
    """Make the checks and print them; 1 when one failed, else 0. Raises OSError when nobody reads."""
    width = shutil.get_terminal_size().columns
    style = style_for(sys.stdout, sys.stdin, os.environ, plain=settings.plain)

    def told(check: Check) -> None:
        if not plan.as_json:
            print("\n".join(report.lines(check, width, colour=style.colour)), flush=True)

    def announce(text: str) -> None:
        say("\n".join(report.note(text, width)))

    offline = [
        Examination(id="python", deadline_s=THREAD_S, run=partial(_at_once, checks.this_python)),
        Examination(id="packages", deadline_s=THREAD_S, run=partial(_packages, settings), cure=HANGS),
        Examination(id="folders", deadline_s=THREAD_S, run=partial(_folders, problems), cure=HANGS),
        Examination(
            id="terminal",
            deadline_s=THREAD_S,
            run=partial(
                _at_once,
                partial(checks.terminal, sys.stdin, sys.stdout, width, os.environ, colour=style.colour),
            ),
        ),
    ]
    online = Examination(
        id="endpoint",
        deadline_s=settings.timeout_s + 5,
        run=partial(_server, settings, problems, plan, server, announce),
        cure="look at the network.",
    )
    found = await examine([*offline, online, *_sound(settings, plan, announce)], told)
    advice = advise(found, echo=settings.echo)
    if plan.as_json:
        print(report.as_json(__version__, found, advice), flush=True)
    else:
        print("\n".join(report.conclusion(found, advice, width)), flush=True)
    return 1 if report.failed(found) else 0


async def _at_once(check: Callable[[], Check], found: Found) -> None:
    found(check())


async def _packages(settings: Settings, found: Found) -> None:
    def look() -> list[Check]:
        version_of = checks.installed_version
        own = "" if settings.embedded else "not needed for the server that is set"
        headphones = settings.echo in ("off", "headphones")
        plain = f"not needed with --echo {settings.echo}" if headphones else ""
        return [
            checks.packages(checks.own_requirements(), version_of),
            checks.extra("offline", "Own server's ears and voice", version_of, own),
            _runs(checks.extra("aec", "Echo cancellation", version_of, plain)),
        ]

    for check in await trio.to_thread.run_sync(look, abandon_on_cancel=True):
        found(check)


def _runs(aec: Check) -> Check:
    """Installed is one thing: its library has to load on this machine too."""
    from rtassist.audio.echo import canceller

    if checks.installed_version("livekit") is None or canceller() is not None:
        return aec
    return Check(
        id="aec",
        state="warning",
        summary=f"{aec.summary}, which does not run here",
        cure="pip install --force-reinstall livekit, or say --echo headphones and wear some.",
        values=aec.values,
    )


async def _folders(problems: Sequence[str], found: Found) -> None:
    config = config_path(os.environ)
    found(checks.settings(problems, config))
    recordings = sessions_folder()
    found(await trio.to_thread.run_sync(checks.folders, recordings, config.parent, abandon_on_cancel=True))


async def _server(
    settings: Settings,
    problems: Sequence[str],
    plan: Plan,
    server: Server,
    announce: Callable[[str], None],
    found: Found,
) -> None:
    if problems:
        found(server_checks.not_connected("not tried with wrong settings"))
        return
    found(server_checks.key(settings))
    if plan.connect is False:
        found(server_checks.not_connected(f"{server.where} is not tried (--no-connect)"))
    elif plan.connect or not settings.embedded:
        found(await server_checks.endpoint(server.where, server.opening, announce))
    else:
        found(server_checks.not_connected(f"{server.where} is not tried (--connect does)"))
    if settings.embedded:
        found(server_checks.embedded(server.deaf, server.mute))


def _sound(settings: Settings, plan: Plan, announce: Callable[[str], None]) -> list[Examination]:
    if not plan.sound or settings.text:
        why = "--no-sound" if not plan.sound else str(settings.source("text"))
        check = Check(id="sound", state="skipped", summary=f"Sound: nothing is tried ({why})")
        return [Examination(id="sound", deadline_s=1, run=partial(_at_once, lambda: check))]
    if plan.stress_minutes is None:
        return [
            Examination(
                id="sound", deadline_s=SOUND_S, run=partial(_measured, settings, announce), cure=HANGS_SOUND
            )
        ]
    return [
        Examination(
            id="stress",
            deadline_s=plan.stress_minutes * 60 + SOUND_S,
            run=partial(_stressed, settings, plan.stress_minutes, announce),
            cure=HANGS_SOUND,
        )
    ]


async def _measured(settings: Settings, announce: Callable[[str], None], found: Found) -> None:
    from rtassist.doctor.sound_checks import sound

    await sound(
        settings.mic,
        settings.speaker,
        cancelling=settings.echo in ("auto", "on"),
        environ=os.environ,
        announce=announce,
        found=found,
    )


async def _stressed(
    settings: Settings, minutes: float, announce: Callable[[str], None], found: Found
) -> None:
    from rtassist.doctor.stress import stress
    from rtassist.sound import echo_for

    await stress(
        settings.mic,
        settings.speaker,
        echo=echo_for(settings),
        minutes=minutes,
        announce=announce,
        progress=_progress,
        found=found,
    )


def _progress(text: str) -> None:
    """A line that is written over; for a person alone."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
