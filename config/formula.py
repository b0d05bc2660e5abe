"""Linear expressions over measures, as metric files write them: names, `+`, `-`, `number *`, parentheses.

Nothing else is allowed, so that a formula of sums is the sum of formulas: any split of a whole
gives the same figure. A quotient belongs between numerator and denominator, never inside one.
"""

import ast
import math


class FormulaError(ValueError):
    """An expression that is not linear over measures; the message says which part."""


def linear_terms(expression: str) -> dict[str, float]:
    """Coefficient of every measure in a linear expression; raises FormulaError."""
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FormulaError(f"cannot read {expression!r}") from None
    terms = _terms(tree.body)
    if terms.pop("", 0.0):
        raise FormulaError(f"{expression!r} adds a plain number; a number may only multiply a measure")
    if not any(terms.values()):
        raise FormulaError(f"{expression!r} names no measure")
    return {name: coefficient for name, coefficient in terms.items() if coefficient}


def _terms(node: ast.expr) -> dict[str, float]:
    """Coefficients of a part; the plain number in it stands under ''."""
    match node:
        case ast.Name(id=name):
            return {name: 1.0}
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool) and math.isfinite(number):
            return {"": float(number)}
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _scaled(_terms(operand), -1.0)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _added(_terms(left), _terms(right))
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _added(_terms(left), _scaled(_terms(right), -1.0))
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _product(_terms(left), _terms(right), node)
    raise FormulaError(f"{ast.unparse(node)!r} is not a measure, a sum, a difference or a number times a measure")


def _added(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in (one | other)}


def _scaled(terms: dict[str, float], factor: float) -> dict[str, float]:
    return {name: coefficient * factor for name, coefficient in terms.items()}


def _product(one: dict[str, float], other: dict[str, float], node: ast.expr) -> dict[str, float]:
    if one.keys() == {""}:
        return _scaled(other, one[""])
    if other.keys() == {""}:
        return _scaled(one, other[""])
    raise FormulaError(f"{ast.unparse(node)!r} multiplies measures with each other")
