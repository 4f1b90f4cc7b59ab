"""A frame that is no event."""


class BadFrame(ValueError):  # noqa: N818 - names what the frame is; nothing of ours has erred
    """A frame cannot be an event: no JSON, no object, no `type`, or a field missing or of the wrong type.

    `path` says where (`response.output[0].content[1].text`; empty: the frame as a whole) and `reason` why,
    in words for a person. Neither quotes what the field held.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason

    def under(self, step: str) -> "BadFrame":
        """The same, seen from the object or list that holds it; `step` is a field's name or `[index]`."""
        dot = "." if self.path and not self.path.startswith("[") else ""
        return BadFrame(f"{step}{dot}{self.path}", self.reason)
