"""A real MCP server, as a process of its own, over its stdin and stdout."""

import json
import sys
from pathlib import Path

import pytest
import trio

from rtassist.setting_tools import McpServer
from rtassist.tools.mcp_local import local_servers
from rtassist.tools.registry import Toolbox

SERVER = str(Path(__file__).with_name("mcp_server.py"))
SLOW_S = 90.0
"""A second's work, on a machine that is busy with other things."""


def server(name: str = "demo", *arguments: str, **fields: object) -> McpServer:
    return McpServer(name=name, command=(sys.executable, SERVER, *arguments), **fields)  # type: ignore[arg-type]  # named freely


async def test_a_servers_tools_are_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hunter22")
    told: list[str] = []
    with trio.fail_after(SLOW_S):
        async with local_servers(
            [server(env={"OURS": "hunter33"})], tell=told.append, start_s=60, patience_s=60
        ) as tools:
            toolbox = Toolbox(tools)
            definitions = {each.name: each for each in toolbox.definitions}
            assert set(definitions) == {"demo_add", "demo_what_is-set", "demo_fail", "demo_die"}
            assert definitions["demo_add"].description == "Add two numbers."
            assert set(definitions["demo_add"].parameters["properties"]) == {"a", "b"}  # type: ignore[index]  # JSON
            assert toolbox.asking == tuple(definitions), "each of them asks"

            assert await toolbox.run("demo_add", '{"a": 2, "b": 3}') == "5"
            assert await toolbox.run("demo_what_is-set", '{"name": "OPENAI_API_KEY"}') == "not set"
            assert await toolbox.run("demo_what_is-set", '{"name": "OURS"}') == "hunter33"
            for name, arguments in (("demo_fail", "{}"), ("demo_add", '{"a": "x"}')):
                assert "error" in json.loads(await toolbox.run(name, arguments))
            assert "Error executing tool fail" in await toolbox.run("demo_fail", "{}")
            assert told == []

            assert "error" in json.loads(await toolbox.run("demo_die", "{}"))
            while not told:  # noqa: ASYNC110  # a process sets no event
                await trio.sleep(0.01)
            gone = json.loads(await toolbox.run("demo_add", '{"a": 2, "b": 3}'))
            assert gone == {"error": "demo_add failed: the MCP server demo is gone"}
    (sentence,) = told
    assert sentence.startswith("The MCP server demo is gone: it has ended (I am dying)")


async def test_servers_that_do_not_start_are_told_once_and_the_others_serve() -> None:
    told: list[str] = []
    dying = McpServer(name="dying", command=(sys.executable, "-c", "import sys; sys.exit('no licence')"))
    silent = McpServer(name="silent", command=(sys.executable, "-c", "import time; time.sleep(600)"))
    servers = [
        McpServer(name="nonsuch", command=("rtassist-nonsuch-program",)),
        dying,
        server(allowed_tools=("add",)),
    ]
    with trio.fail_after(SLOW_S):
        async with local_servers(servers, tell=told.append, start_s=60, patience_s=60) as tools:
            assert [tool.name for tool in tools] == ["demo_add"]
        async with local_servers([silent], tell=told.append, start_s=0.5, patience_s=0.1) as tools:
            assert tools == ()
    assert sorted(told)[1:] == [
        "The MCP server nonsuch did not start: there is no such program. Its tools are not there.",
        "The MCP server silent did not start: it said nothing for 0.5 seconds. Its tools are not there.",
        "Waiting for MCP servers to start: silent.",
    ]
    assert sorted(told)[0].startswith("The MCP server dying did not start: ")
    assert "no licence" in sorted(told)[0]


async def test_without_servers_nothing_is_started() -> None:
    async with local_servers([], tell=pytest.fail) as tools:
        assert tools == ()


async def test_being_cancelled_ends_the_server() -> None:
    started = trio.Event()

    async def hold() -> None:
        async with local_servers([server()], tell=pytest.fail, start_s=60, patience_s=60):
            started.set()
            await trio.sleep_forever()

    with trio.fail_after(SLOW_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold)
            await started.wait()
            nursery.cancel_scope.cancel()
