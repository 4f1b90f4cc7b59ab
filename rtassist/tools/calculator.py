"""The tool `calculate`: arithmetic as it is written, and nothing that a program could do with it."""

import ast
import math
import operator
from collections.abc import Callable
from typing import Annotated, Final

from rtassist.tools.registry import Tool, tool

Number = int | float

LONGEST: Final = 500
"""Characters of an expression."""
MOST_BITS: Final = 4096
"""Of a whole number: over 1,200 digits. 9**9**9 would have 370 million, and take hours."""
LARGEST_FACTORIAL: Final = 400

_SIGNS: Final = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})
_CONSTANTS: Final[dict[str, Number]] = {"pi": math.pi, "e": math.e, "tau": math.tau}
_OPERATORS: Final[dict[type[ast.operator], Callable[[Number, Number], Number]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_FUNCTIONS: Final[dict[str, Callable[..., Number]]] = {
    **{name: getattr(math, name) for name in ("sqrt", "exp", "log", "log2", "log10", "hypot", "gcd", "lcm")},
    **{name: getattr(math, name) for name in ("sin", "cos", "tan", "asin", "acos", "atan", "atan2")},
    **{name: getattr(math, name) for name in ("floor", "ceil", "degrees", "radians")},
    "abs": abs,
    "round": round,
    "min": min,
    "max": max,
}


def calculator() -> Tool:
    def calculate(
        expression: Annotated[
            str,
            "Such as (17 * 23 + 4) / 2 ** 3. Operators + - * / // % **, constants pi e tau, functions "
            f"{', '.join(_FUNCTIONS)}, factorial. Angles are radians.",
        ],
    ) -> str:
        """Work out an arithmetic expression exactly. Use it for every sum that is not obvious."""
        return work_out(expression)

    return tool(calculate)


def work_out(expression: str) -> str:
    """The value, whole numbers with all their digits, others with 15. Raises ValueError with the reason."""
    if len(expression) > LONGEST:
        raise ValueError(f"the expression has {len(expression)} characters; {LONGEST} are allowed")
    written = expression.translate(_SIGNS).replace("^", "**").strip()
    try:
        # Deeper nesting than the parser or the walk can take is refused as what it is: no sum of a person.
        value = _value(ast.parse(written, mode="eval").body)
    except (SyntaxError, MemoryError, RecursionError):
        raise ValueError(f"{expression!r} is not an arithmetic expression") from None
    except ZeroDivisionError:
        raise ValueError("division by zero") from None
    except OverflowError:
        raise ValueError("the result is too large") from None
    except TypeError as error:
        raise ValueError(str(error)) from None
    return str(value) if isinstance(value, int) else f"{value:.15g}"


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            result: object = value
        case ast.Name(id=name) if name in _CONSTANTS:
            result = _CONSTANTS[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            result = -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            result = _value(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            result = _power(_value(left), _value(right))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            result = _OPERATORS[type(sign)](_value(left), _value(right))
        case ast.Call(func=ast.Name(id="factorial"), args=[argument], keywords=[]):
            result = _factorial(_value(argument))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            result = _FUNCTIONS[name](*(_value(argument) for argument in arguments))
        case _:
            raise ValueError(f"{ast.unparse(node)[:40]!r} is not arithmetic")
    if not isinstance(result, int | float):
        raise ValueError("the result is not a real number")
    if isinstance(result, int) and result.bit_length() > MOST_BITS:
        raise OverflowError
    return result


def _power(base: Number, exponent: Number) -> object:
    """Refused before it is worked out, where it is too large: a base of n bits is at least 2 ** (n - 1).

    Complex for what is not real.
    """
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and (int(base).bit_length() - 1) * exponent > MOST_BITS:
        raise OverflowError
    return base**exponent


def _factorial(number: Number) -> int:
    if not isinstance(number, int) or not 0 <= number <= LARGEST_FACTORIAL:
        raise ValueError(f"factorial takes a whole number from 0 to {LARGEST_FACTORIAL}")
    return math.factorial(number)
