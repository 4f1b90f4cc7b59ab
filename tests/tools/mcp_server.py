"""An MCP server to be started by tests: `python mcp_server.py [die at start]`."""

import os
import sys

from mcp.server.mcpserver import MCPServer

server = MCPServer("for-tests")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool(name="what is-set")
def look(name: str) -> str:
    """Tell an environment variable."""
    return os.environ.get(name, "not set")


@server.tool()
def fail() -> str:
    """Fail."""
    raise ValueError("no reason at all")


@server.tool()
def die() -> str:
    """End the server."""
    print("I am dying", file=sys.stderr, flush=True)
    os._exit(3)


if __name__ == "__main__":
    server.run("stdio")
