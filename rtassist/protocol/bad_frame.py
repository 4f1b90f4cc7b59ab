"""A frame that is no event."""


class BadFrame(ValueError):  # noqa: N818 - the name that callers read: a frame is bad, nothing of ours has erred
    """A frame cannot be an event: no JSON, no object, no `type`, or a field of the wrong type.

    `path` says where (`response.output[0].content[1].text`; empty: the frame as a whole) and `reason` why,
    in words for a person.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason
