"""The peers' environments: pinned, and not used before they are complete."""

import sys
from pathlib import Path

import pytest

from bench import contenders, peers
from bench.row import CannotDo

NEW = peers.Peer(name="new", requires=("new==1",), client="bench.clients.new", oldest=(9, 9))


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(peers, "user_cache_path", lambda *names, **options: tmp_path)
    return tmp_path


def test_each_is_pinned_and_has_an_adapter() -> None:
    for peer in peers.peers().values():
        assert all("==" in required for required in peer.requires)
        assert (Path(peers.__file__).parent / "clients" / f"{peer.client.split('.')[-1]}.py").is_file()


def test_one_that_is_not_set_up_says_how() -> None:
    with pytest.raises(CannotDo, match="bench --setup-peers"):
        contenders.command("openai")


def test_one_of_another_version_is_not_used() -> None:
    peer = peers.peers()["openai"]
    peer.folder().mkdir(parents=True)
    (peer.folder() / peers.INSTALLED).write_text("openai==1.0")
    assert not peer.there()
    (peer.folder() / peers.INSTALLED).write_text("\n".join(peer.requires))
    assert contenders.command("openai")[1:] == ["-m", "bench.clients.openai_client"]


def test_one_that_needs_a_newer_python_gets_it_or_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert peers.interpreter(()) == sys.executable
    monkeypatch.setattr(peers, "peers", lambda: {"new": NEW})
    monkeypatch.setenv("PATH", "")
    assert peers.set_up(lambda _: None) == ["new: it needs Python 9.9, and there is none on the PATH"]
