"""A device that is opened again, under virtual time."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from attrs import define, field

from rtassist import errors
from rtassist.audio.held import LONGEST_PUNISHMENT_S, PATIENT_AFTER, PATIENT_S, held, steady_s, wait_s


def test_attempts_become_rarer() -> None:
    assert [wait_s(n, 0) for n in range(7)] == [0, 0.1, 0.2, 0.4, 0.8, 1, 1]
    assert [wait_s(n, 9) for n in (PATIENT_AFTER - 1, PATIENT_AFTER, 10_000)] == [1, PATIENT_S, PATIENT_S]


def test_a_loose_contact_is_waited_out() -> None:
    assert [wait_s(0, n) for n in range(6)] == [0, 0, 0.5, 1, 2, 4]
    assert wait_s(0, 10_000) == LONGEST_PUNISHMENT_S


def test_what_comes_back_only_to_go_again_is_trusted_less_and_less() -> None:
    assert [steady_s(n) for n in range(4)] == [1, 2, 4, 8]
    assert steady_s(10_000) == LONGEST_PUNISHMENT_S


@define(eq=False)
class Opened:
    name: str | None
    left: trio.Event = field(factory=trio.Event)

    def leave(self, reason: str, moved_to: str | None) -> None:
        assert (reason, moved_to) == ("it is back", None)
        self.left.set()


@define
class Machine:
    """What can be opened by name, and what was, when, and in which order it was closed."""

    there: set[str | None] = field(factory=lambda: {None})
    opened: list[tuple[float, str | None]] = field(factory=list)
    open_now: list[str | None] = field(factory=list)

    @asynccontextmanager
    async def open(self, name: str | None) -> AsyncIterator[Opened | None]:
        await trio.sleep(0.05)
        if name not in self.there:
            if name is not None:
                raise errors.SoundUnavailable(f"no {name}")
            yield None
            return
        self.opened.append((round(trio.current_time(), 3), name))
        self.open_now.append(name)
        try:
            yield Opened(name)
        finally:
            self.open_now.remove(name)

    async def usb_found(self, used: Opened) -> bool | None:
        return None if used.name == "usb" else "usb" in self.there


async def test_a_lost_device_is_closed_before_the_next_is_opened(autojump_clock: object) -> None:
    machine = Machine()
    async with held(machine.open(None), machine.open, None) as holding:
        first = holding.device
        assert first is not None
        await trio.sleep(60)
        second = await holding.after(first)
        assert second is not first
        assert await holding.after(first) is second, "asked again, nothing more is lost"
        assert machine.open_now == [None]
        assert trio.current_time() == pytest.approx(60.1)
    assert machine.open_now == []


async def test_it_waits_until_there_is_one_and_a_cancelled_wait_loses_nothing(autojump_clock: object) -> None:
    machine = Machine()
    async with held(machine.open(None), machine.open, None) as holding:
        first = holding.device
        machine.there.clear()
        with trio.move_on_after(0.4) as given_up:
            await holding.after(first)
        assert given_up.cancelled_caught
        await trio.sleep(6)
        machine.there.add(None)
        asked_s = trio.current_time()
        assert await holding.after(first) is not None
        assert trio.current_time() - asked_s <= 1.1


async def test_where_the_system_moved_it_is_looked_first_then_what_was_wanted(autojump_clock: object) -> None:
    machine = Machine(there={None, "usb", "hdmi"})
    async with held(machine.open("usb"), machine.open, "usb") as holding:
        device = await holding.after(holding.device, "hdmi")
        device = await holding.after(device, "gone")
        machine.there.remove("usb")
        await holding.after(device)
    assert [name for _, name in machine.opened] == ["usb", "hdmi", "usb", None]


async def test_a_loose_contact_is_opened_less_and_less_often(autojump_clock: object) -> None:
    machine = Machine()
    async with held(machine.open(None), machine.open, None) as holding:
        device = holding.device
        with trio.move_on_after(120):
            while True:
                await trio.sleep(0.1)
                device = await holding.after(device)
    assert len(machine.opened) <= 10
    assert machine.opened[2][0] < 1, "the first times it is not waited for"


async def test_without_one_at_first_it_is_picked_up(autojump_clock: object) -> None:
    machine = Machine(there=set())
    async with held(machine.open(None), machine.open, None) as holding:
        assert holding.device is None
        with trio.move_on_after(10):
            await holding.after(None)
        machine.there.add(None)
        with trio.fail_after(1.1):
            assert await holding.after(None) is holding.device


async def test_a_file_is_opened_once(autojump_clock: object) -> None:
    machine = Machine()
    async with held(machine.open(None), None, None) as holding:
        assert not holding.comes_back
        with trio.move_on_after(100):
            await holding.after(holding.device)
    assert len(machine.opened) == 1


async def test_the_first_refusal_is_the_user_s_to_hear(autojump_clock: object) -> None:
    machine = Machine()
    with pytest.RaisesGroup(pytest.RaisesExc(errors.SoundUnavailable, match="no fish")):
        async with held(machine.open("fish"), machine.open, "fish"):
            raise AssertionError("it is not there")


async def test_the_wanted_one_is_returned_to_when_it_is_back(autojump_clock: object) -> None:
    machine = Machine(there={None, "usb"})
    async with held(machine.open("usb"), machine.open, "usb", machine.usb_found) as holding:
        machine.there.remove("usb")
        stand_in = await holding.after(holding.device)
        assert stand_in.name is None
        await trio.sleep(600)
        assert not stand_in.left.is_set()
        machine.there.add("usb")
        with trio.fail_after(2.1):
            await stand_in.left.wait()
        again = await holding.after(stand_in)
        assert again.name == "usb"
        await trio.sleep(600)
        assert not again.left.is_set()
    assert machine.open_now == []


async def test_a_device_that_the_user_has_left_himself_is_not_returned_to(autojump_clock: object) -> None:
    machine = Machine(there={None, "usb", "hdmi"})
    async with held(machine.open("usb"), machine.open, "usb", machine.usb_found) as holding:
        chosen = await holding.after(holding.device, "hdmi")
        await trio.sleep(600)
        assert chosen.name == "hdmi"
        assert not chosen.left.is_set()


async def test_a_wanted_one_that_comes_and_goes_is_not_followed_each_time(autojump_clock: object) -> None:
    machine = Machine(there={None, "usb"})
    returns = []
    async with held(machine.open("usb"), machine.open, "usb", machine.usb_found) as holding:
        device = holding.device
        assert device is not None
        with trio.move_on_after(300):
            while True:
                machine.there.discard("usb")
                device = await holding.after(device)
                assert device.name is None
                machine.there.add("usb")
                await device.left.wait()
                returns.append(trio.current_time())
                device = await holding.after(device)
                assert device.name == "usb"
                await trio.sleep(0.5)
    assert 3 < len(returns) < 15
    assert returns[0] < 3
    gaps = [after - before for before, after in itertools.pairwise(returns)]
    assert gaps[-1] > 30


async def test_a_wanted_one_that_flickers_is_waited_for(autojump_clock: object) -> None:
    machine = Machine(there={None, "usb"})
    async with held(machine.open("usb"), machine.open, "usb", machine.usb_found) as holding:
        machine.there.remove("usb")
        stand_in = await holding.after(holding.device)
        for _ in range(20):
            await trio.sleep(3.3)
            machine.there.add("usb")
            await trio.sleep(0.6)
            machine.there.remove("usb")
        assert not stand_in.left.is_set()
