"""MCP servers on this machine: started, asked for their tools, and these offered as functions.

They speak over stdin and stdout (https://modelcontextprotocol.io/specification, "stdio"), through the `mcp`
package. They get the harmless part of the environment, which is that package's own list, and what their table
gives them: no keys.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TextIO, cast

import trio
from attrs import define

from rtassist.errors import foreign_text
from rtassist.setting_tools import McpServer
from rtassist.tools.registry import Tool

if TYPE_CHECKING:
    from mcp import ClientSession

START_S = 15.0
"""`npx` and `uvx` may have to fetch a server first."""
PATIENCE_S = 2.0
"""Who waits longer for a conversation to begin wants to know what for."""


@asynccontextmanager
async def local_servers(
    servers: Sequence[McpServer],
    *,
    tell: Callable[[str], None],
    start_s: float = START_S,
    patience_s: float = PATIENCE_S,
) -> AsyncIterator[tuple[Tool, ...]]:
    """The tools of all of these that start, each named SERVER_TOOL; every one asks before it is called.

    `tell` gets a sentence for the user, once for each server that does not start, or ends before it should,
    and one when their start takes longer than `patience_s`. Leaving ends the servers.
    """
    if not servers:
        yield ()
        return
    await trio.to_thread.run_sync(import_module, "mcp.client.stdio")  # a second of work
    done, patience = trio.Event(), trio.CancelScope()
    found: list[list[Tool]] = [[] for _ in servers]

    async def explain() -> None:
        with patience:
            await trio.sleep(patience_s)
            tell(f"Waiting for MCP servers to start: {', '.join(server.name for server in servers)}.")

    async with trio.open_nursery() as keepers:
        keepers.start_soon(explain)
        async with trio.open_nursery() as starters:
            for tools, server in zip(found, servers, strict=True):
                keeper = Keeper(server, tell, tools, done)
                starters.start_soon(keepers.start, partial(keeper.keep, start_s))
        patience.cancel()
        try:
            yield tuple(tool for tools in found for tool in tools)
        finally:
            done.set()


@define
class Keeper:
    """One server as long as it runs."""

    server: McpServer
    tell: Callable[[str], None]
    tools: list[Tool]
    done: trio.Event
    started: bool = False
    told: bool = False

    async def keep(self, start_s: float, task_status: trio.TaskStatus[None]) -> None:
        with tempfile.TemporaryFile("w+", errors="replace") as file:
            errors = cast(TextIO, file)
            try:
                async with self.session(errors) as session:
                    with trio.fail_after(start_s):
                        await session.initialize()
                        await self.list_tools(session)
                    self.started = True
                    task_status.started()
                    await self.done.wait()
            except Exception as error:  # whatever a stranger's program and the package make of it
                if not self.done.is_set():
                    self.ended(f"{_reason(error, start_s)}{_last_line(errors)}")
        if not self.started:
            task_status.started()

    @asynccontextmanager
    async def session(self, errors: TextIO) -> AsyncIterator[ClientSession]:
        from mcp import ClientSession, StdioServerParameters
        from mcp.client.stdio import stdio_client

        program, *arguments = self.server.command
        parameters = StdioServerParameters(command=program, args=arguments, env=dict(self.server.env) or None)
        async with (
            stdio_client(parameters, errlog=errors) as (read, write),
            trio.open_nursery() as nursery,
        ):
            import anyio

            to_session, from_server = anyio.create_memory_object_stream[Any](0)

            async def pass_on() -> None:
                """What the server says, to the session, which does not tell when that ends."""
                async with to_session:
                    async for message in read:
                        await to_session.send(message)
                if self.started and not self.done.is_set():
                    self.ended(f"it has ended{_last_line(errors)}")

            async with ClientSession(from_server, write) as session:
                nursery.start_soon(pass_on)
                try:
                    yield session
                finally:
                    nursery.cancel_scope.cancel()

    def ended(self, reason: str) -> None:
        if self.told:
            return
        self.told = True
        what = "is gone" if self.started else "did not start"
        reason = foreign_text(reason, self.server.secrets())
        self.tell(f"The MCP server {self.server.name} {what}: {reason}. Its tools are not there.")

    async def list_tools(self, session: ClientSession) -> None:
        from mcp.types import PaginatedRequestParams

        cursor: str | None = None
        while True:
            listed = await session.list_tools(
                params=PaginatedRequestParams(cursor=cursor) if cursor else None
            )
            self.tools += [
                self.tool(session, each.name, each.description or "", dict(each.input_schema))
                for each in listed.tools
                if not self.server.allowed_tools or each.name in self.server.allowed_tools
            ]
            cursor = listed.next_cursor
            if not cursor:
                return

    def tool(self, session: ClientSession, name: str, description: str, schema: dict[str, Any]) -> Tool:
        async def call(**arguments: object) -> str:
            if self.told:
                raise RuntimeError(f"the MCP server {self.server.name} is gone")
            return _text(await session.call_tool(name, arguments))

        function_name = re.sub(r"[^a-zA-Z0-9_-]", "_", f"{self.server.name}_{name}")[:64]
        return Tool(name=function_name, description=description, function=call, schema=schema, asks=True)


def _text(result: Any) -> str:
    """What the model is to read of a result. Raises RuntimeError for one that is an error."""
    parts = [
        getattr(part, "text", None) or f"[{getattr(part, 'type', 'something')}]" for part in result.content
    ]
    text = "\n".join(parts)
    if result.is_error:
        raise RuntimeError(text or "it gave no reason")
    return text


def _reason(error: BaseException, start_s: float) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, trio.TooSlowError):
        return f"it said nothing for {start_s:g} seconds"
    if isinstance(error, FileNotFoundError):
        return "there is no such program"
    return str(error) or type(error).__name__


def _last_line(errors: TextIO) -> str:
    errors.seek(0)
    last = next((line.strip() for line in reversed(errors.readlines()) if line.strip()), "")
    return f" ({last})" if last else ""
