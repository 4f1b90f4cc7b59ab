import pytest

from rtassist.setting_tools import Hook, McpServer, hooks, mcp_servers
from rtassist.setting_values import Secret


def test_servers_from_flags_and_lines() -> None:
    told = ["files=npx -y 'a server' /tmp/x=y", "net=https://mcp.example.com/sse/"]
    servers = (
        McpServer(name="files", command=("npx", "-y", "a server", "/tmp/x=y")),
        McpServer(name="net", url="https://mcp.example.com/sse"),
    )
    assert mcp_servers(tuple(told)) == servers
    assert mcp_servers("\n".join(told)) == servers


def test_servers_from_the_config_files_tables() -> None:
    table = {
        "files": {"command": "npx -y server", "args": ["a b"], "env": {"TOKEN": "hunter22"}},
        "net": {"url": "https://mcp.example.com", "authorization": "hunter33", "allowed_tools": ["find"]},
    }
    files, net = mcp_servers(table)
    assert files.command == ("npx", "-y", "server", "a b")
    assert net.authorization == Secret("hunter33")
    assert net.allowed_tools == ("find",)
    assert [*files.secrets(), *net.secrets()] == ["hunter22", "hunter33"]
    assert "hunter" not in repr((files, net))


@pytest.mark.parametrize(
    ("value", "must"),
    [
        ("files", "must be NAME=COMMAND ARGS"),
        ("=npx", "must be NAME=COMMAND ARGS"),
        ("files=", "must be NAME=COMMAND ARGS"),
        ("a b=npx", "must give a server a name"),
        ("files='npx", "must be a command as a shell splits it"),
        (("a=x", "a=y"), "must not name a twice"),
        ({"a": {}}, r"must be tables \[mcp.NAME\] with command, args"),
        ({"a": 5}, "must be tables"),
        ({"a": {"command": "x", "cwd": "y"}}, "must be tables"),
        ({"a": {"command": "x", "url": "https://b.example"}}, "must give a a command or a url"),
        ({"a": {"args": ["x"]}}, "must give a a command or a url"),
        ({"a": {"command": "x", "env": {"A": 1}}}, "must give a an env of names and texts"),
        ({"a": {"command": 5}}, "must give command as text or as a list of texts"),
        ({"a": {"url": "ftp://x"}}, "must begin with http"),
    ],
)
def test_what_no_server_is(value: object, must: str) -> None:
    with pytest.raises(ValueError, match=must):
        mcp_servers(value)


def test_hooks_from_flags_and_tables() -> None:
    told = ("turn.done=jq -r '.text'", "tool.done=logger a=b")
    made = (Hook("turn.done", ("jq", "-r", ".text")), Hook("tool.done", ("logger", "a=b")))
    assert hooks(told) == made
    assert hooks("\n".join(told)) == made
    assert hooks({"turn.done": ["jq -r '.text'"], "tool.done": "logger a=b"}) == made


@pytest.mark.parametrize(
    ("value", "must"),
    [
        ("turn.done", "must be EVENT=COMMAND"),
        ("turn=jq", "must begin with one of session.started, .* and not with 'turn'"),
        ('turn.done="jq', "must be a command as a shell splits it"),
        ({"turn.done": 5}, "must be a command"),
    ],
)
def test_what_no_hook_is(value: object, must: str) -> None:
    with pytest.raises(ValueError, match=must):
        hooks(value)
