"""What the user sees of each fault: the real program, against servers that misbehave.

python -m tests.chaos.faults                 all of them, as a table
python -m tests.chaos.faults reset page      those whose name has one of these words
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import trio
import trustme
from attrs import field, frozen
from trio_websocket import WebSocketConnection

from rtassist.server.offline import offline_parts
from rtassist.server.serve import Options, Parts, Server
from tests.chaos.plan import Fault, Trouble
from tests.chaos.proxy import Proxy
from tests.link.servers import SESSION, answers, pump, raw_server, websocket_server
from tests.talking import environment

AT_ONCE: Final = 4
"""Programs that run at the same time."""
LONGEST_S: Final = 60.0
QUESTION: Final = "what is 17 times 23"
_KEY: Final = "Incorrect API key provided: sk-abcde***wxyz."


@frozen
class Seen:
    """What one run of the program showed."""

    fault: str
    out: str
    errors: tuple[str, ...]
    code: int


@frozen
class Case:
    """`server` gives the port of the server that misbehaves; `{port}` in `url` is that."""

    name: str
    server: Callable[[], Any]
    url: str = "ws://127.0.0.1:{port}/v1/realtime"
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(factory=dict)
    typed: tuple[tuple[float, str], ...] = ((0.3, QUESTION), (4.5, "what is 2 times 2"))
    """How long after the one before, and its answer."""
    interrupted_s: float | None = None


@asynccontextmanager
async def nobody() -> AsyncIterator[int]:
    """A port at which nothing listens."""
    with trio.socket.socket() as held:
        await held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def http(status: str, body: str = "", *headers: str) -> Callable[[], Any]:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", body]
    return partial(raw_server, answers("\r\n".join(lines).encode()))


def openai(status: str, code: str, message: str) -> Callable[[], Any]:
    return http(status, json.dumps({"error": {"code": code, "message": message, "type": "x"}}))


async def says_nothing(stream: trio.SocketStream) -> None:
    while await stream.receive_some():
        pass


async def hangs_up(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def early(*frames: str | bytes, close: int | None = None) -> Callable[[], Any]:
    """The upgrade, then these frames in place of a session."""

    async def script(socket: WebSocketConnection) -> None:
        for frame in frames:
            await socket.send_message(frame)
        if close is not None:
            await socket.aclose(close)
        while True:
            await socket.get_message()

    return partial(websocket_server, script)


def erring(code: str | None, message: str) -> str:
    return json.dumps(
        {"type": "error", "event_id": "e", "error": {"code": code, "message": message, "type": "x"}}
    )


def scripted(updated: str = "", answer: Callable[[], list[dict[str, Any]]] = list) -> Callable[[], Any]:
    """A session; `updated` in place of its settings' acceptance, `answer` to whatever is asked."""

    async def script(socket: WebSocketConnection) -> None:
        await socket.send_message(SESSION)
        while True:
            event = json.loads(await socket.get_message())
            if event["type"] == "session.update":
                if updated != "never":
                    text = (
                        updated or '{"type":"session.updated","event_id":"e","session":{"type":"realtime"}}'
                    )
                    await socket.send_message(text.replace("EVENT", event.get("event_id", "")))
            elif event["type"] == "response.create":
                for each in answer():
                    await socket.send_message(json.dumps({"event_id": "e", **each}))

    return partial(websocket_server, script)


def drops_first(code: int) -> Callable[[], Any]:
    """The first connection is closed so in place of its settings' acceptance; the others are well."""
    dropped: list[int] = []

    async def script(socket: WebSocketConnection) -> None:
        await socket.send_message(SESSION)
        await socket.get_message()
        if not dropped:
            dropped.append(code)
            await socket.aclose(code)
        await socket.send_message(SESSION.replace("created", "updated"))
        while True:
            if json.loads(await socket.get_message())["type"] == "response.create":
                for each in _answer("completed", "17 times 23 is 391."):
                    await socket.send_message(json.dumps({"event_id": "e", **each}))

    return partial(websocket_server, script)


def _answer(status: str, words: str = "", **more: Any) -> list[dict[str, Any]]:
    response = {"id": uuid4().hex, "object": "realtime.response", "status": "in_progress", "output": []}
    item = {"response_id": response["id"], "item_id": uuid4().hex, "output_index": 0, "content_index": 0}
    said = [{"type": "response.output_text.delta", **item, "delta": words}] if words else []
    done = {"type": "response.done", "response": {**response, "status": status, **more}}
    return [{"type": "response.created", "response": response}, *said, done]


def failing(code: str, message: str, *, times: int = 1000) -> Callable[[], Any]:
    """The first responses fail so."""
    details = {"type": "failed", "error": {"type": "x", "code": code, "message": message}}
    failures = itertools.repeat(partial(_answer, "failed", status_details=details), times)
    well = itertools.repeat(partial(_answer, "completed", "17 times 23 is 391."))
    answers = itertools.chain(failures, well)
    return scripted("", lambda: next(answers)())


@asynccontextmanager
async def behind(*troubles: Trouble, expires_s: int = 3600) -> AsyncIterator[int]:
    """The embedded server behind a proxy: the first connections have these troubles, the others none."""
    waiting = [*troubles]
    async with offline_parts(recogniser=False, synthesiser=False) as offline, trio.open_nursery() as nursery:
        server = Server(Options(expires_after_s=expires_s), Parts(thinker=offline.thinker), 0)

        async def handle(stream: trio.SocketStream) -> None:
            proxy = Proxy(waiting.pop(0) if waiting else Trouble(), random.Random(1))
            async with trio.open_nursery() as tasks:
                tasks.start_soon(server.accept, proxy.far)
                tasks.start_soon(proxy.run)
                tasks.start_soon(_up, stream, proxy)
                with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    async for data in proxy.near:
                        await stream.send_all(data)
                await trio.aclose_forcefully(stream)
                tasks.cancel_scope.cancel()

        listeners = await nursery.start(partial(trio.serve_tcp, handle, 0, host="127.0.0.1"))
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def _up(stream: trio.SocketStream, proxy: Proxy) -> None:
    await pump(stream, proxy.near)
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        await proxy.near.send_eof()


def troubled(kind: str, *, at_s: float = 2.0, lasts_s: float = 3.0, number: int = 0) -> Callable[[], Any]:
    return partial(behind, Trouble(faults=(Fault(kind, at_s, lasts_s, number),)))


@asynccontextmanager
async def goes_away(after_s: float, then: Callable[[], Any] | None = None) -> AsyncIterator[int]:
    """A server whose first connection is reset after that time; `then` answers at its address, or nobody."""
    async with (
        trio.open_nursery() as nursery,
        behind(Trouble(faults=(Fault("reset", after_s),))) as port,
        (then or nobody)() as other,
    ):
        ports = itertools.chain([port], itertools.repeat(other))

        async def handle(stream: trio.SocketStream) -> None:
            target = next(ports)
            if target == other and then is None:
                return
            async with await trio.open_tcp_stream("127.0.0.1", target) as far, trio.open_nursery() as both:
                both.start_soon(pump, stream, far)
                await pump(far, stream)
                both.cancel_scope.cancel()

        listeners = await nursery.start(partial(trio.serve_tcp, handle, 0, host="127.0.0.1"))
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


def then_only(then: Callable[[], Any], after_s: float) -> Callable[[], Any]:
    return partial(goes_away, after_s, then)


@asynccontextmanager
async def self_signed() -> AsyncIterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with websocket_server(_waits, tls=context) as port:
        yield port


async def _waits(socket: WebSocketConnection) -> None:
    await socket.send_message(SESSION)
    while True:
        await socket.get_message()


CASES: Final = (  # a table
    Case("nothing listens there", nobody),
    Case("the name does not exist", nobody, url="ws://no-such-host.invalid/v1/realtime"),
    Case("the URL is none", nobody, url="ws://[::1"),
    Case("a URL of the web", nobody, url="http://127.0.0.1:{port}"),
    Case("the proxy is not there", nobody, url="wss://192.0.2.1/v1",
         variables={"https_proxy": "http://127.0.0.1:1"}),
    Case("it takes the connection and says nothing", partial(raw_server, says_nothing),
         arguments=("--timeout", "1")),
    Case("it hangs up at once", partial(raw_server, hangs_up)),
    Case("it speaks something else", partial(raw_server, answers(b"SSH-2.0-OpenSSH_9.2\r\n"))),
    Case("half an upgrade", partial(raw_server, answers(b"HTTP/1.1 101 Switch"))),
    Case("a web page", http("200 OK", "<html><body>Log in to the network</body></html>")),
    Case("HTTP 301", http("301 Moved", "", "Location: https://elsewhere.example/")),
    Case("HTTP 401", openai("401 Unauthorized", "invalid_api_key", _KEY)),
    Case("HTTP 403", openai("403 Forbidden", "unsupported_country", "Country not supported.")),
    Case("HTTP 404", http("404 Not Found", "not found")),
    Case("HTTP 429, no quota", openai("429 Too Many", "insufficient_quota", "No quota is left.")),
    Case("HTTP 429, too many requests", openai("429 Too Many", "rate_limit_exceeded", "Slow down.")),
    Case("HTTP 502", http("502 Bad Gateway", "<html>nginx</html>")),
    Case("TLS where there is none", partial(raw_server, says_nothing), url="wss://127.0.0.1:{port}",
         arguments=("--timeout", "1")),
    Case("a certificate that nobody knows", self_signed, url="wss://127.0.0.1:{port}"),
    Case("a WebSocket, and no session", early(), arguments=("--timeout", "1")),
    Case("a WebSocket of something else", early("hello, who are you?")),
    Case("an event that is none", early('{"type":"session.created","session":7}')),
    Case("the key is refused in an event", early(erring("invalid_api_key", _KEY), close=3000)),
    Case("an unknown model", early(erring("model_not_found", "There is no model 'gpt-x'."), close=4000)),
    Case("close 1013 before the session", early(close=1013)),
    Case("the settings are refused", scripted(
        '{"type":"error","event_id":"e","error":{"type":"invalid_request_error","code":"invalid_value",'
        '"message":"Invalid value: \'marin\'.","param":"session.audio.output.voice","event_id":"EVENT"}}')),
    Case("the settings are never accepted", scripted("never")),
    Case("the connection is lost before the settings are accepted", drops_first(1011)),
    Case("the answer fails", failing("server_error", "The server had an error.")),
    Case("the answer fails once", failing("server_error", "The server had an error.", times=1)),
    Case("the answer fails for a limit of some seconds",
         failing("rate_limit_exceeded", "Please try again in 12.4s.")),
    Case("a web page on the way back", then_only(http("200 OK", "<html><body>Log in</body></html>"), 2.0),
         interrupted_s=6.0, typed=((0.3, QUESTION), (30.0, ""))),
    Case("the answer fails for a rate limit", failing("rate_limit_exceeded", "Please try again in 1.2s.")),
    Case("the quota ends", failing("insufficient_quota", "You exceeded your current quota.")),
    Case("an error of nothing in particular", troubled("error")),
    Case("a fatal error", troubled("error final")),
    Case("the connection is reset", troubled("reset")),
    Case("the connection is half closed", troubled("half-close down")),
    Case("reset, and nobody is there any more; Ctrl-C", partial(goes_away, 2.0), interrupted_s=6.0,
         typed=((0.3, QUESTION), (30.0, ""))),
    Case("close 1001", troubled("close recoverable", number=0)),
    Case("close 1011", troubled("close recoverable", number=1)),
    Case("close 1012", troubled("close recoverable", number=2)),
    Case("close without a code", troubled("close without code")),
    Case("close 1000", troubled("close final", number=0)),
    Case("close 1008", troubled("close final", number=2)),
    Case("close 3000", troubled("close final", number=3)),
    Case("close 4000", troubled("close final", number=4)),
    Case("close 4999", troubled("close final", number=5)),
    Case("a frame of a terabyte", troubled("too large")),
    Case("a message of 32 MiB and one byte", troubled("too large", number=3)),
    Case("text that is no UTF-8", troubled("not utf-8")),
    Case("reserved bits", troubled("reserved bits")),
    Case("noise", troubled("noise")),
    Case("garbage between the frames", troubled("garbage text")),
    Case("an event of wrong types", troubled("wrong json", number=1)),
    Case("an event of 15 MiB", troubled("large event")),
    Case("two hundred pings", troubled("pings", number=999)),
    Case("nothing comes for three seconds", troubled("stall", at_s=0.2)),
    Case("the network is gone, and nobody says so", troubled("vanish", at_s=0.2)),
    Case("the session ends after five seconds", partial(behind, expires_s=5),
         typed=((0.3, QUESTION), (7.0, "what is 2 times 2"))),
)  # fmt: skip


async def see(case: Case, folder: Path) -> Seen:
    """Run the program through it. Raises trio.TooSlowError where it does not end by itself."""
    async with case.server() as port:
        url = case.url.format(port=port)
        command = [sys.executable, "-m", "rtassist", "talk", "--text", "--no-record", "--plain"]
        command += ["--url", url, *(case.arguments or ("--timeout", "5"))]
        variables = environment(folder, **case.variables)
        process = await trio.lowlevel.open_process(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=variables,
        )
        out, errors = bytearray(), bytearray()
        with trio.fail_after(LONGEST_S):
            async with trio.open_nursery() as nursery:
                assert process.stdout is not None
                assert process.stderr is not None
                nursery.start_soon(_read, process.stdout, out)
                nursery.start_soon(_read, process.stderr, errors)
                nursery.start_soon(_type, process, case.typed, out)
                if case.interrupted_s is not None:
                    await _answered(out)
                    await trio.sleep(case.interrupted_s)
                    process.send_signal(signal.SIGINT)
                await process.wait()
                with trio.move_on_after(1):
                    await trio.sleep_forever()
                nursery.cancel_scope.cancel()
    lines = tuple(line.rstrip() for line in errors.decode().splitlines() if line.strip())
    shown = tuple(line.replace(f":{port}", ":PORT") for line in lines)
    return Seen(case.name, " / ".join(out.decode().split("\n")).strip(" /"), shown, process.returncode or 0)


async def _read(stream: trio.abc.ReceiveStream, into: bytearray) -> None:
    async for data in stream:
        into += data


async def _answered(out: bytearray) -> None:
    """Until the program has told an answer, or will tell none: its start takes as long as it takes."""
    with trio.move_on_after(8):
        while not out:  # noqa: ASYNC110 (another process writes)
            await trio.sleep(0.05)


async def _type(process: trio.Process, typed: tuple[tuple[float, str], ...], out: bytearray) -> None:
    assert process.stdin is not None
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        async with process.stdin as stdin:
            for after_s, text in typed:
                await trio.sleep(after_s)
                await stdin.send_all(f"{text}\n".encode())
                await _answered(out)


async def see_all(cases: list[Case], tell: Callable[[Seen], Awaitable[None] | None]) -> None:
    """All of them, some at a time; each is told when it is known."""
    limit = trio.CapacityLimiter(AT_ONCE)

    async def one(case: Case, folder: Path) -> None:
        async with limit:
            try:
                seen = await see(case, folder)
            except trio.TooSlowError:
                seen = Seen(case.name, "", ("it does not end",), -1)
        tell(seen)

    with tempfile.TemporaryDirectory() as name:
        async with trio.open_nursery() as nursery:
            for case in cases:
                nursery.start_soon(one, case, Path(name))


def table(seen: list[Seen]) -> list[str]:
    lines = ["| Fault | What stderr says | Exit |", "|---|---|---|"]
    for each in seen:
        said = "<br>".join(each.errors).replace("|", "\\|") or "(nothing)"
        lines.append(f"| {each.fault} | {said} | {each.code} |")
    return lines


def main() -> int:
    words = sys.argv[1:]
    cases = [case for case in CASES if not words or any(word in case.name for word in words)]
    found: dict[str, Seen] = {}
    trio.run(see_all, cases, lambda seen: found.update({seen.fault: seen}))
    for line in table([found[case.name] for case in cases]):
        print(line)
    return int(any(seen.code not in (*range(8), 130) for seen in found.values()))


if __name__ == "__main__":
    os.environ.pop("PYTHONWARNINGS", None)
    sys.exit(main())
