"""A score as a row of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from t2s_tui.commands.output import percent

if TYPE_CHECKING:
    from t2s_tui.evaluation.statistics import Score


def score_row(score: Score) -> tuple[object, ...]:
    """metric, right, of, accuracy, 95% interval, what is not counted."""
    apart = [
        f"{count} {word}" for count, word in ((score.missing, "missing"), (score.unknown, "unknown")) if count
    ]
    interval = f"{percent(score.low)} to {percent(score.high)}" if score.accuracy is not None else "–"
    return (score.metric, score.passed, score.answered, percent(score.accuracy), interval, ", ".join(apart))
