"""How a connection ended, as a value with a sentence for the user."""

from attrs import field, frozen

# RFC 6455 section 7.4.1 names 1000 to 1011; 1012 and 1013 are in IANA's registry of close codes. 3000 and
# 4000 are what OpenAI's service sends for a key and for a request that it does not accept.
SENTENCES = {
    1000: "The server ended the conversation.",
    1001: "The server ended the session: it goes away, or the session reached its longest duration.",
    1002: "The connection was closed because a frame broke the WebSocket protocol.",
    1003: "The server cannot take the kind of data that it got.",
    1005: "The server closed the connection without a reason.",
    1006: "The connection broke off without a goodbye: the network, a proxy's time limit, or a crash.",
    1007: "The connection was closed because a frame was damaged.",
    1008: "The server closed the connection because of a rule of its own.",
    1009: "A message was too big and the connection was closed over it.",
    1011: "The server failed, or missed the answers to its pings.",
    1012: "The server is being restarted.",
    1013: "The server has too much to do now.",
    3000: "The server does not accept the key.",
    4000: "The server did not accept a request.",
}
BROKEN_OFF = 1006
# Ends that nobody wished for. 1002, 1007 and 1009 are told alike whichever side noticed.
_ACCIDENTS = frozenset({1002, BROKEN_OFF, 1007, 1009})


@frozen
class Close:
    """The end of a connection.

    `code` is the close frame's, or 1006 where there was none. `reason` is the server's text, or what was
    noticed on this side; it is printable and without secrets. `silent_ms`: nothing had come for so long.
    """

    code: int
    reason: str = ""
    silent_ms: int = field(default=0, eq=False)

    @property
    def clean(self) -> bool:
        """Whether the server said goodbye; False when the connection broke or had to be given up."""
        return self.code not in _ACCIDENTS

    @property
    def sentence(self) -> str:
        """What happened, for a user, with the code and the reason where there is one."""
        said = SENTENCES.get(self.code, "The server closed the connection with a code of its own.")
        reason = f": {self.reason.rstrip('.')}" if self.reason else ""
        return f"{said.rstrip('.')} (close {self.code}{reason})."


class LinkClosed(Exception):  # noqa: N818 - that a conversation ends is no error
    """Nothing more can be sent or received; `close` says why."""

    def __init__(self, close: Close) -> None:
        super().__init__(close.sentence)
        self.close = close
