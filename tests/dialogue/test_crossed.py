"""What the server said before it knew what we had done."""

from rtassist.dialogue.effects import Send
from rtassist.dialogue.step import step
from rtassist.protocol import InputAudioBufferCleared, ResponseCreate
from tests.playbook import after, listening, said, speech_started, typed


def test_a_sentence_that_we_took_back_before_we_knew_of_it_has_no_end() -> None:
    """The server hears speech, and then our pause; word of both comes after the microphone is on again."""
    crossed = after(
        listening(),
        typed("/pause"),
        typed("/resume"),
        speech_started("U1"),
        said(InputAudioBufferCleared(event_id="e")),
    )
    assert not crossed.user_speaks

    _, effects = step(crossed, 0, typed("hello"))
    assert any(isinstance(effect, Send) and isinstance(effect.event, ResponseCreate) for effect in effects)
