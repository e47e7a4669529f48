"""What an evaluation has left to judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.request import EvaluateRequest
from t2s_tui.records import Outcome, Verdict

_DECIDED = (Outcome.PASS, Outcome.FAIL)
#: Words that stand for examples: asked, but without a word that counts; asked, and no answer came at all.
MISSING, FAILED = "missing", "failed"
_SHOWN = 3


def left_of(
    request: EvaluateRequest, keys: Iterable[str], there: Mapping[str, Verdict], version: str
) -> list[str]:
    """The examples, in the order of `keys`, that get a verdict; `there` is what one metric said before.

    Raises UsageError for a chosen example that the set does not have.
    """
    keys = list(keys)
    if request.only is not None:
        return _chosen(request.only, keys, there)
    if request.redo:
        return keys
    return [key for key in keys if not _stands(there.get(key), version)]


def _stands(verdict: Verdict | None, version: str) -> bool:
    return verdict is not None and verdict.version == version and verdict.outcome in _DECIDED


def _chosen(only: Iterable[str], keys: list[str], there: Mapping[str, Verdict]) -> list[str]:
    wanted = set(only)
    named = wanted - {MISSING, FAILED}
    if strangers := sorted(named.difference(keys)):
        more = f" and {len(strangers) - _SHOWN} more" if len(strangers) > _SHOWN else ""
        raise UsageError(
            f"The set has no example {', '.join(strangers[:_SHOWN])}{more}",
            f"name ids of its examples, or {MISSING} or {FAILED}",
        )
    return [key for key in keys if key in named or wanted & _words(there.get(key))]


def _words(verdict: Verdict | None) -> set[str]:
    if verdict is None or verdict.outcome is not Outcome.MISSING:
        return set()
    return {MISSING} if "answer" in verdict.evidence else {MISSING, FAILED}
