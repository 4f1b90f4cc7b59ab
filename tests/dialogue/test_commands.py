"""What the user can tell the program itself: slash commands, spoken phrases, keys."""

import pytest

from rtassist.dialogue import commands, phrases
from rtassist.dialogue.commands import TABLE, Command, Entry, Order
from rtassist.dialogue.effects import ClearAlarm, Outcome, Quit, SetAlarm, Show
from rtassist.dialogue.events import Interrupted, MicBack, MicLost, TimerDue
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.step import step
from rtassist.dialogue.terms import Terms
from rtassist.protocol import InputAudioBufferCleared, Session
from tests.playbook import (
    Playbook,
    Says,
    after,
    append,
    audio,
    cancel,
    clear,
    committed,
    create,
    created,
    delete,
    done,
    ended,
    finish,
    heard,
    hush,
    line,
    listening,
    message,
    play,
    rang,
    said,
    session_updated,
    speech_started,
    speech_stopped,
    system_message,
    transcribed,
    transcribing,
    truncate,
    typed,
    update,
)

ALARMS = (SetAlarm, ClearAlarm)
TEA = "The timer 'tea' is due. Tell the user now, in one short sentence."


def terms(**changes: object) -> Terms:
    return Terms(**{"session": Session(type="realtime"), **changes})  # type: ignore[arg-type]  # named freely


def spoken(**terms: object) -> Conversation:
    """The user has said something whose words are still to come."""
    return after(listening(**terms), speech_started("U1"), speech_stopped("U1"), committed("U1"))


# Words that mean a command


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ("Stop.", Command.INTERRUPT),
        ("Stop, please.", None),
        ("Please stop the timer", None),
        ("stop it!", Command.INTERRUPT),
        ("SHUT UP", Command.INTERRUPT),
        ("Goodbye!", Command.GOODBYE),
        ("Good-bye", Command.GOODBYE),
        ("Say goodbye in French", None),
        ("pause", Command.PAUSE),
        ("Resume listening.", Command.RESUME),
        ("Mute.", Command.MUTE),
        ("Start over", Command.RESTART),
        ("quit", None),
        ("", None),
    ],
)
def test_a_phrase_is_a_command_when_it_is_all_that_was_said(said: str, command: Command | None) -> None:
    assert commands.phrase(said, terms()) is command


@pytest.mark.parametrize(
    ("language", "said", "command"),
    [
        ("en-GB", "Stop!", Command.INTERRUPT),
        ("de", "Hör auf!", Command.INTERRUPT),
        ("de", "Auf Wiedersehen.", Command.GOODBYE),
        ("de", "Sag meiner Tante auf Wiedersehen", None),
        ("de", "be quiet", None),
        ("fr", "Tais-toi !", Command.INTERRUPT),
        ("fr", "Au revoir", Command.GOODBYE),
        ("es", "¡Cállate!", Command.INTERRUPT),
        ("es", "Hasta luego", Command.GOODBYE),
        ("ja", "stop", None),
        ("", "stop", Command.INTERRUPT),
        ("", "Adiós", Command.GOODBYE),
    ],
)
def test_phrases_are_of_the_language_that_is_spoken(
    language: str, said: str, command: Command | None
) -> None:
    assert commands.phrase(said, terms(language=language)) is command


def test_every_phrase_means_a_command_and_no_two() -> None:
    for language, table in phrases.TABLE.items():
        assert set(table) == {"goodbye", "interrupt", "pause", "resume", "mute", "restart"}
        said = [phrases.plain(one) for row in table.values() for one in row.split(",")]
        assert len(said) == len(set(said)), language
        assert all(commands.phrase(one, terms(language="")) is not None for one in said)


def test_phrases_of_ones_own_go_before_all() -> None:
    own = terms(language="de", phrases=(("computer schweig", "interrupt"), ("stopp", "goodbye")))
    assert commands.phrase("Computer, schweig!", own) is Command.INTERRUPT
    assert commands.phrase("Stopp.", own) is Command.GOODBYE
    assert commands.phrase("Halt", own) is Command.INTERRUPT


def test_phrases_can_be_turned_off() -> None:
    assert commands.phrase("stop", terms(spoken_commands=False)) is None
    state = after(spoken(spoken_commands=False), created("R1"), audio("A1", ms=300))
    assert Playbook(state) >> transcribed("U1", "Stop.") >> typed("/interrupt") << hush("A1")


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry.command.value)
def test_each_command_has_a_slash_and_does_something(entry: Entry) -> None:
    argument = entry.choices[0] if entry.choices else "last" if entry.argument else ""
    line = f"/{entry.command.value.upper()} {argument} "
    assert commands.slash(line) == Order(entry.command, argument)
    _, effects = step(listening(), 0, typed(line))
    assert effects or entry.command in (Command.INTERRUPT, Command.GOODBYE)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/qit", "There is no command /qit. Did you mean /quit? /help lists them."),
        ("/xyzzy", "There is no command /xyzzy. /help lists them."),
        ("/", "There is no command /. /help lists them."),
        ("/quit now", "/quit takes nothing behind it."),
        ("/say", "/say TEXT: TEXT is missing."),
        ("/image", "/image FILE [QUESTION]: FILE is missing."),
        ("/vad fast", "/vad fast: must be server, semantic or off."),
        ("/timestamps maybe", "/timestamps maybe: must be on or off."),
        ("/help mtue", "There is no command /mtue. Did you mean /mute? /help lists them."),
    ],
)
def test_a_typing_error_is_told_with_what_was_meant(line: str, sentence: str) -> None:
    assert Playbook(listening(), blind_to=()) >> typed(line) << Says(sentence, "reply")


def test_help_names_every_command_and_what_can_be_said() -> None:
    def told(line: str, **terms: object) -> list[str]:
        _, effects = step(listening(**terms), 0, typed(line))
        return [effect.what.text for effect in effects if isinstance(effect, Show)]  # type: ignore[union-attr]

    lines = told("/help")
    assert len(lines) == len(Command) == len(TABLE)
    assert all(line.startswith(f"/{command.value}") for command, line in zip(Command, lines, strict=True))
    assert lines[2].endswith('(say "goodbye")')
    assert told("/help", language="de")[2].endswith('(say "auf wiedersehen")')
    assert "(say" not in "".join(told("/help", spoken_commands=False))
    assert told("/help /mute") == told("/help mute") == ['/mute  microphone off, or on again (say "mute")']


# Stop


def test_stop_said_aloud_silences_the_answer_to_it() -> None:
    assert (
        Playbook(spoken())
        >> created("R1")
        >> audio("A1", ms=300)
        << play("A1", ms=300)
        >> transcribed("U1", "Stop.")
        << hush("A1")
        >> ended("A1", ms=100)
        << truncate("A1", ms=100)
        << cancel("R1")
    )


def test_stop_said_aloud_denies_the_answer_that_has_not_begun() -> None:
    assert Playbook(spoken()) >> transcribed("U1", "Stop.") >> created("R1") << cancel("R1")


def test_stop_inside_a_sentence_stops_nothing() -> None:
    state = after(spoken(), created("R1"), audio("A1", ms=300))
    assert Playbook(state) >> transcribed("U1", "When do buses stop?")


@pytest.mark.parametrize("said", [typed("/interrupt"), typed("stop"), typed(""), typed("  "), Interrupted()])
def test_every_way_to_say_stop_is_the_same(said: Interrupted) -> None:
    state = after(listening(), created("R1"), audio("A1", ms=300))
    assert (
        Playbook(state) >> said << hush("A1") >> ended("A1", ms=100) << truncate("A1", ms=100) << cancel("R1")
    )


def test_stop_takes_back_what_was_wanted() -> None:
    assert (
        Playbook(after(listening(), created("R1")))
        >> TimerDue("tea")
        << system_message(TEA)
        >> Interrupted()
        << cancel("R1")
        >> done("R1", "cancelled")
    )


def test_the_bare_enter_key_denies_what_has_not_begun() -> None:
    assert Playbook(after(listening(), typed("hello"))) >> typed("") >> created("R1") << cancel("R1")


# Pause, mute


def test_pause_within_a_sentence_forgets_it() -> None:
    assert (
        Playbook(
            after(listening(), heard(ms=200), speech_started("U1"), transcribing("U1", "What t")),
            blind_to=ALARMS,
        )
        >> typed("/pause")
        << line("U1", "What t", "user")
        << clear()
        << Says("Paused")
        >> heard(ms=20)
        >> typed("/resume")
        << Says("Listening.")
        >> heard(ms=20)
        << append(ms=20)
    )


def test_pause_silences() -> None:
    state = after(listening(), created("R1"), audio("A1", ms=300))
    assert (
        Playbook(state)
        >> typed("pause")
        << hush("A1")
        >> ended("A1")
        << cancel("R1")
        >> done("R1")
        << delete("A1")
    )


def test_pause_said_aloud_is_not_answered() -> None:
    assert Playbook(spoken()) >> transcribed("U1", "Pause.") >> created("R1") << cancel("R1")


def test_a_turn_that_the_server_ends_after_a_pause_is_not_answered() -> None:
    """Its end and our pause have crossed."""
    assert (
        Playbook(after(listening(), speech_started("U1"), typed("/pause")))
        >> speech_stopped("U1")
        >> created("R1")
        << cancel("R1")
    )


def test_speech_that_the_server_finds_after_the_microphone_is_off_blocks_nothing() -> None:
    """The server had it before; it will not hear the end of it."""
    assert (
        Playbook(after(listening(), heard(ms=200), typed("/mute")), blind_to=ALARMS)
        >> speech_started("U1")
        >> typed("hello")
        << line("", "hello", "user", typed=True)
        << message("hello")
        << update(Session(type="realtime"))
        >> said(InputAudioBufferCleared(event_id="e"))
        >> session_updated()
        << create()
    )


def test_mute_is_a_switch() -> None:
    assert (
        Playbook(listening(), blind_to=ALARMS)
        >> heard(ms=20)
        << append(ms=20)
        >> typed("/mute")
        << clear()
        << Says("Microphone off")
        >> heard(ms=20)
        >> typed("mute")
        << Says("Listening.")
        >> heard(ms=20)
        << append(ms=20)
    )


def test_without_a_microphone_nobody_speaks_of_one() -> None:
    assert (
        Playbook(listening(microphone=False), blind_to=())
        >> typed("/mute")
        << Says("There is no microphone.")
        >> typed("/pause")
        << Says("Paused. /resume goes on.")
        >> typed("/mute")
        << Says("Going on.")
    )


def test_a_microphone_that_may_return_is_muted_when_it_is_back() -> None:
    lost = after(listening(), MicLost("unplugged", may_return=True))
    assert Playbook(after(lost, typed("/mute"), MicBack("USB"))) >> heard(ms=20)


def test_a_microphone_that_is_still_to_come_is_muted_when_it_comes() -> None:
    awaited = listening(microphone=False, microphone_awaited=True)
    assert (
        Playbook(awaited, blind_to=ALARMS)
        >> typed("/mute")
        << Says("Microphone off")
        >> MicBack("USB")
        << Says("The microphone is there: USB.")
        >> heard(ms=20)
        >> typed("/mute")
        << Says("Listening.")
        >> heard(ms=20)
        << append(ms=20)
    )


def test_mute_in_a_pause_turns_the_microphone_on() -> None:
    book = (
        Playbook(after(listening(), typed("/pause")), blind_to=ALARMS) >> typed("/mute") << Says("Listening.")
    )
    assert book
    assert (book.state.paused, book.state.muted) == (False, False)


def test_mute_lets_the_answer_go_on() -> None:
    state = after(listening(), created("R1"), audio("A1", ms=300))
    assert Playbook(state) >> typed("/mute") >> audio("A1", ms=300) << play("A1", ms=300)


# Leaving


def test_goodbye_ends_when_the_farewell_has_been_heard() -> None:
    assert (
        Playbook(spoken())
        >> transcribed("U1", "Goodbye!")
        >> created("R1")
        >> audio("A1", ms=500)
        << play("A1", ms=500)
        >> done("R1")
        << finish("A1")
        >> ended("A1", ms=500)
        << Quit()
    )


def test_goodbye_whose_words_come_after_the_farewell_ends_at_once() -> None:
    state = after(spoken(), created("R1"), audio("A1", ms=500), done("R1"), ended("A1", ms=500))
    assert Playbook(state) >> transcribed("U1", "Bye bye.") << Quit()


@pytest.mark.parametrize(("typing", "text"), [("/goodbye", "goodbye"), ("See you later!", "See you later!")])
def test_goodbye_typed_is_said_to_the_model(typing: str, text: str) -> None:
    assert (
        Playbook(listening(voiced=False))
        >> typed(typing)
        << message(text)
        << create()
        >> created("R1")
        >> done("R1")
        << Quit()
    )


def test_goodbye_without_a_farewell_ends_when_it_is_overdue() -> None:
    assert Playbook(after(listening(), typed("goodbye"))) >> rang("answer") << Quit()


def test_a_farewell_that_is_spoken_over_is_answered_before_the_end() -> None:
    state = after(listening(), typed("goodbye"), created("R1"), audio("A1", ms=500))
    assert (
        Playbook(state)
        >> speech_started("U1")
        << hush("A1")
        >> ended("A1", ms=100)
        << truncate("A1", ms=100)
        >> done("R1", "cancelled")
        >> speech_stopped("U1")
        >> created("R2")
        >> done("R2")
        >> transcribed("U1", "Wait!")
        << Quit()
    )


def test_quit_leaves_at_once() -> None:
    state = after(listening(), created("R1"), audio("A1", ms=500))
    book = (
        Playbook(state) >> typed("/quit") << Quit() >> audio("A1", ms=500) >> Interrupted() >> typed("/quit")
    )
    assert book
    assert book.state.over


def test_a_new_conversation_is_silence_first() -> None:
    state = after(listening(), created("R1"), audio("A1", ms=500))
    assert Playbook(state) >> typed("/restart") << hush("A1") << Quit(Outcome.RESTART)


def test_a_new_conversation_can_be_asked_for_aloud() -> None:
    assert Playbook(spoken()) >> transcribed("U1", "Start over.") << Quit(Outcome.RESTART)


def test_a_language_without_phrases_has_the_slash_commands() -> None:
    assert (
        Playbook(spoken(language="ja"))
        >> created("R1")
        >> audio("A1", ms=9)
        << play("A1", ms=9)
        >> transcribed("U1", "Stop.")
        >> typed("/interrupt")
        << hush("A1")
    )
