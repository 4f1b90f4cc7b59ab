"""What the model may call in a conversation, as the settings say: built in, own, and MCP servers' tools."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import trio
from attrs import frozen

from rtassist.errors import SettingsWrong, without_secrets
from rtassist.protocol import UNSET, FunctionTool, McpApprovalFilter, McpTool, McpToolFilter
from rtassist.recording import secrets_of
from rtassist.tools.builtin import clock, timer, timer_of
from rtassist.tools.calculator import calculator
from rtassist.tools.loading import own_tools
from rtassist.tools.notes import notes
from rtassist.tools.registry import Tool, Toolbox

if TYPE_CHECKING:
    from rtassist.setting_tools import McpServer
    from rtassist.settings import Settings

BUILT_IN = ("current_time", "set_timer", "calculate", "add_note", "read_notes")


@frozen
class Offer:
    """`own`: a user's own tools; `local`: those of the MCP servers that run on this machine. Both are the
    same in every conversation of a run.
    """

    settings: Settings
    own: tuple[Tool, ...]
    local: tuple[Tool, ...] = ()

    @asynccontextmanager
    async def opened(self, tell: Callable[[str], None]) -> AsyncIterator[Offer]:
        """The same with the `local` ones, whose servers run as long as this is open."""
        local = [server for server in self.settings.mcp if server.command]
        if not local:
            yield self
            return
        from rtassist.tools.mcp_local import local_servers  # and all of that package, for who has one

        async with local_servers(local, tell=tell) as found:
            taken, kept = {*BUILT_IN, *(tool.name for tool in self.own)}, []
            for tool in found:
                if tool.name in taken:
                    tell(f"There are two tools called {tool.name}; that of the MCP server is left out.")
                else:
                    taken.add(tool.name)
                    kept.append(tool)
            yield attrs.evolve(self, local=tuple(kept))

    def toolbox(
        self,
        nursery: trio.Nursery,
        on_due: Callable[[str], None],
        place_of_notes: Callable[[], Path],
    ) -> Toolbox:
        """The tools of one conversation, with what its own run in."""
        built_in = (
            clock(lambda: datetime.now().astimezone()),
            timer(nursery, on_due),
            calculator(),
            *notes(place_of_notes),
        )
        return Toolbox(
            (*built_in, *map(self._allowed, self.own), *map(self._allowed, self.local)),
            deadline_s=self.settings.tool_timeout_s,
            redact=partial(without_secrets, secrets=secrets_of(self.settings)),
        )

    def definitions(self, toolbox: Toolbox) -> tuple[FunctionTool | McpTool, ...]:
        """What the session offers: the functions, and the MCP servers that the Realtime server is to call."""
        remote = (self._remote(server) for server in self.settings.mcp if server.url)
        return (*toolbox.definitions, *remote)

    def _allowed(self, tool: Tool) -> Tool:
        said = self.settings.yes_to
        servers = (server.name for server in self.settings.mcp if server.name in said)
        yes = tool.name in said or any(tool.name.startswith(f"{server}_") for server in servers)
        return attrs.evolve(tool, asks=False) if yes else tool

    def _remote(self, server: McpServer) -> McpTool:
        said = self.settings.yes_to
        prefixes = (f"{server.name}.", f"{server.name}_")
        named = tuple(name[len(prefixes[0]) :] for name in said if name.startswith(prefixes))
        approval: str | McpApprovalFilter = "never" if server.name in said else "always"
        if named and approval == "always":
            approval = McpApprovalFilter(never=McpToolFilter(tool_names=named))
        return McpTool(
            server_label=server.name,
            server_url=server.url,
            authorization=server.authorization.reveal() if server.authorization else UNSET,
            allowed_tools=server.allowed_tools or UNSET,
            require_approval=approval,
        )


def described(settings: Settings, *, as_json: bool) -> str:
    """All that can be offered without starting anything, as JSON or in words. Raises errors.SettingsWrong."""
    tools = (
        clock(datetime.now),
        timer_of(lambda seconds, label: None),
        calculator(),
        *notes(Path),
        *offer(settings).own,
    )
    if as_json:
        told = [
            attrs.asdict(tool.definition, filter=lambda field, _: field.name != "extras") for tool in tools
        ]
        return json.dumps(told, ensure_ascii=False, indent=2)
    return "\n\n".join(map(_in_words, tools))


def _in_words(tool: Tool) -> str:
    marks = [word for word, is_so in (("asks first", tool.asks), ("ends at stop", tool.cancels)) if is_so]
    lines = [
        tool.name + (f"  ({', '.join(marks)})" if marks else ""),
        f"    {tool.description or 'no docstring'}",
    ]
    for name, schema in tool.schema["properties"].items():
        given = dict(schema)
        description = given.pop("description", "")
        needed = "" if name in tool.schema["required"] else ", may be left out"
        shape = json.dumps(given, ensure_ascii=False)
        lines.append(f"    {name}: {shape}{needed}" + (f"  {description}" if description else ""))
    return "\n".join(lines)


def offer(settings: Settings) -> Offer:
    """Loads what is the user's own. Raises errors.SettingsWrong with all that is wrong with it."""
    problems: list[str] = []
    own: tuple[Tool, ...] = ()
    try:
        own = own_tools(settings.tools, BUILT_IN)
    except SettingsWrong as wrong:
        problems += wrong.problems
    if any(server.command for server in settings.mcp) and importlib.util.find_spec("mcp") is None:
        problems.append(
            f"{settings.source('mcp')}: MCP servers need a package that is not installed. "
            "pip install 'rtassist[mcp]' brings it."
        )
    if problems:
        raise SettingsWrong(problems)
    return Offer(settings, own)
