"""A voice assistant for the terminal and a flight recorder for realtime voice."""

import time

STARTED_S = time.perf_counter()
"""When the program began to be loaded; whoever feeds a pipe to it began then, too."""

from rtassist.tools.marks import tool  # noqa: E402  # takes as long as all the interpreter before it

__all__ = ["__version__", "tool"]
__version__ = "0.1.0"
