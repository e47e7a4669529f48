"""What sqlglot leaves undone on the way to SQLite: MySQL's date parts, intervals, LEFT and RIGHT.

`ko_text2sql` is MySQL and is judged on SQLite. Each rule rewrites one kind of node; what has no counterpart
(REGEXP, STR_TO_DATE ...) is left as it is and SQLite says "no such function".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

_STRFTIME = {exp.Year: "%Y", exp.Month: "%m", exp.Day: "%d", exp.DayOfMonth: "%d", exp.Hour: "%H"}
_STRFTIME |= {exp.Minute: "%M", exp.Second: "%S", exp.DayOfYear: "%j"}
_UNITS = {"SECOND": (1, "SECOND"), "MINUTE": (1, "MINUTE"), "HOUR": (1, "HOUR"), "DAY": (1, "DAY")}
_UNITS |= {"WEEK": (7, "DAY"), "MONTH": (1, "MONTH"), "QUARTER": (3, "MONTH"), "YEAR": (1, "YEAR")}
_CLOCK = ("SECOND", "MINUTE", "HOUR")
_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400, "WEEK": 604800}


def rewrite_for_sqlite(tree: exp.Expr) -> exp.Expr:
    """A copy of the tree with every node rewritten that SQLite has another word for, leaves first."""
    root = tree.copy()
    for node in reversed(list(root.walk(bfs=True))):
        rewritten = next((rule(node) for kind, rule in _RULES if isinstance(node, kind)), None)
        if rewritten is not None:
            root = rewritten if node is root else root
            node.replace(rewritten)
    return root


def date_part(node: Any) -> exp.Expr | None:
    """YEAR(d) -> CAST(STRFTIME('%Y', d) AS INTEGER), and so on."""
    return _integer(_call("STRFTIME", exp.Literal.string(_STRFTIME[type(node)]), node.this))


def day_of_week(node: Any) -> exp.Expr | None:
    """DAYOFWEEK(d), Sunday is 1 -> STRFTIME('%w', d) + 1."""
    return exp.paren(_integer(_call("STRFTIME", exp.Literal.string("%w"), node.this)) + 1, copy=False)


def quarter(node: Any) -> exp.Expr | None:
    """QUARTER(d) -> (month + 2) / 3 in integers."""
    month = _integer(_call("STRFTIME", exp.Literal.string("%m"), node.this))
    return _integer(exp.paren(month + 2, copy=False) / 3)


def named_function(node: Any) -> exp.Expr | None:
    """NOW(), SYSDATE(), WEEKDAY(d), UNIX_TIMESTAMP(d)."""
    name, arguments = str(node.this).upper(), node.expressions
    if name in ("NOW", "SYSDATE", "LOCALTIME", "LOCALTIMESTAMP") and not arguments:
        return exp.CurrentTimestamp()
    if name == "WEEKDAY" and len(arguments) == 1:
        sunday_first = _integer(_call("STRFTIME", exp.Literal.string("%w"), arguments[0]))
        return exp.paren(exp.paren(sunday_first + 6, copy=False) % 7, copy=False)
    if name == "UNIX_TIMESTAMP" and len(arguments) == 1:
        return _integer(_call("STRFTIME", exp.Literal.string("%s"), arguments[0]))
    return None


def date_shift(node: Any) -> exp.Expr | None:
    """DATE_ADD(d, INTERVAL n unit), DATE_SUB -> DATE(d, '+n unit'), DATETIME where there is a clock."""
    sign = -1 if isinstance(node, exp.DateSub) else 1
    return _shift(node.this, node.expression, str(node.args.get("unit") or "DAY"), sign)


def interval_arithmetic(node: Any) -> exp.Expr | None:
    """d + INTERVAL n unit, d - INTERVAL n unit."""
    interval = node.expression
    if not isinstance(interval, exp.Interval):
        return None
    return _shift(
        node.this, interval.this, str(interval.args.get("unit")), -1 if isinstance(node, exp.Sub) else 1
    )


def date_difference(node: Any) -> exp.Expr | None:
    """DATEDIFF(a, b) counts calendar days: the clock is dropped first."""
    days = _call("JULIANDAY", _call("DATE", node.this)) - _call("JULIANDAY", _call("DATE", node.expression))
    return _integer(exp.paren(days, copy=False))


def timestamp_difference(node: Any) -> exp.Expr | None:
    """TIMESTAMPDIFF(unit, a, b) for whole years and for units that are a number of seconds."""
    unit, later, earlier = str(node.args.get("unit")).upper(), node.this, node.expression
    if unit in _SECONDS:
        span = [_integer(_call("STRFTIME", exp.Literal.string("%s"), t)) for t in (later, earlier)]
        return _integer(exp.paren(span[0] - span[1], copy=False) / _SECONDS[unit])
    if unit != "YEAR":
        return None
    years = [_integer(_call("STRFTIME", exp.Literal.string("%Y"), t)) for t in (later, earlier)]
    moments = [_call("DATETIME", t) for t in (later, earlier)]
    days = [_call("STRFTIME", exp.Literal.string("%m-%d %H:%M:%S"), t) for t in (later, earlier)]
    forward = exp.and_(moments[0] >= moments[1], days[0] < days[1])
    backward = exp.and_(moments[0] < moments[1], days[0] > days[1])
    # Whole years towards zero: an anniversary that has not come yet does not count, in either direction.
    return exp.paren(years[0] - years[1] - exp.paren(forward) + exp.paren(backward), copy=False)


def left_part(node: Any) -> exp.Expr | None:
    """LEFT(s, n) -> SUBSTR(s, 1, n)."""
    return _call("SUBSTR", node.this, exp.Literal.number(1), node.expression)


def right_part(node: Any) -> exp.Expr | None:
    """RIGHT(s, n) -> SUBSTR(s, -n)."""
    return _call("SUBSTR", node.this, exp.Neg(this=exp.paren(node.expression)))


def _shift(moment: Any, count: Any, unit: str, sign: int) -> exp.Expr | None:
    factor, unit = _UNITS.get(unit.upper().rstrip("S"), (0, ""))
    if isinstance(count, exp.Neg):
        sign, count = -sign, count.this
    if not factor or not isinstance(count, exp.Literal):
        return None
    try:
        amount = sign * factor * int(count.this)
    except ValueError:
        return None
    name = "DATETIME" if unit in _CLOCK or _has_clock(moment) else "DATE"
    return _call(name, moment, exp.Literal.string(f"{amount:+d} {unit}"))


def _has_clock(moment: Any) -> bool:
    """Whether a moment surely has a time of day. A bare column is taken for a date, as sqlglot does."""
    if isinstance(moment, exp.Literal):
        return len(str(moment.this)) > 10
    if isinstance(moment, exp.Anonymous):
        return str(moment.this).upper() in ("NOW", "SYSDATE", "DATETIME")
    return isinstance(moment, exp.CurrentTimestamp | exp.CurrentDatetime)


def _call(name: str, *arguments: Any) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[a.copy() for a in arguments])


def _integer(value: Any) -> exp.Expr:
    return exp.cast(value, "INTEGER", copy=False)


_RULES: tuple[tuple[Any, Callable[[Any], exp.Expr | None]], ...] = (
    (tuple(_STRFTIME), date_part),
    (exp.DayOfWeek, day_of_week),
    (exp.Quarter, quarter),
    (exp.DateAdd | exp.DateSub, date_shift),
    (exp.Add | exp.Sub, interval_arithmetic),
    (exp.DateDiff, date_difference),
    (exp.TimestampDiff, timestamp_difference),
    (exp.Left, left_part),
    (exp.Right, right_part),
    (exp.Anonymous, named_function),
)
