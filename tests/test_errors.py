import pytest

from rtassist import errors
from rtassist.errors import Failure, Refused, SettingsWrong, foreign_text, without_secrets


def test_each_failure_ends_the_process_with_its_documented_code() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Failure)]
    codes = {kind.__name__: kind.exit_code for kind in kinds}

    assert codes == {
        "Failure": 1,
        "SettingsWrong": 2,
        "CannotConnect": 3,
        "Refused": 4,
        "LinkFailed": 5,
        "NoRealtime": 6,
        "SoundUnavailable": 7,
    }
    assert (errors.EXIT_OK, errors.EXIT_BUG, errors.EXIT_INTERRUPTED) == (0, 70, 130)


def test_a_failure_prints_as_its_message() -> None:
    assert str(Failure("the disk is full; delete a session")) == "the disk is full; delete a session"
    assert str(SettingsWrong(["one", "two"])) == "one\ntwo"
    assert SettingsWrong(["one", "two"]).problems == ("one", "two")
    assert Refused("no", code="invalid_api_key").code == "invalid_api_key"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("the key hunter22 is wrong", "the key [secret] is wrong"),
        ("hunter22-and-more", "[secret]"),
        ("Incorrect API key provided: sk-proj-********abcd.", "Incorrect API key provided: [secret]."),
        ("Authorization: Bearer abcdefghi", "Authorization: Bearer [secret]"),
        ("ek_68af296e8e408191a1120ab6383263c2 expired", "[secret] expired"),
        ("the task-force asks for a desk-lamp", "the task-force asks for a desk-lamp"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_no_secret_stays_in_a_text(text: str, clean: str) -> None:
    assert without_secrets(text, ["hunter22", "", "hunter22-and-more"]) == clean


def test_a_strangers_text_can_neither_command_the_terminal_nor_fill_it() -> None:
    assert foreign_text("\x1b[2J you\r\nlose\x07 ") == "[2J you lose"
    assert foreign_text("a" * 301) == "a" * 299 + "…"
    assert foreign_text("ключ пин\tсекрет", ["секрет"]) == "ключ пин [secret]"
