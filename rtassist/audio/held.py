"""A device that is opened again after it was lost, for as long as it is wanted."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Generic, Protocol, TypeVar, cast

import trio

from rtassist import errors

D = TypeVar("D")
Found = Callable[[D], Awaitable[bool | None]]
"""Whether the device that is wanted can be used now, in place of this one; None: it is this one."""
Opening = Callable[[str | None], AbstractAsyncContextManager[D | None]]
"""Opens the device of a name, None meaning the default one. Gives None, or raises errors.SoundUnavailable,
where there is no such device."""

LONGEST_S = 1.0
PATIENT_AFTER = 30
"""Attempts in vain, about half a minute: what comes back by itself is back by then."""
PATIENT_S = 5.0
"""An attempt costs 25 ms of computing where there is no sound server at all."""
SHORT_LIFE_S = 10.0
LONGEST_PUNISHMENT_S = 30.0
LOOKED_FOR_S = 1.0
"""How often, as long as another one is used in its place: with it, it is back in use within two seconds."""


class Leavable(Protocol):
    def leave(self, reason: str, moved_to: str | None) -> None: ...


def wait_s(failed: int, short_lives: int) -> float:
    """How long to wait before a device is opened again.

    `failed` attempts were in vain since it was lost: from a tenth of a second doubled up to one second, and
    five in the end. The last `short_lives` devices were lost soon after they were opened: the second such
    loss and those after it are waited out, from half a second doubled up to thirty, so that a loose contact
    is not reported a hundred times.
    """
    if failed:
        return PATIENT_S if failed >= PATIENT_AFTER else min(0.1 * 2 ** min(failed - 1, 9), LONGEST_S)
    return min(0.5 * 2 ** min(short_lives - 2, 9), LONGEST_PUNISHMENT_S) if short_lives > 1 else 0.0


def steady_s(short_returns: int) -> float:
    """How long a device must be there before it is returned to: a second, and twice as long after each of
    the last `short_returns` times that it was lost again at once."""
    return float(min(LOOKED_FOR_S * 2 ** min(short_returns, 9), LONGEST_PUNISHMENT_S))


class Held(Generic[D]):
    """One kind of device, kept open by a task of its own: see `held`."""

    def __init__(
        self,
        open_first: AbstractAsyncContextManager[D | None],
        again: Opening[D] | None,
        found: Found[D] | None,
    ) -> None:
        self.device: D | None = None
        self.comes_back = again is not None
        self._open_first = open_first
        self._again = again
        self._found = found
        self._returning = False
        self._short_returns = 0
        self._moved_to: str | None = None
        self._there, self._lost = trio.Event(), trio.Event()

    def prefer(self, name: str) -> None:
        """The next device to be looked for first, before the one that was wanted."""
        self._moved_to = name

    async def after(self, lost: D | None, moved_to: str | None = None) -> D:
        """The device in place of one that is lost, once there is one; `moved_to` is where to look first.

        A cancelled call may be made again; the search goes on meanwhile.
        """
        if lost is not None and self.device is lost:
            self.device, self._moved_to, self._there = None, moved_to, trio.Event()
            self._lost.set()
        while self.device is None:
            await self._there.wait()
        return self.device

    async def _keep(
        self, names: Sequence[str | None], task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        failed = short_lives = 0
        async with self._open_first as self.device:
            task_status.started()
            if self.device is not None:
                short_lives += await self._until_lost(self.device, first=True)
            else:
                failed = 1
        while self._again is not None:
            await trio.sleep(wait_s(failed, short_lives))
            async with AsyncExitStack() as stack:
                self.device = await self._open_one_of(stack, self._again, (self._moved_to, *names))
                if self.device is None:
                    failed += 1
                else:
                    self._there.set()
                    lived_short = await self._until_lost(self.device)
                    failed, short_lives = 0, short_lives + 1 if lived_short else 0

    async def _until_lost(self, device: D, *, first: bool = False) -> bool:
        """Whether that was soon, and not our own doing."""
        opened_s, returned = trio.current_time(), self._returning
        self._returning = False
        async with trio.open_nursery() as nursery:
            if self._found is not None and not first:
                nursery.start_soon(self._return_from, device, self._found)
            await self._lost.wait()
            nursery.cancel_scope.cancel()
        self._lost = trio.Event()
        soon = trio.current_time() - opened_s < SHORT_LIFE_S
        if returned:
            self._short_returns = self._short_returns + 1 if soon else 0
        return soon and not self._returning

    async def _return_from(self, device: D, found: Found[D]) -> None:
        """Leave a device for the one that is wanted, once that is back. Where the system has moved the stream
        and the wanted one is still there, it was the user who did that."""
        there = await found(device)
        if there is None or (there and self._moved_to is not None):
            return
        since_s = None
        while since_s is None or trio.current_time() - since_s < steady_s(self._short_returns):
            await trio.sleep(LOOKED_FOR_S)
            if not await found(device):
                since_s = None
            elif since_s is None:
                since_s = trio.current_time()
        self._returning = True
        cast(Leavable, device).leave("it is back", None)

    async def _open_one_of(
        self, stack: AsyncExitStack, again: Opening[D], names: Sequence[str | None]
    ) -> D | None:
        for name in dict.fromkeys(name for name in names[:-1] if name is not None):
            try:
                if (device := await stack.enter_async_context(again(name))) is not None:
                    return device
            except errors.SoundUnavailable:
                continue  # what is left is the next name, and in the end the default device
        return await stack.enter_async_context(again(names[-1]))


@asynccontextmanager
async def held(
    open_first: AbstractAsyncContextManager[D | None],
    again: Opening[D] | None,
    wanted: str | None,
    found: Found[D] | None = None,
) -> AsyncIterator[Held[D]]:
    """Hold a device open. Raises what the first opening raises; later ones are tried until one succeeds:
    where the system has moved it, the `wanted` one, the default one. Where that is not the wanted one, it is
    left again when that is `found`. `again` None: a file or pipe, opened once. Each device is opened and
    closed by one task.
    """
    holding = Held(open_first, again, found)
    async with trio.open_nursery() as nursery:
        await nursery.start(holding._keep, (wanted, None))
        yield holding
        nursery.cancel_scope.cancel()
