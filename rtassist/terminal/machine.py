"""The conversation for machines: one JSON object a line, each with `at_ms`, the milliseconds since the
conversation began, and `type`.

    begin         program: its version; version: of this format, 1
    state         state: connecting, reconnecting, listening, hearing you, thinking, speaking, writing,
                  ready, muted, paused
    words         role: user or assistant; item; words: what goes on at the end of its line. Those of a voice
                  come as they are heard
    line          role, item, text: a line is over; typed: true where it was typed; interrupted: true where
                  not all of it was heard
    interrupted   item; heard; unheard: the words that were made and not heard. Goes before its line
    notice        level: info, reply (to a command) or warning; text
    layout        name: timestamps or compact; on: true, false, or null: the other way than before
    tool_call     call, name, arguments: an object, or a string that is no JSON
    tool_result   call, output: text
    usage         response, status, input_tokens, output_tokens, total_tokens, and the details that a server
                  gives with them: input_token_details, output_token_details
    end           outcome: over, restart, go on, link lost, refused, no realtime; message

A later version may add types and fields; what is here keeps its meaning. After `end` with the outcome
`restart` or `go on` another `begin` comes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from rtassist import __version__
from rtassist.dialogue import effects, events
from rtassist.dialogue.doing import Standing
from rtassist.errors import Failure, without_secrets
from rtassist.protocol import ResponseDone, encode
from rtassist.terminal.screen import OutputClosed

VERSION = 1


class Machine:
    """Writes what passes the door of a conversation to `out`, line by line, at once.

    Raises OutputClosed when nobody reads it any more, and Failure when it cannot be written.
    """

    def __init__(self, out: TextIO, secrets: Sequence[str] = ()) -> None:
        self._out = out
        self._secrets = tuple(secrets)
        self._at_ms = 0

    def begin(self) -> None:
        self._at_ms = 0
        self._write("begin", program=__version__, version=VERSION)

    def note(self, now_us: int, what: events.Event | effects.Effect) -> None:
        """As the recorder's: each event, then each effect of it."""
        self._at_ms = now_us // 1000
        match what:
            case effects.Show(shown):
                self._shown(shown)
            case effects.CallTool(call_id, name, arguments):
                self._write("tool_call", call=call_id, name=name, arguments=_parsed(arguments))
            case events.ToolEnded(call_id, output):
                self._write("tool_result", call=call_id, output=output)
            case events.ServerSaid(ResponseDone() as done):
                self._used(done)
            case effects.Quit(outcome, message):
                self._write("end", outcome=outcome.value, message=without_secrets(message, self._secrets))

    def stands(self, standing: Callable[[], Standing]) -> None:
        self._write("state", state=standing().doing.value)

    def _shown(self, shown: effects.Shown) -> None:
        match shown:
            case effects.Said(item, role, words):
                self._write("words", role=role, item=item, words=words)
            case effects.LineEnded(item, role, text, cut, unsaid, typed):
                if cut:
                    self._write("interrupted", item=item, heard=text, unheard=unsaid.strip())
                if text:
                    more = {"typed": True} if typed else {"interrupted": True} if cut else {}
                    self._write("line", role=role, item=item, text=text, **more)
            case effects.Layout(name, on):
                self._write("layout", name=name, on=on)
            case effects.Notice(text, level) if level != "debug":
                self._write("notice", level=level, text=without_secrets(text, self._secrets))

    def _used(self, done: ResponseDone) -> None:
        response = json.loads(encode(done))["response"]
        if response.get("usage"):
            self._write(
                "usage", response=response.get("id"), status=response.get("status"), **response["usage"]
            )

    def _write(self, kind: str, **fields: Any) -> None:
        line = json.dumps({"at_ms": self._at_ms, "type": kind, **fields}, ensure_ascii=False)
        try:
            self._out.write(f"{line}\n")
            self._out.flush()
        except BrokenPipeError:
            raise OutputClosed from None
        except OSError as error:
            raise Failure(
                f"The events cannot be written: {(error.strerror or str(error)).lower()}."
            ) from None


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments
