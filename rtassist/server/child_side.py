"""What runs inside a child process of `child.py`. Imports neither trio nor numpy: start-up time counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator


class Abandoned(Exception):  # noqa: N818  what happened to a job, and no fault
    """The job is not wanted any more; let it out of the handler."""


class Job:
    """One request inside the child. `payload` is what `Child.request` was given."""

    payload: bytes

    @property
    def abandoned(self) -> bool:
        """Nobody wants the answer any more: return as soon as is convenient."""
        raise NotImplementedError

    def data(self) -> Iterator[bytes]:
        """What `Request.send` was given, as it comes; ends at `Request.end`. Blocks; raises Abandoned."""
        raise NotImplementedError

    def answer(self, chunk: bytes) -> None:
        """A chunk of the answer, at most 1 MiB, sent at once. Does nothing when abandoned."""


Handler = Callable[[Job], None]
"""Does one job: returns when the answer is complete; an exception's text becomes a PartFailed."""


def serve_child(set_up: Callable[[], Handler], *, at_once: int = 1) -> None:
    """Serve requests until the parent is gone; never returns.

    `set_up` loads what is needed, and only then is the child ready; its exception's text becomes a PartFailed.
    Up to `at_once` jobs run at the same time, each in a thread of its own (with 1: in the main thread); others
    wait their turn. Whatever C code prints on stdout lands on stderr, of which the parent keeps the end for
    the text of a failure.
    """
