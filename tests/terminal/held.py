"""A program that holds its terminal until something ends it: `python -m tests.terminal.held HOW LOG`."""

import logging
import os
import sys
import warnings
from functools import partial

import trio

from rtassist.app import run
from rtassist.terminal.live import Live
from rtassist.terminal.sheet import Look
from rtassist.terminal.tty import Tty


async def hold(how: str, log: int) -> int:
    live = Live(Tty(sys.stdout, sys.stdin, log), Look(), clock=str)
    async with live.opened():
        os.write(2, b"ALSA lib pcm.c:2722: Unknown PCM\n")
        logging.getLogger("x").warning("a line of a log")
        warnings.warn("a warning", stacklevel=1)
        live.notice("Held.")
        if how == "raises":
            raise ZeroDivisionError
        if how == "hangs":
            with trio.CancelScope(shield=True):
                await trio.sleep(60)
        async for event in live.pressed:
            if repr(event) == "Typed(text='/quit')":
                break
            live.notice(f"{event}")
    sys.stderr.write("after\n")
    return 0


def main() -> None:
    log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    sys.exit(run(partial(hold, sys.argv[1], log)))


main()
