"""What the made functions promise beyond what the wire shows."""

import copy
from typing import Any

import attrs
import pytest
from cattrs import Converter

from rtassist.protocol import (
    Response,
    ResponseDone,
    ServerVad,
    UnknownTurnDetection,
    catalogue,
    session,
    wire,
)
from rtassist.protocol.catalogue import Variants
from rtassist.protocol.hooks import sibling_hook, structure_hook, variants_hook
from rtassist.protocol.unset import NO_EXTRAS
from rtassist.protocol.values import Rounded
from tests.protocol.openai_types import EVENTS, examples


def converter() -> Converter:
    return wire._make_converter()


def detection() -> Variants:
    return next(v for v in catalogue.VARIANTS if v.union == session.TurnDetection)


def test_nothing_that_was_given_is_changed() -> None:
    hook = structure_hook(ResponseDone, converter())
    for example in examples(EVENTS["server"]["response.done"]):
        given = example | {"unknown": {"x": [1]}}
        before = copy.deepcopy(given)
        hook(given)
        assert given == before


def test_a_made_value_is_like_one_that_was_called_for() -> None:
    made = structure_hook(ServerVad, converter())({"type": "server_vad", "threshold": 0.5})
    called = ServerVad(threshold=0.5)
    assert made == called
    assert hash(made) == hash(called)
    assert repr(made) == repr(called)
    assert type(made) is ServerVad
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.threshold = 0.6


def test_values_without_unknown_fields_share_what_holds_them() -> None:
    made = structure_hook(Response, converter())({"status": "completed"})
    assert made.extras is NO_EXTRAS


def test_names_that_a_server_invents_leave_nothing_behind() -> None:
    hook = variants_hook(detection(), converter())
    (table,) = (c.cell_contents for c in hook.__closure__ or () if isinstance(c.cell_contents, dict))
    for number in range(50):
        assert isinstance(hook({"type": f"vad {number}"}), UnknownTurnDetection)
    hook({"type": "server_vad"})
    assert table.keys() == {"server_vad"}


def test_events_that_a_server_invents_leave_nothing_behind() -> None:
    hooks = wire._Hooks(wire._side(catalogue.SERVER, "delta"))
    for number in range(50):
        with pytest.raises(KeyError):
            hooks[f"event.{number}"]
    assert not hooks


@pytest.mark.parametrize("number", [2.0**63, -(2.0**63), 1e300])
def test_a_number_that_may_be_rounded_is_not_taken(number: float) -> None:
    given: dict[str, Any] = {"type": "server_vad", "threshold": number}
    for fields in (
        given,
        {"type": "server_vad", "idle_timeout_ms": number},
        {"type": "server_vad", "x": [number]},
    ):
        with pytest.raises(Rounded):
            structure_hook(ServerVad, converter())(fields)


def test_a_sibling_differs_in_id_and_payload_only() -> None:
    event = wire.InputAudioBufferAppend(event_id="a", audio=b"12", extras={"x": 1})
    sibling = sibling_hook(type(event), "audio")(event, "b", b"34")
    assert sibling == attrs.evolve(event, event_id="b", audio=b"34")
