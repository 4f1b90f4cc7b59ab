"""Records a conversation while it is held, from a thread of its own: no disk can hold up what is said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Final, Literal

from attrs import frozen

from rtassist.dialogue.terms import Terms
from rtassist.sessions.files import Opener, Spill, Track, private, sound_path
from rtassist.sessions.journal import Journal, Note, gap_line

BACKLOG_BYTES: Final = 16 << 20
"""What may wait for the disk: five minutes of the assistant's voice, which may come all at once."""
CLOSE_S: Final = 1.0
"""How long the end of the program waits for the disk. The last lines take a few ms when it is not stuck."""

_Stream = Literal["line", "mic", "voice"]


@frozen
class _Piece:
    """A line, or samples of a track."""

    stream: _Stream
    data: bytes


@frozen
class _Lost:
    """What had no room in the backlog; `us`: the time of the last of the lines."""

    lines: int
    us: int
    mic_samples: int
    voice_samples: int


class Recorder:
    """What is written of one run of the program. `note` takes microseconds and waits for nothing.

    All methods belong to one thread. `warn` is called there, once at most, from within `note` or `close`,
    when the disk is full or too slow: the recording has a gap then, and goes on when the disk does.
    """

    def __init__(
        self,
        path: Path,
        *,
        about: Mapping[str, object],
        warn: Callable[[str], None],
        secrets: Sequence[str] = (),
        audio: bool = True,
        clock: Callable[[], float] = time.perf_counter,
        backlog_bytes: int = BACKLOG_BYTES,
        opener: Opener = private,
    ) -> None:
        """Makes the file `path`; raises OSError. `about`: what the header says. `clock`: seconds."""
        self.path = path
        self._warn = warn
        self._warned = False
        self._clock = clock
        self._began_s = clock()
        self._backlog = _Backlog(backlog_bytes)
        self._writer = _Writer(path, self._backlog, opener, audio=audio)
        self._thread = threading.Thread(target=self._writer.run, name="recorder", daemon=True)
        put = self._backlog.put
        self._journal = Journal(
            line=lambda line: put("line", line),
            mic=lambda pcm: put("mic", pcm),
            voice=lambda pcm: put("voice", pcm),
            secrets=secrets,
        )
        self._journal.header(**about)
        self._thread.start()

    def begin(self, terms: Terms) -> None:
        """A conversation begins now; its notes count from here."""
        self._journal.begin(self._now_us(), terms)

    def note(self, now_us: int, what: Note) -> None:
        """An event before it is decided, or an effect; `now_us` since `begin`."""
        self._journal.note(now_us, what)
        if self._trouble and not self._warned:
            self._tell(" The conversation goes on.")

    def close(self) -> None:
        """Write what is left, and wait for the disk for CLOSE_S at most. Raises what the writer died of, if
        that was a bug.
        """
        self._journal.end(self._now_us())
        self._backlog.end()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            self._writer.trouble = self._writer.trouble or "the disk does not answer"
        if self._trouble and not self._warned:
            self._tell("")
        if self._writer.bug is not None:
            raise self._writer.bug

    @property
    def _trouble(self) -> str:
        return self._writer.trouble or self._backlog.trouble

    def _tell(self, and_now: str) -> None:
        self._warned = True
        self._warn(f"The recording is not complete: {self._trouble}.{and_now}")

    def _now_us(self) -> int:
        return round((self._clock() - self._began_s) * 1_000_000)


class _Backlog:
    """What waits for the writer, in its order. Past its limit everything is dropped, until half has gone."""

    def __init__(self, limit_bytes: int) -> None:
        self.pieces: SimpleQueue[_Piece | _Lost | None] = SimpleQueue()
        self.trouble = ""
        self.done_bytes = 0  # counted by the writer alone, as `_put_bytes` by the other side: no lock
        self._put_bytes = 0
        self._limit_bytes = limit_bytes
        self._dropping = False
        self._lost = dict.fromkeys(("line", "mic", "voice"), 0)
        self._lost_us = 0

    def put(self, stream: _Stream, data: bytes) -> None:
        waiting = self._put_bytes - self.done_bytes
        if waiting + len(data) > (self._limit_bytes // 2 if self._dropping else self._limit_bytes):
            self._drop(stream, data)
            return
        if self._dropping:
            self._tell_lost()
        self._put_bytes += len(data)
        self.pieces.put(_Piece(stream, data))

    def end(self) -> None:
        if self._dropping:
            self._tell_lost()
        self.pieces.put(None)

    def _drop(self, stream: _Stream, data: bytes) -> None:
        self._dropping = True
        self.trouble = "the disk is too slow"
        if stream == "line":
            self._lost["line"] += 1
            self._lost_us = _us_of(data)
        else:
            self._lost[stream] += len(data) // 2

    def _tell_lost(self) -> None:
        lines, mic, voice = self._lost.values()
        self.pieces.put(_Lost(lines, self._lost_us, mic, voice))
        self._lost = dict.fromkeys(self._lost, 0)
        self._dropping = False


class _Writer:
    """The thread's side. `trouble`: why something is missing; `bug`: what should not have happened."""

    def __init__(self, path: Path, backlog: _Backlog, opener: Opener, *, audio: bool) -> None:
        self.trouble = ""
        self.bug: BaseException | None = None
        self._backlog = backlog
        self._lines = Spill(path, opener)
        self._lost_lines = self._lost_us = 0
        self._tracks: dict[_Stream, Track] = {}
        if audio:
            self._tracks["mic"] = Track(sound_path(path, "mic"), opener)
            self._tracks["voice"] = Track(sound_path(path, "voice"), opener)

    def run(self) -> None:
        try:
            while (piece := self._backlog.pieces.get()) is not None:
                self._take(piece)
            self._write_gap()
        except BaseException as bug:
            self.bug, self.trouble = bug, "what writes it has failed"
        files: tuple[Track | Spill, ...] = (*self._tracks.values(), self._lines)
        for file in files:
            file.close()
            self._note_trouble(file)

    def _take(self, piece: _Piece | _Lost) -> None:
        if isinstance(piece, _Lost):
            self._lost_lines += piece.lines
            self._lost_us = piece.us
            for stream, samples in (("mic", piece.mic_samples), ("voice", piece.voice_samples)):
                if stream in self._tracks:
                    self._tracks[stream].skip(samples)
            return
        if piece.stream == "line":
            self._write_line(piece.data)
        elif piece.stream in self._tracks:
            track = self._tracks[piece.stream]
            track.write(piece.data)
            self._note_trouble(track)
        self._backlog.done_bytes += len(piece.data)

    def _write_line(self, line: bytes) -> None:
        self._write_gap()
        if self._lines.settled():
            self._lines.write(line)
        else:
            self._lost_lines += 1
            self._lost_us = _us_of(line)
        self._note_trouble(self._lines)

    def _write_gap(self) -> None:
        if self._lost_lines and self._lines.settled():
            self._lines.write(gap_line(self._lost_us, self._lost_lines))
            self._lost_lines = 0

    def _note_trouble(self, file: Spill | Track) -> None:
        if file.trouble is not None and not self.trouble:
            self.trouble = (getattr(file.trouble, "strerror", None) or str(file.trouble)).lower()


def _us_of(line: bytes) -> int:
    """The time of a line as Journal writes it: `{"us":12,…`."""
    return int(line[6 : line.index(b",")])
