"""The offline parts together."""

import pytest

from rtassist.server import offline
from rtassist.server.offline import offline_parts
from rtassist.server.stand_in.thinker import StandIn


async def test_what_is_missing_is_told_and_the_rest_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline, "recogniser_available", lambda: "No ears.")
    monkeypatch.setattr(offline, "synthesiser_available", lambda: "No mouth.")
    async with offline_parts() as parts:
        assert (parts.recogniser, parts.synthesiser) == (None, None)
        assert isinstance(parts.thinker, StandIn)
        assert parts.missing == ("No mouth.", "No ears.")


async def test_what_is_not_wanted_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline, "recogniser_available", lambda: "No ears.")
    monkeypatch.setattr(offline, "synthesiser_available", lambda: "No mouth.")
    async with offline_parts(recogniser=False) as parts:
        assert parts.missing == ("No mouth.",)
    async with offline_parts(recogniser=False, synthesiser=False) as parts:
        assert parts.missing == ()


@pytest.mark.offline
async def test_both_are_there_and_load_by_themselves() -> None:
    async with offline_parts() as parts:
        assert parts.missing == ()
        assert parts.recogniser is not None
        assert parts.synthesiser is not None
        speech = [chunk async for chunk in parts.synthesiser.speak("Hello.", voice="marin", speed=1)]
        assert sum(map(len, speech)) > 4_800


@pytest.mark.offline
async def test_left_while_loading_nothing_hangs_and_errors_come_out_as_they_are() -> None:
    with pytest.raises(ValueError, match="of the caller"):
        async with offline_parts():
            raise ValueError("of the caller")
