"""What a prompt may say of a pair: the texts, and where it shows evidence what ran and what was tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from t2s_tui.evaluation.judged import Pair
from t2s_tui.records import Outcome

#: The metrics whose verdicts are evidence, in the order in which they are run.
EVIDENCE = ("execution", "equivalence")
NOT_RUN = "not run"
_SIDES = ("gold", "generated")
_ROWS, _COLUMNS, _CELL = 5, 12, 100  # what `table` shows of a result


class Said(Protocol):
    """A verdict, stored or not: `Verdict` and `Judged` are both."""

    @property
    def outcome(self) -> Outcome: ...
    @property
    def why(self) -> str: ...
    @property
    def evidence(self) -> Mapping[str, Any]: ...


def _no_result() -> dict[str, Any]:
    return {"ran": False, "columns": [], "rows": [], "count": 0, "truncated": False, "error": ""}


def _nothing() -> dict[str, Any]:
    sides = {side: _no_result() for side in _SIDES}
    return {"outcome": NOT_RUN, "why": "", "ddl": [], "inserts": [], **sides}


@dataclass(frozen=True, slots=True)
class Facts:
    """The variables of a prompt, by their names.

    `execution` and `equivalence` are plain JSON with `outcome` (pass, fail, error, unknown, not run), `why`,
    and the results `gold` and `generated`: `ran`, `columns`, `rows`, `count`, `truncated`, `error`. Those of
    equivalence are on its counterexample, whose statements are `ddl` and `inserts`.
    """

    ddl: str = ""
    question: str = ""
    gold: str = ""
    generated: str = ""
    dialect: str = "sqlite"
    execution: Mapping[str, Any] = field(default_factory=_nothing)
    equivalence: Mapping[str, Any] = field(default_factory=_nothing)

    def swapped(self) -> Facts:
        """Gold and prediction exchanged, in the evidence as well: what the swap test asks."""
        return replace(
            self,
            gold=self.generated,
            generated=self.gold,
            execution=_exchanged(self.execution),
            equivalence=_exchanged(self.equivalence),
        )


def facts_of(pair: Pair, said: Mapping[str, Said] | None = None) -> Facts:
    """The facts of a pair; `said` holds its verdicts by metric, as far as there are any."""
    said = said or {}
    return Facts(
        ddl=pair.ddl or "",
        question=pair.question,
        gold=pair.gold,
        generated=pair.generated,
        dialect=pair.dialect,
        execution=_ran(said["execution"]) if "execution" in said else _nothing(),
        equivalence=_tried(said["equivalence"]) if "equivalence" in said else _nothing(),
    )


def _ran(said: Said) -> dict[str, Any]:
    sides = {side: _result(said.evidence.get(side)) for side in _SIDES}
    return {**_nothing(), "outcome": str(said.outcome), "why": said.why, **sides}


def _tried(said: Said) -> dict[str, Any]:
    found = said.evidence.get("counterexample") or {}
    return {
        "outcome": str(said.outcome),
        "why": said.why,
        "ddl": list(found.get("ddl") or ()),
        "inserts": list(found.get("inserts") or ()),
        "gold": _result(found.get("gold")),
        "generated": _result(found.get("pred")),
    }


def _result(found: Any) -> dict[str, Any]:
    """A result with all its keys."""
    if not isinstance(found, Mapping):
        return _no_result()
    rows = list(found.get("rows") or ())
    return {
        "ran": True,
        "columns": list(found.get("columns") or ()),
        "rows": rows,
        "count": found.get("count", len(rows)),
        "truncated": bool(found.get("truncated")),
        "error": str(found.get("error") or ""),
    }


def _exchanged(said: Mapping[str, Any]) -> dict[str, Any]:
    """The other way round. What was said in words is said of one side, and left out."""
    return {**said, "gold": said["generated"], "generated": said["gold"], "why": ""}


def table(result: Mapping[str, Any]) -> str:
    """A result as text: its columns and first rows, how many there are, or why there are none."""
    if not result["ran"]:
        return "(not run)"
    if result["error"]:
        return f"(error: {result['error']})"
    lines = [_line(result["columns"]), *(_line(row) for row in result["rows"][:_ROWS])]
    count, more = result["count"], "more than " if result["truncated"] else ""
    if not count:
        lines.append("(no rows)")
    elif count > _ROWS or more:
        lines.append(f"({more}{count} rows, the first {min(_ROWS, count)} shown)")
    return "\n".join(lines)


def _line(cells: Sequence[Any]) -> str:
    shown = [_cell(value) for value in cells[:_COLUMNS]]
    return " | ".join([*shown, *(["…"] if len(cells) > _COLUMNS else [])])


def _cell(value: Any) -> str:
    text = "NULL" if value is None else " ".join(str(value).split())
    return text if len(text) <= _CELL else f"{text[:_CELL]}…"
