"""What the settings offer the model, and what of it asks first."""

from pathlib import Path

import attrs
import pytest
import trio

from rtassist.errors import SettingsWrong
from rtassist.offering import BUILT_IN, Offer, offer
from rtassist.protocol import UNSET, McpApprovalFilter, McpTool, McpToolFilter
from rtassist.setting_tools import McpServer
from rtassist.setting_values import Secret
from rtassist.settings import Settings
from rtassist.tools.registry import Tool, Toolbox, tool

TEXT = """
import rtassist

@rtassist.tool(asks=True)
def delete(file: str) -> str:
    "Delete a file."
    return f"deleted {file}"

@rtassist.tool(on_interrupt="cancel")
async def search(words: str) -> str:
    "Search."
    return "sk-hunter22hunter22 " + words
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "mine.py"
    path.write_text(TEXT)
    return Settings(tools=(str(path),), api_key=Secret("sk-hunter22hunter22"))


def local(name: str) -> Tool:
    def plain() -> None: ...

    return attrs.evolve(tool(plain), name=name, asks=True)


async def toolbox(offered: Offer, *tools: Tool) -> Toolbox:
    async with trio.open_nursery() as nursery:
        return attrs.evolve(offered, local=tools).toolbox(nursery, pytest.fail, Path)


async def test_built_in_own_and_local_tools_are_offered(settings: Settings) -> None:
    made = await toolbox(offer(settings), local("demo_add"))
    assert [each.name for each in made.definitions] == [*BUILT_IN, "delete", "search", "demo_add"]
    assert made.asking == ("delete", "demo_add")
    assert made.cancelled == ("search",)
    assert await made.run("search", '{"words": "a"}') == "[secret] a", "no key leaves in a result"


@pytest.mark.parametrize(
    ("yes_to", "asking"),
    [
        (("delete",), ("demo_add", "demo_sub")),
        (("demo",), ("delete",)),
        (("demo_add",), ("delete", "demo_sub")),
        (("demo", "delete"), ()),
        (("nothing",), ("delete", "demo_add", "demo_sub")),
    ],
)
async def test_what_is_said_yes_to_does_not_ask(
    yes_to: tuple[str, ...], asking: tuple[str, ...], settings: Settings
) -> None:
    settings = attrs.evolve(settings, yes_to=yes_to, mcp=(McpServer(name="demo", command=("x",)),))
    assert (await toolbox(offer(settings), local("demo_add"), local("demo_sub"))).asking == asking


@pytest.mark.parametrize(
    ("yes_to", "approval"),
    [
        ((), "always"),
        (("net",), "never"),
        (("net.find", "net_get"), McpApprovalFilter(never=McpToolFilter(tool_names=("find", "get")))),
        (("find",), "always"),
    ],
)
def test_servers_in_the_network_are_the_realtime_servers_own_tools(
    yes_to: tuple[str, ...], approval: object
) -> None:
    server = McpServer(name="net", url="https://mcp.example.com", authorization=Secret("hunter22"))
    settings = Settings(mcp=(server, McpServer(name="here", command=("x",))), yes_to=yes_to)
    assert Offer(settings, ()).definitions(Toolbox()) == (
        McpTool(
            server_label="net",
            server_url="https://mcp.example.com",
            authorization="hunter22",
            allowed_tools=UNSET,
            require_approval=approval,  # type: ignore[arg-type]  # either kind
        ),
    )


def test_all_that_is_wrong_is_told_before_anything_begins(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong) as raised:
        offer(Settings(tools=(str(tmp_path / "a.py"), str(tmp_path / "b.py"))))
    assert len(raised.value.problems) == 2
    assert raised.value.exit_code == 2


async def test_without_servers_nothing_is_loaded_for_them(settings: Settings) -> None:
    async with offer(settings).opened(pytest.fail) as opened:
        assert opened.local == ()
