"""Normalised match: the same query after sqlglot's normalisation (t2s_tui/sql/normalize.py)."""

from __future__ import annotations

from t2s_tui.evaluation.judged import Judged, Pair, failed, passed
from t2s_tui.records import Outcome
from t2s_tui.sql.dialects import Unparsed
from t2s_tui.sql.normalize import normalize


def judge_normalized(pair: Pair) -> Judged:
    """Pass when the canonical forms are equal; fail when they differ or the generated SQL does not parse;
    error when gold does not parse."""
    gold = normalize(pair.gold, pair.dialect, pair.ddl)
    if isinstance(gold, Unparsed):
        return Judged(Outcome.ERROR, f"gold {gold}")
    if not pair.generated.strip():
        return failed("there is no SQL")
    generated = normalize(pair.generated, pair.dialect, pair.ddl)
    if isinstance(generated, Unparsed):
        return failed(str(generated), gold=gold)
    evidence = {"gold": gold, "generated": generated}
    if gold == generated:
        return passed("the same after normalisation", **evidence)
    return failed("differs after normalisation", **evidence)
