import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtassist.tools.calculator import calculator, work_out
from rtassist.tools.registry import Toolbox


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("17 * 23", "391"),
        ("2 + 3 * 4", "14"),
        ("(2 + 3) * 4", "20"),
        ("7 // 2", "3"),
        ("7 % 4", "3"),
        ("-7 + +2", "-5"),
        ("1 / 4", "0.25"),
        ("1/3", "0.333333333333333"),
        ("0.1 + 0.2", "0.3"),
        ("2 ** 100", "1267650600228229401496703205376"),
        ("2^10", "1024"),
        ("6 × 7 − 2 ÷ 1", "40"),
        ("2 ** -2", "0.25"),
        ("1 ** (10 ** 300)", "1"),
        ("sqrt(2) * sqrt(2)", "2"),
        ("round(pi, 3)", "3.142"),
        ("max(1, 2, 3) + abs(-4)", "7"),
        ("factorial(5)", "120"),
        ("log10(1000)", "3"),
        ("1e3", "1000"),
    ],
)
def test_a_sum(expression: str, value: str) -> None:
    assert work_out(expression) == value


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("9**9**9", "the result is too large"),
        ("9**9**9**9**9", "the result is too large"),
        ("10 ** 5000", "the result is too large"),
        ("*".join(["10**1000"] * 5), "the result is too large"),
        ("factorial(10**6)", "factorial takes a whole number from 0 to 400"),
        ("factorial(2.5)", "factorial takes"),
        ("exp(1000)", "the result is too large"),
        ("2.0 ** 5000", "the result is too large"),
        ("1 / 0", "division by zero"),
        ("5 % 0", "division by zero"),
        ("sqrt(-1)", "math domain error"),
        ("(-1) ** 0.5", "the result is not a real number"),
        ("", "is not an arithmetic expression"),
        ("2 +", "is not an arithmetic expression"),
        ("(" * 400 + "1" + ")" * 99, "is not an arithmetic expression"),
        ("1" * 501, "501 characters; 500 are allowed"),
        ("__import__('os').system('true')", "is not arithmetic"),
        ("().__class__", "is not arithmetic"),
        ("open('x')", "is not arithmetic"),
        ("[1][0]", "is not arithmetic"),
        ("'a' * 3", "is not arithmetic"),
        ("True + 1", "is not arithmetic"),
        ("1 if 2 else 3", "is not arithmetic"),
        ("x := 3", "is not an arithmetic expression"),
        ("round(1, ndigits=2)", "is not arithmetic"),
        ("sqrt()", "argument"),
        ("1 << 9999999", "is not arithmetic"),
    ],
)
def test_what_is_no_sum(expression: str, reason: str) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match=re.escape(reason)):
        work_out(expression)
    assert time.process_time() - began < 5, "9**9**9 would take hours"


@given(
    st.recursive(
        st.integers(0, 99).map(str), lambda e: st.builds("({} {} {})".format, e, st.sampled_from("+-*"), e)
    )
)
def test_it_is_what_python_makes_of_it(expression: str) -> None:
    if len(expression) <= 500:
        assert work_out(expression) == str(eval(expression))


@given(st.text(alphabet="0123456789+-*/%.()^ epi,sqrtmax", max_size=60))
def test_any_text_is_a_number_or_a_reason(expression: str) -> None:
    try:
        worked_out = work_out(expression)
    except ValueError as reason:
        worked_out = str(reason)
    assert worked_out


async def test_as_a_tool() -> None:
    toolbox = Toolbox([calculator()])
    assert await toolbox.run("calculate", '{"expression": "17 * 23"}') == "391"
    assert json.loads(await toolbox.run("calculate", '{"expression": "1/0"}')) == {
        "error": "calculate failed: division by zero"
    }
