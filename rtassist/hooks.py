"""Commands that are run when something has happened in a conversation (`--exec EVENT=COMMAND`).

Each gets one JSON object on its stdin, and may do with it what it likes: nobody waits for it. All objects
have `event` and `time`, the local time as ISO 8601 with its zone. Beside these:

    session.started   nothing: the session stands
    session.ended     outcome (over, restart, link lost, refused, no realtime, interrupted), message
    turn.done         role (user, assistant), text, cut, unsaid: a line of the conversation is over;
                      `unsaid` is what an interruption cut off, `cut` whether one did
    interrupted       text, unsaid: the same of an answer that was cut off
    response.done     id, status, usage: as the server told it, null where it did not
    tool.done         id, name, arguments, output, duration_ms; arguments and output are text

A command is a program and its arguments, as a shell would split them, and no shell reads it. It runs in a
session of its own, with the environment but for the keys. It has ten seconds; four run at once, a hundred
wait. What it prints is thrown away; that it failed is told once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Final

import attrs
import trio
from attrs import define, field

from rtassist.dialogue import events
from rtassist.dialogue.effects import CallTool, Effect, LineEnded, Listen, Quit, Show
from rtassist.protocol import UNSET, ResponseDone, Usage
from rtassist.setting_tools import Hook
from rtassist.settings import KEY_VARIABLES, Settings

LIMIT_S: Final = 10.0
AT_ONCE: Final = 4
MOST_WAITING: Final = 100
GRACE_S: Final = 1.0
"""What is left at the end of the program has this long: nobody waits longer for a prompt."""

Fields = dict[str, Any]  # JSON
Note = Callable[[int, events.Event | Effect], None]


@define
class Account:
    """What happened, as hooks are told it: of one run, whose conversations follow each other."""

    _calls: dict[str, tuple[CallTool, int]] = field(factory=dict)
    _open: bool = False

    def told(self, us: int, what: events.Event | Effect) -> Iterator[Fields]:
        """The objects that follow from what passes a conversation's door, without their time."""
        match what:
            case Listen():
                self._open = True
                yield {"event": "session.started"}
            case Quit(outcome=outcome, message=message):
                self._open = False
                yield {"event": "session.ended", "outcome": outcome.value, "message": message}
            case Show(what=LineEnded(role=role, text=text, cut=cut, unsaid=unsaid)) if text or cut:
                yield {"event": "turn.done", "role": role, "text": text, "cut": cut, "unsaid": unsaid}
                if cut:
                    yield {"event": "interrupted", "text": text, "unsaid": unsaid}
            case events.ServerSaid(event=ResponseDone(response=response)):
                usage = _plain(response.usage) if isinstance(response.usage, Usage) else None
                yield {
                    "event": "response.done",
                    "id": response.id or None,
                    "status": response.status or None,
                    "usage": usage,
                }
            case CallTool(call_id=call_id):
                self._calls[call_id] = what, us
            case events.ToolEnded(call_id=call_id, output=output) if call_id in self._calls:
                call, began_us = self._calls.pop(call_id)
                yield {
                    "event": "tool.done",
                    "id": call_id,
                    "name": call.name,
                    "arguments": call.arguments,
                    "output": output,
                    "duration_ms": (us - began_us) // 1000,
                }

    def broken_off(self) -> Iterator[Fields]:
        """The program ends in the middle of a conversation."""
        if self._open:
            self._open = False
            yield {"event": "session.ended", "outcome": "interrupted", "message": ""}


def _plain(usage: Usage) -> Fields:
    """The counts that the server gave."""
    return attrs.asdict(usage, filter=lambda field, value: field.name != "extras" and value is not UNSET)


def to_both(first: Note, second: Note, us: int, what: events.Event | Effect) -> None:
    first(us, what)
    second(us, what)


@asynccontextmanager
async def hooked(settings: Settings, tell: Callable[[str], None]) -> AsyncIterator[Note]:
    """`running`, with the hooks of the settings, here and now."""
    environ = {name: value for name, value in os.environ.items() if name not in KEY_VARIABLES}
    async with running(settings.hooks, environ, tell, lambda: datetime.now().astimezone()) as note:
        yield note


@asynccontextmanager
async def running(
    hooks: Sequence[Hook],
    environ: Mapping[str, str],
    tell: Callable[[str], None],
    now: Callable[[], datetime],
) -> AsyncIterator[Note]:
    """What is to be called with all that passes a conversation's door; it never waits.

    Leaving gives what still runs one second, and then ends it; cancelled or not. `tell` gets a sentence for
    the user, once for each command that fails.
    """
    if not hooks:
        yield lambda us, what: None
        return
    to_run, waiting = trio.open_memory_channel[tuple[Hook, bytes]](MOST_WAITING)
    account, runner = Account(), Runner(environ, tell)

    def start(told: Iterator[Fields]) -> None:
        for fields in told:
            payload = json.dumps(fields | {"time": now().isoformat()}, ensure_ascii=True).encode() + b"\n"
            for hook in hooks:
                if hook.event == fields["event"]:
                    try:
                        to_run.send_nowait((hook, payload))
                    except trio.WouldBlock:
                        runner.failed(hook, "it is too slow, and some of what happens is left out")

    scopes = [trio.CancelScope(shield=True) for _ in range(AT_ONCE)]
    async with trio.open_nursery() as workers:
        for scope in scopes:
            workers.start_soon(runner.work, waiting.clone(), scope)
        waiting.close()
        try:
            yield lambda us, what: start(account.told(us, what))
        finally:
            start(account.broken_off())
            to_run.close()
            for scope in scopes:
                scope.deadline = trio.current_time() + GRACE_S


@define
class Runner:
    _environ: Mapping[str, str]
    _tell: Callable[[str], None]
    _failed: set[Hook] = field(factory=set)

    async def work(
        self, waiting: trio.MemoryReceiveChannel[tuple[Hook, bytes]], scope: trio.CancelScope
    ) -> None:
        """Until there is no more to come, or `scope`, shielded against all else, is over."""
        with scope:
            async for hook, payload in waiting:
                await self.run(hook, payload)

    def failed(self, hook: Hook, why: str) -> None:
        if hook not in self._failed:
            self._failed.add(hook)
            self._tell(f"--exec {hook.event}={hook.command[0]}: {why}. It is not told again.")

    async def run(self, hook: Hook, payload: bytes) -> None:
        with tempfile.TemporaryFile() as errors, trio.move_on_after(LIMIT_S) as limit:
            try:
                ended = await trio.run_process(
                    hook.command,
                    stdin=payload,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    check=False,
                    env=dict(self._environ),
                    start_new_session=True,
                    deliver_cancel=_kill,
                )
            except OSError as error:
                self.failed(hook, f"it cannot be run: {(error.strerror or str(error)).lower()}")
                return
            if ended.returncode:
                self.failed(hook, f"it ended with {ended.returncode}{_last_line(errors)}")
        if limit.cancelled_caught:
            self.failed(hook, f"it took longer than {LIMIT_S:g} seconds and was ended")


async def _kill(process: trio.Process) -> None:
    """With all that it started, where it leads a session of its own."""
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _last_line(errors: Any) -> str:
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - 1000))
    lines = errors.read().decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f" ({last[:120]})" if last else ""
