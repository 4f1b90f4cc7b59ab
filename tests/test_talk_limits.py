"""A budget, and a time, that `rtassist talk` keeps."""

from pathlib import Path

from tests.test_cli import rtassist

PRICES = '[prices."gpt-realtime-2.1"]\ntext_in = 4\ntext_out = 9000\n'
"""A word costs a cent, also at the embedded server."""


def config(folder: Path) -> str:
    (folder / "config.toml").write_text(PRICES)
    return str(folder / "config.toml")


def test_past_the_budget_nothing_is_answered_and_it_says_why(tmp_path: Path) -> None:
    said = rtassist(
        *("talk", "--offline", "--text", "--max-cost", "0.05"),
        folder=tmp_path,
        typed="what is 17 times 23\nand plus 9\n/cost\n",
        RTASSIST_CONFIG=config(tmp_path),
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout == "Seventeen times twenty-three is 391.\n"
    told = said.stderr.splitlines()
    assert [line.split(" (")[0] for line in told if line.startswith("The budget")] == [
        "The budget of $0.05 is spent"
    ]
    assert any(line.startswith("1 answer of gpt-realtime-2.1: $0.08") for line in told)
    assert "$0.000 of $0.05 are left (--max-cost)." in told


def test_our_own_server_is_free_and_an_unknown_model_is_counted_in_tokens(tmp_path: Path) -> None:
    typed = "hello\n/cost\n"
    free = rtassist("talk", "--offline", "--text", "--max-cost", "0.01", folder=tmp_path, typed=typed)
    assert "1 answer of gpt-realtime-2.1: $0.000, for this program's own server is free." in free.stderr

    unknown = rtassist(
        *("talk", "--offline", "--text"),
        folder=tmp_path,
        typed=typed,
        RTASSIST_STT_URL="http://127.0.0.1:9/v1",
    )
    assert "No price is known" in unknown.stderr
