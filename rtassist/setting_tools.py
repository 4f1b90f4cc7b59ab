"""MCP servers and hooks as settings: what they may be, from flags, variables and the config file's tables."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from attrs import field, frozen

from rtassist.setting_values import Secret, a_secret, http_url, plain_text

HOOK_EVENTS: Final = (
    *("session.started", "session.ended", "turn.done", "response.done", "interrupted", "tool.done"),
)
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,32}")
_MCP_KEYS: Final = ("command", "args", "env", "url", "authorization", "allowed_tools")


@frozen(kw_only=True)
class McpServer:
    """A local one, by its command; or one in the network, which the Realtime server calls by itself.

    `env`: variables that it gets beside the harmless ones of ours.
    """

    name: str
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(factory=dict, repr=False)
    url: str = ""
    authorization: Secret | None = field(default=None, repr=False)
    """OAuth access token for `url`."""
    allowed_tools: tuple[str, ...] = ()
    """All of them, when it is empty."""

    def secrets(self) -> Iterator[str]:
        if self.authorization is not None:
            yield self.authorization.reveal()
        yield from self.env.values()


@frozen
class Hook:
    """A command that is run when something has happened: program and arguments, as no shell reads them."""

    event: str
    command: tuple[str, ...]


def mcp_servers(value: object) -> tuple[McpServer, ...]:
    """`NAME=COMMAND ARGS` or `NAME=https://…`, several on lines of their own; or a table of tables."""
    if isinstance(value, dict):
        servers = tuple(_server(name, told) for name, told in value.items())
    else:
        servers = tuple(_one_server(name, told) for name, told in _pairs(value, "NAME=COMMAND ARGS"))
    names = [server.name for server in servers]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"must not name {twice} twice")
    return servers


def hooks(value: object) -> tuple[Hook, ...]:
    """`EVENT=COMMAND ARGS`, several on lines of their own; or a table with a command, or a list, by event."""
    told: list[tuple[str, str]] = []
    if isinstance(value, dict):
        for event, commands in value.items():
            told += [(event, each) for each in (commands if isinstance(commands, list) else [commands])]
    else:
        told = list(_pairs(value, "EVENT=COMMAND"))
    made = []
    for event, command in told:
        if event not in HOOK_EVENTS:
            # What is no word may be a URL, with a password in it.
            said = f", and not with {event[:40]!r}" if event.replace(".", "").isidentifier() else ""
            raise ValueError(f"must begin with one of {', '.join(HOOK_EVENTS)}{said}")
        made.append(Hook(event, _command(command)))
    return tuple(made)


def _pairs(value: object, shape: str) -> Iterator[tuple[str, str]]:
    lines = value if isinstance(value, list | tuple) else str(value).splitlines()
    for line in lines:
        name, equals, told = str(line).partition("=")
        if not equals or not name.strip() or not told.strip():
            raise ValueError(f"must be {shape}")
        yield name.strip(), told.strip()


def _command(value: object) -> tuple[str, ...]:
    try:
        words = shlex.split(plain_text(value))
    except ValueError as error:
        raise ValueError(f"must be a command as a shell splits it ({str(error).lower()})") from None
    return tuple(words)


def _one_server(name: str, told: str) -> McpServer:
    if re.match(r"https?://", told):
        return McpServer(name=_name(name), url=http_url(told))
    return McpServer(name=_name(name), command=_command(told))


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("must give a server a name of 1 to 32 letters, digits, _ and -")
    return name


def _server(name: str, told: object) -> McpServer:
    """One table of the config file."""
    if not isinstance(told, dict) or not told or told.keys() - set(_MCP_KEYS):
        raise ValueError(f"must be tables [mcp.NAME] with {', '.join(_MCP_KEYS)}")
    if ("command" in told) == ("url" in told):
        raise ValueError(f"must give {name} a command or a url, and one of the two")
    env = told.get("env", {})
    if not isinstance(env, dict) or not all(isinstance(value, str) for value in env.values()):
        raise ValueError(f"must give {name} an env of names and texts")
    command = (*_each(told, "command", shlex.split), *_each(told, "args", lambda text: [text]))
    return McpServer(
        name=_name(name),
        command=command,
        env=env,
        url=http_url(told["url"]) if "url" in told else "",
        authorization=a_secret(told["authorization"]) if "authorization" in told else None,
        allowed_tools=_each(told, "allowed_tools", lambda text: [text]),
    )


def _each(told: Mapping[str, object], key: str, split: Callable[[str], list[str]]) -> tuple[str, ...]:
    """Of a list its texts as they are; of a text, what `split` makes of it."""
    value = told.get(key, [])
    if isinstance(value, str):
        return tuple(split(value))
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise ValueError(f"must give {key} as text or as a list of texts")
    return tuple(value)
