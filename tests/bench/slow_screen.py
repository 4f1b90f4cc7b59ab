"""`rtassist` whose screen is 100 ms late: python -m tests.bench.slow_screen ARGUMENTS."""

import time

from rtassist.cli import main
from rtassist.dialogue.effects import Shown
from rtassist.terminal.live import Live

show = Live.show


def late(self: Live, shown: Shown) -> None:
    time.sleep(0.1)
    show(self, shown)


Live.show = late  # type: ignore[method-assign]  # to break it
main()
