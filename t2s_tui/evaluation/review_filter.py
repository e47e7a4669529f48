"""The filter of predictions: `judge:yes equiv:fail fault:join-type`, and what its words mean. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.review import FaultCount, ReviewRow
from t2s_tui.records import Outcome
from t2s_tui.text import nfc

_METRICS: Mapping[str, str] = {
    "exact": "exact",
    "norm": "normalized",
    "normalized": "normalized",
    "exec": "execution",
    "execution": "execution",
    "equiv": "equivalence",
    "equivalence": "equivalence",
    "judge": "judge",
    "human": "human",
}
_OUTCOMES: Mapping[str, Outcome | None] = {
    **dict.fromkeys(("pass", "yes", "right", "ok"), Outcome.PASS),
    **dict.fromkeys(("fail", "no", "wrong"), Outcome.FAIL),
    "unknown": Outcome.UNKNOWN,
    "error": Outcome.ERROR,
    "missing": Outcome.MISSING,
    "none": None,  # not run
}
_TEXT_FIELDS = ("db", "sql", "gold", "stopped")
_WORD_FIELDS = ("fault", "faults", "class")
_IS = ("failing", "reviewed", "cut")


@dataclass(frozen=True, slots=True)
class _Term:
    field: str
    values: tuple[str, ...]
    negated: bool


def filter_rows(rows: Sequence[ReviewRow], query: str) -> list[ReviewRow]:
    """The rows on which every term of the query holds, in their order.

    Terms are separated by spaces: `judge:yes`, `exec:fail,error` (any of them), `-exact:pass` (not),
    `is:failing` / `is:reviewed` / `is:cut` (decoding ran into its limit), `fault:join-type` (the leading
    fault has these words), `faults:` (any of its faults), `class:null` (how equivalence was shown or
    refuted), `db:`, `sql:`, `gold:`, `stopped:` (contains), `#47` (the number), and plain words that must
    occur in the question, its database or either SQL. Raises UsageError for a field or a value that does
    not exist, naming those that do.
    """
    terms = [_term(word) for word in nfc(query).split()]
    return [row for row in rows if all(_holds(row, term) for term in terms)]


def _term(word: str) -> _Term:
    negated = word.startswith("-") and len(word) > 1
    body = word[1:] if negated else word
    if body.startswith("#") and body[1:].isdigit():
        return _Term("#", (body[1:],), negated)
    name, colon, value = body.partition(":")
    name = name.casefold()
    if not colon or not name.isalpha() or not name.isascii():
        return _Term("", (body.casefold(),), negated)
    values = tuple(v for v in value.casefold().split(",") if v)
    if name in _METRICS:
        _known(values, _OUTCOMES, name)
        return _Term(_METRICS[name], values, negated)
    if name == "is":
        _known(values, _IS, name)
        return _Term("is", values, negated)
    if name in _TEXT_FIELDS + _WORD_FIELDS and values:
        return _Term(name, values, negated)
    fields = ", ".join(
        ["exact", "norm", "exec", "equiv", "judge", "human", "is", *_WORD_FIELDS, *_TEXT_FIELDS]
    )
    raise UsageError(f"The filter has no field {name!r}", f"there are {fields}, and plain words")


def _known(values: Sequence[str], known: Mapping[str, object] | Sequence[str], name: str) -> None:
    wrong = [v for v in values if v not in known]
    if wrong or not values:
        given = f"{name}:{','.join(wrong)}"
        raise UsageError(f"{given!r} is no filter", f"after {name}: use one of {', '.join(known)}")


def _holds(row: ReviewRow, term: _Term) -> bool:
    return _plainly(row, term) != term.negated


def _plainly(row: ReviewRow, term: _Term) -> bool:
    example, prediction = row.example, row.prediction
    match term.field:
        case "":
            texts = (example.question, example.db_id, example.gold, prediction.sql)
            return any(term.values[0] in nfc(text).casefold() for text in texts)
        case "#":
            return str(example.number) == term.values[0]
        case "is":
            return any(_is(row, value) for value in term.values)
        case "db" | "sql" | "gold" | "stopped":
            text = {"db": example.db_id, "gold": example.gold, "sql": prediction.sql}
            where = nfc(text.get(term.field, prediction.stopped)).casefold()
            return any(value in where for value in term.values)
        case "fault" | "faults" | "class":
            names = {"fault": (row.fault,), "faults": row.faults, "class": (row.shown,)}[term.field]
            return any(_has_words(name, value) for name in names if name for value in term.values)
    outcome = row.outcomes.get(term.field)
    return any(_OUTCOMES[value] is outcome for value in term.values)


def _has_words(name: str, value: str) -> bool:
    """Whether every word of `join-type` is one of `join type`."""
    return _words(value) <= _words(name)


def _words(name: str) -> set[str]:
    return set(name.casefold().replace("-", " ").replace("_", " ").replace("/", " ").split())


def fault_query(count: FaultCount) -> str:
    """The filter that leaves the rows this fault leads; of one that leads none, those that have it."""
    words = "-".join(count.fault.replace("/", " ").split())
    return f"fault:{words}" if count.leading else f"faults:{words}"


def _is(row: ReviewRow, what: str) -> bool:
    if what == "failing":
        return row.failing
    if what == "reviewed":
        return "human" in row.outcomes
    return row.prediction.stopped == "length"
