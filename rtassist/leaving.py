"""What is to be given back even where the program ends without waiting for anything, as a terminal's mode."""

from collections.abc import Callable
from typing import Final

give_back: Final[list[Callable[[], None]]] = []
"""Called in this order, by whoever ends it so; none of them may raise or wait."""
