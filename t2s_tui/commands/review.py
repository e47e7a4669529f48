"""`t2s-tui review`: where the verdicts contradict each other, how far they agree, and a person's word."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from t2s_tui.commands.options import common, opened
from t2s_tui.commands.output import emit, percent, say, table
from t2s_tui.errors import NotFound
from t2s_tui.records import Outcome, Verdict

if TYPE_CHECKING:
    from t2s_tui.evaluation.judge.consistency import TwoJudges
    from t2s_tui.evaluation.trust import Table


def add_parser(commands: Any) -> None:
    """Add `review`."""
    words = "where verdicts contradict each other, how far they agree, your own verdict"
    review = common(commands.add_parser("review", help=words), _review)
    review.add_argument("predictions")
    word = review.add_mutually_exclusive_group()
    word.add_argument("--right", type=int, metavar="N", help="say that the answer to question N is right")
    word.add_argument("--wrong", type=int, metavar="N", help="say that it is wrong")
    review.add_argument("--note", default="", help="why, kept with your verdict")


def _review(args: argparse.Namespace) -> int:
    from t2s_tui.evaluation.review import load_review

    workspace = opened(args)
    review = load_review(workspace, args.predictions)
    number = args.right if args.right is not None else args.wrong
    if number is None:
        with workspace.store() as store:
            said = [row["judge"] for row in store.verdicts.of(args.predictions, "judge").values()]
        return _tell(args, review, said)
    from t2s_tui.evaluation.human import Word
    from t2s_tui.evaluation.human import say as record

    row = next((row for row in review.rows if row.example.number == number), None)
    if row is None:
        raise NotFound(
            f"The predictions {args.predictions!r} have no answer to question {number}",
            "the numbers are those of Inspect and of `t2s-tui review`",
        )
    outcome = Outcome.PASS if args.right is not None else Outcome.FAIL
    record(workspace, args.predictions, row.example.id, Word(outcome, args.note))
    if args.json:
        emit({"number": number, "human": str(outcome)})
    else:
        say(f"#{number} is {'right' if outcome is Outcome.PASS else 'wrong'}, you say: recorded.")
    return 0


def _tell(args: argparse.Namespace, review: Any, said: Sequence[Verdict]) -> int:
    from t2s_tui.evaluation.disagreement import queue
    from t2s_tui.evaluation.judge.consistency import between_judges, each_judge
    from t2s_tui.evaluation.trust import by_its_errors, corrected, tables

    items, made, found = queue(review.rows), tables(review.rows), corrected(review.rows)
    judges, couples = each_judge(said), between_judges(said)
    if args.json:
        for item in items:
            outcomes = {metric: str(outcome) for metric, outcome in item.row.outcomes.items()}
            emit({"number": item.row.example.number, "id": item.row.example.id, "why": item.why, **outcomes})
        for pair in made:
            emit({"agreement": pair.as_json()})
        for judge in judges:
            emit({"judge": judge.as_json()})
        for couple in couples:
            emit({"judges": couple.as_json()})
        if found is not None:
            emit({"corrected": found.as_json()})
        return 0
    if items:
        rows = [(item.row.example.number, item.why, item.row.example.question) for item in items]
        table(("#", "why", "question"), rows, right=(0,))
    else:
        say("The verdicts contradict each other nowhere that no person has judged.")
    pairs: list[Table | TwoJudges] = [*made, *couples]
    if pairs:
        agreed = [
            (f"{pair.a} · {pair.b}", percent(pair.agreement), _kappa(pair.kappa), pair.count)
            for pair in pairs
        ]
        table(("verdicts", "agree", "kappa", "rows"), agreed, right=(1, 2, 3))
    if any(judge.repeated or judge.swapped for judge in judges) or len(judges) > 1:
        each = [
            (j.judge, j.yes, j.no, j.missing, percent(j.self_agreement), percent(j.position_bias))
            for j in judges
        ]
        heads = ("judge", "yes", "no", "missing", "same when repeated", "other when swapped")
        table(heads, each, right=range(1, 6))
    if found is not None:
        say(f"{found.words}.")
    if (rates := by_its_errors(review.rows)) is not None and rates.share is not None:
        say(
            f"It passes {percent(rates.sensitivity)} of what you call right and fails "
            f"{percent(rates.specificity)} of what you call wrong; by these rates {percent(rates.share)} are "
            f"right ({percent(rates.low)} to {percent(rates.high)})."
        )
    return 0


def _kappa(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
