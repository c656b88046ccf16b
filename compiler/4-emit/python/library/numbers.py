"""Plain numbers: infinite or not a number where Python would raise."""
import math
from decimal import Decimal


def divide(a: float, b: float) -> float:
    """a / b."""
    if b != 0:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)


def power(a: float, b: float) -> float:
    """a ** b."""
    if math.isnan(b) or (abs(a) == 1 and math.isinf(b)):
        return math.nan
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:
        return math.inf if a == 0 else math.nan


def sqrt(x: float) -> float:
    """The square root."""
    return math.sqrt(x) if x >= 0 else math.nan


def exp(x: float) -> float:
    """e ** x."""
    return math.exp(x) if x < 709 or math.isnan(x) else power(math.e, x)


def log(x: float) -> float:
    """The natural logarithm."""
    if x > 0:
        return math.log(x)
    return -math.inf if x == 0 else math.nan


def floor(x: float) -> float:
    """The largest whole number that is not above."""
    return math.floor(x) if math.isfinite(x) else x


def item(values: list, place: int) -> float:
    """An item of a list that may be shorter."""
    return values[place] if place < len(values) else math.nan


def is_multiple(value: float, step: float) -> bool:
    """Whether a number is a multiple of another, as far as float64 can tell."""
    quotient = value / step
    return abs(quotient - math.floor(quotient + 0.5)) <= 1e-9 * max(1, abs(quotient))


def number_text(value: float) -> str:
    """A number as `ltxc run` writes it: no point where it is whole."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == math.floor(value) and abs(value) < 1e21:
        return str(int(value))
    digits, _, exponent = repr(float(value)).partition("e")
    if 1e-6 <= abs(value) < 1e21:
        return format(Decimal(repr(float(value))), "f")
    return f"{digits}e{int(exponent):+d}"
