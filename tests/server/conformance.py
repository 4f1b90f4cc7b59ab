"""The judge of what the server sends: the `openai` package's own types, and the order of events on OpenAI's
wire."""

import json
from collections import defaultdict
from typing import Annotated, Any, Union, get_args, get_origin

from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel

# On OpenAI's wire (recorded frames) and in no published type.
WIRE_ONLY = {
    "session.id",
    "session.object",
    "session.expires_at",
    "obfuscation",
    "item.phase",
    "response.output.phase",
}


def _members(annotation: Any) -> list[type[BaseModel]]:
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) is Union:
        return [member for arg in get_args(annotation) for member in _members(arg)]
    return [annotation]


TYPES = {get_args(cls.model_fields["type"].annotation)[0]: cls for cls in _members(RealtimeServerEvent)}


def check_frame(frame: str) -> dict[str, Any]:
    """Parse a frame strictly as the event that it says it is; no field may be unknown to the types, but for
    those of the wire alone."""
    data: dict[str, Any] = json.loads(frame)
    model = TYPES[data["type"]].model_validate_json(frame, strict=True)
    unlisted = set(_unlisted(model, ()))
    assert unlisted <= WIRE_ONLY, (unlisted - WIRE_ONLY, frame)
    return data


def _unlisted(value: object, path: tuple[str, ...]) -> list[str]:
    if isinstance(value, list):
        return [found for each in value for found in _unlisted(each, path)]
    if not isinstance(value, BaseModel):
        return []
    here = [".".join((*path, name)) for name in value.model_extra or ()]
    fields = [(name, getattr(value, name)) for name in type(value).model_fields]
    return here + [found for name, field in fields for found in _unlisted(field, (*path, name))]


class Judge:
    """All frames of one session, in order."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self._event_ids: set[str] = set()
        self._stage: dict[tuple[str, ...], int] = defaultdict(int)
        self._expected_added: str | None = None
        self._conversational: set[str] = set()

    def see(self, frame: str) -> dict[str, Any]:
        data = check_frame(frame)
        assert data["event_id"] not in self._event_ids, "an event id came twice"
        self._event_ids.add(data["event_id"])
        assert not self.frames or data["type"] != "session.created"
        assert self.frames or data["type"] in ("session.created", "error"), "session.created comes first"
        self.frames.append(data)
        self._order(data)
        return data

    def _order(self, data: dict[str, Any]) -> None:
        kind = data["type"]
        if self._expected_added is not None:
            assert kind == "conversation.item.added", f"{kind} between output_item.added and item.added"
            assert data["item"]["id"] == self._expected_added
            self._expected_added = None
            return
        match kind:
            case "response.created":
                response = data["response"]
                assert response["usage"] is None
                self._step(response["id"], was=0, now=1)
                if response["conversation_id"] is not None:
                    self._conversational.add(response["id"])
            case "response.output_item.added":
                assert self._stage[(data["response_id"],)] == 1
                self._step(data["response_id"], data["item"]["id"], was=0, now=1)
                assert data["item"]["status"] == "in_progress"
                if data["response_id"] in self._conversational:
                    self._expected_added = data["item"]["id"]
            case "response.content_part.added":
                self._step(data["response_id"], data["item_id"], was=1, now=2)
            case "response.content_part.done":
                self._step(data["response_id"], data["item_id"], was=3, now=4)
            case "response.function_call_arguments.done":
                self._step(data["response_id"], data["item_id"], was=1, now=4)
            case "response.output_text.done" | "response.output_audio_transcript.done":
                self._step(data["response_id"], data["item_id"], was=2, now=3)
            case "response.output_item.done":
                self._step(data["response_id"], data["item"]["id"], was=4, now=5)
                assert data["item"]["status"] in ("completed", "incomplete")
            case "response.done":
                id = data["response"]["id"]
                self._step(id, was=1, now=2)
                assert data["response"]["usage"]["total_tokens"] >= 0
                mine = {key: stage for key, stage in self._stage.items() if key[0] == id and len(key) == 2}
                assert set(mine.values()) <= {5}, "an item was open when its response was done"
                assert [item["id"] for item in data["response"]["output"]] == [key[1] for key in mine]
            case _ if kind.endswith(".delta") and "response_id" in data:
                stage = self._stage[(data["response_id"], data["item_id"])]
                assert stage == (1 if "arguments" in kind else 2), f"{kind} in stage {stage}"

    def _step(self, *key: str, was: int, now: int) -> None:
        assert self._stage[key] == was, f"{key} in stage {self._stage[key]}, expected {was}"
        self._stage[key] = now

    def types(self) -> list[str]:
        return [frame["type"] for frame in self.frames]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == kind]

    def only(self, kind: str) -> dict[str, Any]:
        (frame,) = self.of(kind)
        return frame
