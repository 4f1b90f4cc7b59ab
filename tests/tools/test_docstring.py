import pytest

from rtassist.tools.docstring import read

GOOGLE = """Tell the weather
    of a place.

    What stands here is for programmers: it is left out.

    Args:
        place (str): Where, such as
            "Cologne".
        unit: celsius or
            kelvin: either.
        **more: ignored

    Returns:
        text: what comes of it
    """
SPHINX = """Tell the weather.

    :param place: Where.
    :param str unit: celsius
        or kelvin
    :returns: what comes of it
    """


def test_googles_sections() -> None:
    assert read(GOOGLE) == (
        "Tell the weather of a place.",
        {"place": 'Where, such as "Cologne".', "unit": "celsius or kelvin: either.", "more": "ignored"},
    )


def test_sphinxs_fields() -> None:
    assert read(SPHINX) == ("Tell the weather.", {"place": "Where.", "unit": "celsius or kelvin"})


@pytest.mark.parametrize("text", [None, "", "   ", "\n\n"])
def test_no_docstring(text: str | None) -> None:
    assert read(text) == ("", {})


def test_a_section_without_a_description() -> None:
    assert read("\nArgs:\n    a: one\n") == ("", {"a": "one"})
    assert read("Note: this is no section") == ("Note: this is no section", {})
