"""What was agreed before a conversation began, and lines of an earlier one."""

from __future__ import annotations

from attrs import frozen

from rtassist.costs import Price
from rtassist.dialogue.effects import Role
from rtassist.protocol import Session


@frozen
class Turn:
    """One finished line of the conversation. `text` is what was heard or said, `unsaid` what was cut off."""

    role: Role
    text: str
    cut: bool = False
    unsaid: str = ""


@frozen(kw_only=True)
class Terms:
    """What was agreed before the conversation began, and never changes in it."""

    session: Session
    """Sent as the one `session.update`."""
    voiced: bool = True
    """Answers are audio whenever there is something to play them on; else they are text."""
    speaker: bool = True
    """There is a loudspeaker when the conversation begins."""
    server_turns: bool = True
    """The server finds the user's turns (voice activity) and answers them by itself."""
    interrupts: bool = True
    """The server cancels its answer when the user speaks over it."""
    barge_in: str = "instant"
    """What speaking over the assistant means: instant, confirm or off (see `barge_in`)."""
    transcribes: bool = True
    """The server sends transcripts of what the user said."""
    ducks: bool = True
    """The voice is lowered as soon as the user seems to speak, where the server will say whether he does."""
    push_to_talk: bool = False
    microphone: bool = True
    """There is a microphone when the conversation begins."""
    microphone_awaited: bool = False
    """There is none then, but there may be one later."""
    microphone_ends: bool = False
    """It is a file or a pipe: held open from the start in push-to-talk, and its end ends the conversation."""
    keyboard: bool = True
    trailing_silence_ms: int = 1500
    """Silence after a microphone file's end that is enough for the server to find the end of speech."""
    language: str = "en"
    greeting: str = ""
    """Told the user when the session stands, if it is not empty."""
    spoken_commands: bool = True
    """Phrases of the user are obeyed as commands."""
    phrases: tuple[tuple[str, str], ...] = ()
    """Of the user's own: a phrase, and the name of the command that it means."""
    history: tuple[Turn, ...] = ()
    """What was said in an earlier conversation that this one goes on with, oldest first."""
    truncates: bool = True
    """The server takes out of an answer what was not heard of it, when it is told."""
    reconnects: bool = False
    """Another connection can be had when one is lost."""
    model: str = ""
    """As it is called in what the user is told."""
    price: Price | None = None
    """Of the model; None: not known, and only tokens are counted."""
    transcription_price: Price | None = None
    max_cost_microusd: int = 0
    """What the run may cost; 0: as much as it does."""
    spent_microusd: int = 0
    """What the run had cost before this conversation."""
    max_length_ms: int = 0
    """How long the conversation may last; 0: as long as it does."""
    asks: tuple[str, ...] = ()
    """Functions that the user is asked about before each call."""
    cancels: tuple[str, ...] = ()
    """Functions whose calls end when the user says stop; any other goes on, and is only not spoken about."""
    shows_calls: bool = False
    """The user sees when a function begins and ends."""

    @property
    def asks_itself(self) -> bool:
        """The server answers no turn by itself: each answer is asked for."""
        return self.barge_in != "instant"
