"""That our classes know what the openai package knows: every event, every field, every variant."""

from typing import Any, get_type_hints

import attrs
import pytest

from rtassist.protocol import (
    catalogue,
    client_events,
    items,
    response,
    server_events,
    session,
    translation_events,
    usage,
)
from rtassist.protocol.unset import Unset
from tests.protocol.match import matches
from tests.protocol.openai_types import BETA_EVENTS, EVENTS, SIDES_AND_TYPES, fields

OURS = {
    "client": catalogue.CLIENT,
    "server": catalogue.SERVER,
    "translation client": catalogue.TRANSLATION_CLIENT,
    "translation server": catalogue.TRANSLATION_SERVER,
}

OMITTED_BY_REAL_SERVERS = {
    "event_id": "it is for correlation only, and what a server says counts without it",
    "ConversationCreated.conversation": "means nothing to us, so its lack does not either",
    "ConversationItemInputAudioTranscriptionCompleted.content_index": "optional in .delta already",
    "ConversationItemInputAudioTranscriptionSegment.content_index": "optional in .delta already",
    "ConversationItemInputAudioTranscriptionFailed.content_index": "optional in .delta already",
    "ConversationItemInputAudioTranscriptionCompleted.usage": "xAI and Azure Voice Live",
    "ResponseContentPartAdded.part": "xAI sends .done without it",
    "ResponseContentPartDone.part": "xAI sends .done without it",
    "ResponseFunctionCallArgumentsDone.name": "servers of the beta",
    "SystemMessage.content": "servers in Go write an empty list as null or not at all",
    "UserMessage.content": "servers in Go write an empty list as null or not at all",
    "AssistantMessage.content": "servers in Go write an empty list as null or not at all",
    "McpListTools.tools": "servers in Go write an empty list as null or not at all",
    "FunctionCall.arguments": "empty in .added, which servers in Go leave out",
    "ErrorDetail.type": "the message is what counts",
    "Session.type": "xAI and servers of the beta",
    "TranscriptionSession.type": "servers of the beta",
    "TokensUsage.total_tokens": "a lost transcript would cost more than a lost count",
    "TokensUsage.input_tokens": "a lost transcript would cost more than a lost count",
    "TokensUsage.output_tokens": "a lost transcript would cost more than a lost count",
    "DurationUsage.seconds": "a lost transcript would cost more than a lost count",
    "LogProb.bytes": "null where a token is no text",
    "NoiseReduction.type": "optional in the other kinds of session",
    "PromptImage.detail": "has a default",
    "TranslationSession.id": "one class for what is asked and what is in force",
    "TranslationSession.type": "one class for what is asked and what is in force",
    "TranslationSession.model": "one class for what is asked and what is in force",
    "TranslationSession.expires_at": "one class for what is asked and what is in force",
    "TranslationSession.audio": "one class for what is asked and what is in force",
}
"""Our field → why it may be absent although the published types require it."""


def classes() -> list[type]:
    """Every wire class that we have."""
    modules = (client_events, server_events, translation_events, items, session, response, usage)
    found = [v for m in modules for v in vars(m).values() if isinstance(v, type) and attrs.has(v)]
    return list(dict.fromkeys(c for c in found if "fields" not in attrs.fields_dict(c)))


def test_every_event_has_a_class(capsys: pytest.CaptureFixture[str]) -> None:
    covered = {side: len(EVENTS[side].keys() & OURS[side].keys()) for side in EVENTS}
    counts = "/".join(str(n) for n in covered.values())
    with capsys.disabled():
        print(f"\nevents covered: {counts} of {'/'.join(str(len(e)) for e in EVENTS.values())}")
    assert counts == "11/46/3/7"
    assert {side: events.keys() for side, events in OURS.items()} == {s: e.keys() for s, e in EVENTS.items()}


@pytest.mark.parametrize(("side", "name"), SIDES_AND_TYPES)
def test_class_is_named_after_its_event(side: str, name: str) -> None:
    words = name.replace(".", "_").split("_")
    expected = "ErrorEvent" if name == "error" else "".join(word[0].upper() + word[1:] for word in words)
    prefix = "Translation" if side.startswith("translation") else ""
    assert OURS[side][name].__name__ == prefix + expected


@pytest.mark.parametrize("cls", classes(), ids=lambda c: c.__name__)
def test_class_is_frozen_with_slots_keywords_and_extras(cls: type) -> None:
    ours = attrs.fields_dict(cls)
    assert all(field.kw_only for field in ours.values())
    assert "extras" in ours
    assert not hasattr(cls, "__dict__") or "__dict__" not in dir(cls)
    required: dict[str, Any] = {n: "x" for n, f in ours.items() if f.default is attrs.NOTHING}
    value = cls(**required)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        value.extras = {}
    assert hash(value) == hash(cls(**required))


def test_aliases_lead_from_what_only_the_beta_says_to_what_is_said_today() -> None:
    today = EVENTS["client"].keys() | EVENTS["server"].keys()
    beta = BETA_EVENTS["client"].keys() | BETA_EVENTS["server"].keys()
    untyped = {
        "transcription_session.created"
    }  # documented for the beta, and in none of the package's unions
    assert catalogue.ALIASES.keys() == beta - today | untyped
    assert set(catalogue.ALIASES.values()) <= today


def test_every_field_of_the_package_is_a_field_of_ours() -> None:
    missing = [
        f"{ours.__name__}.{name} ({theirs.__name__})"
        for ours, models in matches().items()
        for theirs in models
        for name in fields(theirs)
        if name not in attrs.fields_dict(ours)
    ]
    assert not missing


def test_what_may_be_absent_is_what_the_package_lets_be_absent_or_real_servers_omit() -> None:
    excused = set()
    for ours, models in matches().items():
        hints = get_type_hints(ours)
        for theirs in models:
            for name, (_, required) in fields(theirs).items():
                field = attrs.fields_dict(ours)[name]
                may_be_absent = Unset in getattr(hints[name], "__args__", ()) or isinstance(
                    field.default, Unset
                )
                if required and may_be_absent:
                    excused.add(name if name == "event_id" else f"{ours.__name__}.{name}")
                if not required:
                    assert may_be_absent, f"{ours.__name__}.{name} has to be optional"
    assert excused == OMITTED_BY_REAL_SERVERS.keys()
