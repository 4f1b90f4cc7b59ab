"""From what was found to what is recommended."""

import pytest

from rtassist.doctor.advice import advise
from rtassist.doctor.report import Check, State


def check(id: str, state: State, **values: object) -> Check:
    return Check(id=id, state=state, summary="", values=values)


MIC = check("microphone", "ok", peak_dbfs=-20.0, others=["b"])
APART = check("loopback", "warning", heard=False)
LOUD = check("loopback", "ok", heard=True, echo_db=-10.0)


@pytest.mark.parametrize(
    ("checks", "echo", "settings"),
    [
        ([MIC, check("loudspeaker", "ok", underruns=0), LOUD], "auto", []),
        ([MIC, APART], "auto", ["--echo headphones"]),
        ([MIC, APART], "headphones", []),
        ([MIC, APART, check("loudspeaker", "failed", underruns=9)], "auto", []),
        ([MIC, LOUD], "off", ["--echo auto"]),
        ([MIC, LOUD, check("cancellation", "warning", erle_db=3.0)], "auto", ["--echo headphones"]),
        ([check("microphone", "warning", peak_dbfs=-120.0, others=["b", "c"])], "auto", ["--mic b"]),
        ([check("microphone", "warning", peak_dbfs=-120.0, others=[])], "auto", []),
        ([check("microphone", "warning", peak_dbfs=0.0, others=["b"])], "auto", []),
        ([check("aec", "warning")], "auto", ["pip install 'rtassist[aec]'"]),
        ([check("offline", "warning")], "auto", ["pip install 'rtassist[offline]'"]),
        ([check("loudspeaker", "warning", underruns=3)], "auto", ["PULSE_LATENCY_MSEC=120"]),
        ([check("stress", "warning", underruns=1)], "auto", ["PULSE_LATENCY_MSEC=120"]),
        ([check("loudspeaker", "failed", underruns=1)], "auto", []),
    ],
)
def test_each_finding_has_its_setting(checks: list[Check], echo: str, settings: list[str]) -> None:
    assert [advice.setting for advice in advise(checks, echo=echo)] == settings
