"""What the screen costs, and how soon a word that the server has written stands on it."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TextIO

import trio

from bench.figures import Figure
from bench.program import PATIENCE_S, environ, loopback, start, stop
from bench.row import CannotDo, Row, Samples
from rtassist.dialogue.effects import Awaited, LineEnded, Role, Said
from rtassist.dialogue.state import Conversation, Sound, Utterance
from rtassist.dialogue.terms import Terms
from rtassist.gauge import Gauge
from rtassist.protocol import Session

TALK: Final = ("-m", "rtassist", "talk", "--no-record", "--text")
WORDS: Final = 60
BETWEEN_S: Final = 0.04
CHUNKS: Final = 50
"""Of either direction, a second."""
WORDS_A_SECOND: Final = 5
"""Two people who speak at once speak so fast."""
TURN_WORDS: Final = 25
USER: Final[Role] = "user"
ASSISTANT: Final[Role] = "assistant"
CPU, LATENCY = "a minute of conversation", "the server sends a word → it is on the screen"


class Reader:
    """Reads what is drawn, as a terminal does, and notes when each word of `word` came first."""

    def __init__(self, terminal: int) -> None:
        self.came_s: dict[str, float] = {}
        self.bytes = 0
        self._terminal = terminal
        self._tail = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def join(self) -> None:
        self._thread.join(PATIENCE_S)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._terminal, 65536)
            except OSError:
                return
            now_s = time.monotonic()
            self.bytes += len(data)
            self._tail = self._tail[-20:] + data
            for word in re.findall(rb"word\d{4}", self._tail):
                self.came_s.setdefault(word.decode(), now_s)


@contextmanager
def drawn_on(columns: int = 80, lines: int = 24) -> Iterator[tuple[int, Reader]]:
    """A terminal for a program, and who reads it."""
    if sys.platform == "win32":
        raise CannotDo("there are no pseudo-terminals")
    import fcntl
    import pty
    import struct
    import termios

    outside, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    reader = Reader(outside)
    try:
        yield inside, reader
    finally:
        os.close(inside)
        reader.join()
        os.close(outside)


@contextmanager
def streams(terminal: int) -> Iterator[tuple[TextIO, TextIO]]:
    with (
        open(os.dup(terminal), "w", encoding="utf-8") as out,
        open(os.dup(terminal), encoding="utf-8") as typed,
    ):
        yield out, typed


def _once(contender: str, quick: bool) -> Samples:
    environ()
    return {CPU: [trio.run(cpu_percent, 3.0 if quick else 20.0)], LATENCY: trio.run(words_ms, TALK)}


async def words_ms(program: Sequence[str], count: int = WORDS) -> list[float]:
    """A server of this process writes an answer word by word, faster than anybody speaks."""
    with drawn_on() as (inside, reader):
        async with loopback() as server:
            talk = (*program, "--url", server.url)
            process = start(*talk, stdin=inside, stdout=inside, more={"TERM": "xterm-256color"})
            try:
                await server.first("session.update")
                response = {"id": "resp_1", "status": "in_progress", "output": []}
                await server.say("response.created", response=response)
                item = {"id": "item_1", "type": "message", "role": "assistant", "content": []}
                await server.say(
                    "response.output_item.added", response_id="resp_1", output_index=0, item=item
                )
                place = {"response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0}
                sent_s = {}
                for number in range(count):
                    word = f"word{number:04}"
                    sent_s[word] = time.monotonic()
                    await server.say("response.output_text.delta", delta=f"{word} ", **place)
                    await trio.sleep(BETWEEN_S)
                with trio.fail_after(PATIENCE_S):
                    while len(reader.came_s) < count:  # noqa: ASYNC110 (a thread reads)
                        await trio.sleep(0.01)
            finally:
                stop(process)
    return [1000 * (reader.came_s[word] - sent_s[word]) for word in sent_s]


async def cpu_percent(seconds: float) -> float:
    """The time that this thread works, beside the clock's: both voices have a level, words come, and nothing
    else is here than the screen and who tells it."""
    from rtassist.terminal.live import Live
    from rtassist.terminal.sheet import Look
    from rtassist.terminal.tty import Tty

    with (
        drawn_on() as (inside, _),
        streams(inside) as (out, typed),
    ):
        screen = Live(Tty(out, typed, None), Look(), clock=str)
        async with screen.opened():
            gauge = Gauge(screen.stands)
            gauge.follow(SPEAKING, 0)
            busy_s, began_s = time.thread_time(), time.monotonic()
            for number in range(round(seconds * WORDS_A_SECOND)):
                for _ in range(CHUNKS // WORDS_A_SECOND):
                    gauge.heard(LEVELS[number % len(LEVELS)])
                    gauge.sounded(LEVELS[number % len(LEVELS)])
                _say(screen.show, number)
                due_s = began_s + (number + 1) / WORDS_A_SECOND
                await trio.sleep(max(0.0, due_s - time.monotonic()))
            return 100 * (time.thread_time() - busy_s) / (time.monotonic() - began_s)


def _say(show: Callable[[Awaited | Said | LineEnded], None], number: int) -> None:
    """The next word; a line of the user's and one of the assistant's grow in turns."""
    turn, place = divmod(number, 2 * TURN_WORDS)
    user, assistant = f"U{turn}", f"A{turn}"
    if place % 2:
        show(Said(assistant, "assistant", f" word{number:04}"))
    else:
        show(Said(user, "user", f" word{number:04}"))
    if place == 2 * TURN_WORDS - 1:
        first = turn * 2 * TURN_WORDS
        for item, role, start_at in ((user, USER, 0), (assistant, ASSISTANT, 1)):
            words = (f"word{first + n:04}" for n in range(start_at, 2 * TURN_WORDS, 2))
            show(LineEnded(item, role, " ".join(words)))


SPEAKING: Final = Conversation(
    terms=Terms(session=Session(type="realtime")),
    ready=True,
    utterances={"A1": Utterance(item_id="A1", response_id="R1", sound=Sound.SOUNDING)},
)
LEVELS: Final = tuple(
    b"".join((sample * (1 + level)).to_bytes(2, "little", signed=True) for sample in range(-240, 240))
    for level in (0, 3, 9, 20, 60, 30, 5)
)

ROWS: Final = (
    Row(
        name="screen",
        measures="The server on this machine writes a word of an answer → a terminal has read it; and what "
        "the screen takes of a core while both voices have a level that moves and five words a second come.",
        figures=(
            Figure(name=CPU, unit="% of a core", limit=2),
            Figure(name=LATENCY, unit="ms", limit=50),
        ),
        once=_once,
        rounds=3,
        quick_rounds=1,
    ),
)
