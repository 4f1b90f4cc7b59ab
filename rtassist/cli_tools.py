"""`rtassist tools` on the command line: what the model is told of the functions that it may call."""

from __future__ import annotations

from typing import Annotated

import typer

from rtassist.flags import examples

EPILOG = (
    examples("rtassist tools", "rtassist tools --tools dice.py --json")
    + "\n\nExit codes: 0 they can be offered, 2 a file cannot be loaded, or one of its functions cannot be a "
    "tool."
)


def tools(
    tools: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE.py", help="Python functions of your own; may be repeated."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="For programs: the JSON that a session is given.")
    ] = False,
) -> None:
    """Show the functions that the assistant may call, yours among them, as the model reads them.

    Tools of MCP servers are not listed: their servers would have to be started.
    """
    from rtassist.settings_loading import load_here

    settings = load_here({"tools": tuple(tools or ())})
    from rtassist.offering import described

    typer.echo(described(settings, as_json=as_json))
