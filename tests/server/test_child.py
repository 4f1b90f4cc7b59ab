"""Real child processes, well and badly behaved. Deadlines are of a clock that the test moves."""

import os
import signal
import subprocess
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from random import Random

import pytest
import trio
import trio.testing

from rtassist.server import child as child_module
from rtassist.server import child_side
from rtassist.server.child import Child, Request, open_child
from rtassist.server.child_side import HEADER, MAX_PAYLOAD_BYTES, Job
from rtassist.server.parts import PartFailed

ROOT = Path(__file__).parents[2]


def parrot(name: str = "parrot") -> AbstractAsyncContextManager[Child]:
    return open_child(f"tests.server.children.{name}", what="Parroting", code="parrot")


async def asked(child: Child, payload: bytes) -> bytes:
    async with child.request(payload) as request:
        return await request.result()


async def failure(child: Child, payload: bytes) -> PartFailed:
    with pytest.raises(PartFailed) as failed:
        await asked(child, payload)
    return failed.value


async def test_data_goes_in_and_an_answer_comes_out_while_it_goes_in() -> None:
    async with parrot() as child, child.request(b"echo") as request:
        for word in (b"polly", b"wants", b"a cracker"):
            await request.send(word)
            assert await anext(request) == word
        request.end()
        assert [chunk async for chunk in request] == []


async def test_several_requests_at_once_keep_their_own_answers() -> None:
    random = Random(7)
    got: dict[int, bytes] = {}

    async def ask(child: Child, number: int) -> None:
        async with child.request(b"echo") as request:
            for _ in range(50):
                await request.send(b"%d," % number * random.randrange(1, 500))
            got[number] = await request.result()

    async with parrot() as child, trio.open_nursery() as nursery:
        for number in range(4):
            nursery.start_soon(ask, child, number)

    assert sorted(got) == [0, 1, 2, 3]
    for number, answer in got.items():
        assert set(answer.split(b",")[:-1]) == {b"%d" % number}


async def test_more_than_the_pipes_hold_goes_through_both_ways() -> None:
    block = b"squawk! " * (MAX_PAYLOAD_BYTES // 8)
    async with parrot() as child, child.request(b"echo") as request:
        for _ in range(8):
            await request.send(block)
        assert await request.result() == block * 8


async def test_a_payload_beyond_the_limit_is_a_mistake_of_the_caller_and_costs_nothing() -> None:
    async with parrot() as child, child.request(b"echo") as request:
        with pytest.raises(ValueError, match="more than 1048576"):
            await request.send(bytes(MAX_PAYLOAD_BYTES + 1))
        await request.send(b"fine")
        assert await request.result() == b"fine"


async def test_one_process_serves_all_and_starts_with_the_first_need() -> None:
    async with parrot() as child:
        assert child.pid is None
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(child.warm)
        pid = child.pid
        assert pid is not None
        assert await asked(child, b"count 3") == b"0 1 2 "
        assert child.pid == pid

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_who_gives_up_waiting_for_the_start_does_not_stop_it() -> None:
    async with parrot() as child:
        with trio.CancelScope() as scope:
            scope.cancel()
            await child.warm()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child.warm)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert await asked(child, b"count 1") == b"0 "


async def test_what_the_body_raises_comes_out_as_it_is() -> None:
    async def fail() -> None:
        async with parrot() as child:
            await child.warm()
            raise KeyError

    with pytest.raises(KeyError):
        await fail()


def absolute(folders: list[str]) -> list[str]:
    return [str(Path(folder).absolute()) for folder in folders]


# Failures.


async def test_a_request_that_fails_costs_only_itself() -> None:
    async with parrot() as child:
        await child.warm()
        pid = child.pid
        failed = await failure(child, b"raise")
        assert failed.message == "Parroting failed: the voice[31m is missing"
        assert failed.code == "parrot_failed"
        assert await asked(child, b"count 1") == b"0 "
        assert child.pid == pid


async def test_a_process_that_dies_fails_what_was_running_and_is_started_again() -> None:
    async with parrot() as child, child.request(b"until-abandoned") as other:
        assert await anext(other) == b"begun"
        pid = child.pid
        async with child.request(b"die") as request:
            request.end()
            assert await anext(request) == b"last"
            with pytest.raises(PartFailed) as failed:
                await anext(request)
        assert failed.value.code == "parrot_died"
        assert failed.value.message == (
            "Parroting stopped in the middle: its process ended with code 7. It is started again when it is "
            "needed. Its last words: assertion failed"
        )
        with pytest.raises(PartFailed, match="stopped in the middle"):
            await other.send(b"still there?")
        with pytest.raises(PartFailed, match="stopped in the middle"):
            await other.result()
        assert child.pid is None

        assert await asked(child, b"count 2") == b"0 1 "
        assert child.pid not in (None, pid)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
async def test_a_process_that_is_killed_says_by_what() -> None:
    async with parrot() as child:
        failed = await failure(child, b"killed")
    assert "its process was ended by signal 9" in failed.message


async def test_a_process_that_keeps_dying_is_left_alone_for_a_while(
    mock_clock: trio.testing.MockClock,
) -> None:
    async with parrot() as child:
        for _ in range(5):
            assert (await failure(child, b"die")).code == "parrot_died"
            mock_clock.jump(1)
        failed = await failure(child, b"count 1")
        assert failed.code == "parrot_unavailable"
        assert "Try again in 55 s." in failed.message
        assert "its process ended with code 7" in failed.message

        mock_clock.jump(55)
        assert await asked(child, b"count 1") == b"0 "


async def test_a_process_that_cannot_set_up_says_why() -> None:
    async with parrot("no_model") as child:
        with pytest.raises(PartFailed) as failed:
            await child.warm()
    assert failed.value.code == "parrot_unavailable"
    assert failed.value.message == "Parroting cannot be started: the model is not where it should be"


async def test_a_module_that_cannot_be_imported_ends_in_a_sentence() -> None:
    async with parrot("nobody") as child:
        failed = await failure(child, b"echo")
    assert failed.code == "parrot_unavailable"
    assert failed.message == (
        "Parroting cannot be started: its process ended with code 1. Its last words: ModuleNotFoundError: "
        "No module named 'tests.server.children.nobody'"
    )


async def test_an_interpreter_that_is_gone_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    async with parrot() as child:
        failed = await failure(child, b"echo")
    assert failed.code == "parrot_unavailable"
    assert failed.message.startswith("Parroting cannot be started: ")
    assert "/nowhere/python" in failed.message


async def test_what_is_no_frame_is_not_taken_for_one() -> None:
    async with parrot("babbler") as child:
        failed = await failure(child, b"echo")
    assert failed.message == "Parroting cannot be started: it sent what is no answer."


async def test_what_is_printed_stays_out_of_the_answers() -> None:
    async with parrot() as child:
        assert await asked(child, b"print") == b"printed"
        assert await asked(child, b"count 1") == b"0 "


# Deadlines.


async def test_a_process_that_hangs_is_killed_and_started_again(mock_clock: trio.testing.MockClock) -> None:
    async with parrot() as child:
        async with child.request(b"hang") as request:
            assert await anext(request) == b"hanging"
            # Nothing is due while data may still come.
            mock_clock.jump(1000)
            await trio.testing.wait_all_tasks_blocked()
            await request.send(b"more")
            pid = child.pid

            request.end()
            mock_clock.jump(9.9)
            await trio.testing.wait_all_tasks_blocked()
            assert child.pid == pid
            mock_clock.jump(0.2)
            with pytest.raises(PartFailed) as failed:
                await anext(request)
        assert failed.value.code == "parrot_timeout"
        assert "it gave no answer for 10 s" in failed.value.message
        assert await asked(child, b"count 1") == b"0 "
        assert child.pid != pid


async def test_a_request_that_is_abandoned_but_goes_on_does_not_hold_the_process_for_ever(
    mock_clock: trio.testing.MockClock,
) -> None:
    async with parrot() as child:
        async with child.request(b"hang") as request:
            assert await anext(request) == b"hanging"
        pid = child.pid
        mock_clock.jump(10.1)
        await trio.testing.wait_all_tasks_blocked()

        while child.pid == pid:
            await trio.lowlevel.checkpoint()
        assert await asked(child, b"count 1") == b"0 "


async def test_a_process_that_is_never_ready_is_given_up(mock_clock: trio.testing.MockClock) -> None:
    failed: list[PartFailed] = []

    async def warm(child: Child) -> None:
        with pytest.raises(PartFailed) as caught:
            await child.warm()
        failed.append(caught.value)

    async with parrot("never_ready") as child, trio.open_nursery() as nursery:
        nursery.start_soon(warm, child)
        nursery.start_soon(warm, child)
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(20.1)

    assert [one.code for one in failed] == ["parrot_unavailable"] * 2
    assert "it was not ready within 20 s" in failed[0].message


async def test_a_process_that_owes_nothing_may_be_silent_for_ever(mock_clock: trio.testing.MockClock) -> None:
    async with parrot() as child:
        await asked(child, b"count 3")
        await failure(child, b"raise")
        pid = child.pid
        mock_clock.jump(100_000)
        await trio.testing.wait_all_tasks_blocked()
        await asked(child, b"count 3")
        assert child.pid == pid


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
@pytest.mark.parametrize("then", ["goes on", "dies"])
async def test_what_a_process_does_not_read_is_not_taken_without_end(then: str) -> None:
    sent = 0

    async def send(request: Request) -> None:
        nonlocal sent
        for _ in range(20):
            await request.send(bytes(MAX_PAYLOAD_BYTES))
            sent += 1

    async with parrot() as child, child.request(b"upper") as request:
        assert child.pid is not None
        os.kill(child.pid, signal.SIGSTOP)
        if then == "goes on":
            async with trio.open_nursery() as nursery:
                nursery.start_soon(send, request)
                await trio.testing.wait_all_tasks_blocked()
                assert 0 < sent < 5
                os.kill(child.pid, signal.SIGCONT)
            assert sent == 20
        else:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(die_soon, child.pid)
                with pytest.raises(PartFailed, match="ended by signal 9"):
                    await send(request)
            assert 0 < sent < 5


async def die_soon(pid: int) -> None:
    await trio.testing.wait_all_tasks_blocked()
    os.kill(pid, signal.SIGKILL)


# Cancellation.


async def test_an_abandoned_request_ends_and_its_late_answers_are_dropped() -> None:
    async with parrot() as child:
        for _ in range(20):
            async with child.request(b"flood") as request:
                assert len(await anext(request)) == 1 << 16
            assert await asked(child, b"count 2") == b"0 1 "
            async with child.request(b"until-abandoned") as request:
                assert await anext(request) == b"begun"
        # Four run at once: were these still there, there would be no room for this one.
        pid = child.pid
        assert await asked(child, b"count 3") == b"0 1 2 "
        assert child.pid == pid


async def test_cancelling_at_any_moment_leaves_the_process_usable() -> None:
    async def ask(child: Child, scope: trio.CancelScope) -> None:
        with scope:
            async with child.request(b"echo") as request:
                for _ in range(4):
                    await request.send(bytes(300_000))
                await request.result()

    async with parrot() as child:
        await child.warm()
        pid = child.pid
        for moments in range(0, 120, 3):
            async with trio.open_nursery() as nursery:
                scope = trio.CancelScope()
                nursery.start_soon(ask, child, scope)
                for _ in range(moments):
                    await trio.lowlevel.checkpoint()
                scope.cancel()
            assert await asked(child, b"count 2") == b"0 1 "
        assert child.pid == pid


async def test_an_answer_that_nobody_takes_is_not_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "_MAX_UNREAD_BYTES", 1000)
    async with parrot() as child:
        async with child.request(b"flood") as request:
            assert len(await anext(request)) == 1 << 16
            with pytest.raises(PartFailed, match="became too long"):
                await anext(request)
        pid = child.pid
        assert await asked(child, b"count 1") == b"0 "
        assert child.pid == pid


class _NoLink(child_side._Link):
    def __init__(self) -> None:
        pass


def test_what_the_handler_does_not_come_round_to_is_not_kept_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(child_side, "_MAX_WAITING_BYTES", 1000)
    job = Job(1, b"", _NoLink())
    job.take(child_side.DATA, bytes(900))
    data = job.data()
    assert len(next(data)) == 900
    job.take(child_side.DATA, bytes(900))
    job.take(child_side.DATA, bytes(900))
    with pytest.raises(OverflowError):
        next(data)


# Its place in the world.


async def test_no_secret_and_no_setting_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["OPENAI_API_KEY", "RTASSIST_SERVER_KEY", "RTASSIST_LLM_URL", "GITHUB_TOKEN", "https_proxy"]
    for name in names:
        monkeypatch.setenv(name, "sk-do-not-tell")
    monkeypatch.setenv("HARMLESS", "yes")

    async with parrot() as child:
        environment = (await asked(child, b"environment")).decode()

    assert "HARMLESS=yes" in environment.splitlines()
    assert "sk-do-not-tell" not in environment


async def test_it_finds_what_its_parent_finds_and_nothing_where_the_user_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "struct.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.setattr(sys, "path", absolute(sys.path))
    monkeypatch.chdir(tmp_path)

    async with parrot() as child:
        assert (await asked(child, b"path")).decode().splitlines() == sys.path


async def test_it_starts_without_what_takes_long_to_load() -> None:
    async with parrot() as child:
        modules = set((await asked(child, b"modules")).decode().split())
    assert modules.isdisjoint({"trio", "numpy", "attr", "asyncio", "rtassist.audio", "rtassist.protocol"})


async def test_ctrl_c_is_its_parents_to_act_on() -> None:
    async with parrot() as child:
        assert await asked(child, b"interrupt") == b"1", "SIG_IGN"


PARENT = """
import trio
from rtassist.server.child import open_child

async def main():
    async with open_child("tests.server.children.parrot", what="x", code="x") as child:
        async with child.request({payload!r}) as request:
            request.end()
            await anext(request)
            print(child.pid, flush=True)
            await trio.sleep_forever()

trio.run(main)
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waiting for others' processes is Linux'")
@pytest.mark.parametrize("payload", [b"hang", b"spin", b"flood"])
def test_it_ends_with_its_parent_whatever_it_is_doing(payload: bytes) -> None:
    import select

    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(payload=payload)], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        assert parent.stdout is not None
        watched = os.pidfd_open(int(parent.stdout.readline()))
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.communicate()
    try:
        assert select.select([watched], [], [], 20)[0], "the child outlived its parent"
    finally:
        os.close(watched)


def test_a_frame_says_its_length_its_request_and_its_kind() -> None:
    assert HEADER.pack(3, 0x0102, child_side.DATA) == b"\x03\x00\x00\x00\x02\x01\x00\x00\x02"
