"""What every contender's microphone hears, and what each scenario cost alone."""

import json
import struct
import sys
import time

import numpy as np
import pytest

from bench.clients import contract
from bench.scenarios import SCENARIOS, for_client
from rtassist.audio.patience import Patience


def test_the_user_speaks_and_then_listens_in_each_scenario(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("loaded", "conversation")
    scenarios = [json.dumps(for_client(SCENARIOS[name])) for name in names]
    monkeypatch.setattr(sys, "argv", ["client", "ws://server", *scenarios])
    url, asked = contract.asked()
    assert (url, [each["name"] for each in asked]) == ("ws://server", list(names))
    began_ns = time.monotonic_ns()
    for spoken, count in ((300, 300), (250, 300)):  # 5 s of conversation's are speech, and all of loaded's
        blocks = [contract.block() for _ in range(count)]
        assert {len(block) for block in blocks} == {contract.BLOCK_BYTES}
        stamps = [struct.unpack_from("<q", block)[0] for block in blocks[:spoken]]
        assert began_ns <= stamps[0]
        assert stamps == sorted(stamps)
        assert set(blocks[spoken:]) <= {contract.NOISE}
        contract.tell()
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert contract.block() != contract.NOISE


def test_speech_is_not_taken_for_noise() -> None:
    patience = Patience()
    for _ in range(500):
        assert patience.put(np.frombuffer(contract.block(), "<i2"))
        assert not patience.quiet
