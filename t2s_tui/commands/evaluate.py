"""`t2s-tui evaluate`, `compare` and `check`: verdicts, and how two sets differ."""

from __future__ import annotations

import argparse
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from t2s_tui.commands.follow import follow, tell_end
from t2s_tui.commands.judge_options import confirm, judge_options, judge_panel, judge_settings
from t2s_tui.commands.options import checked, common, opened, waiting
from t2s_tui.commands.output import emit, say, table
from t2s_tui.commands.scores import score_row
from t2s_tui.errors import DataError, UsageError
from t2s_tui.records import RunState

_DEFAULT_METRICS = "exact,normalized,execution"
_TEXT, _NO_TEXT = "utf-8-sig", "surrogateescape"  # a line of bytes that are no text is a bad line
_BY = ("hardness", "database", "feature", "fault")


def add_parser(commands: Any) -> None:
    """Add `evaluate`, `compare` and `check`."""
    evaluate = common(commands.add_parser("evaluate", help="score a prediction set"), _evaluate)
    evaluate.add_argument("predictions")
    _metrics(evaluate)
    _mode(evaluate)
    evaluate.add_argument(
        "--by",
        choices=_BY,
        help="with --wait: the scores by this too",
    )
    judge_options(evaluate)
    evaluate.add_argument("--redo", action="store_true", help="judge again what has a verdict")
    waiting(evaluate)

    compare = common(commands.add_parser("compare", help="two prediction sets, example by example"), _compare)
    compare.add_argument("a")
    compare.add_argument("b")
    compare.add_argument("--metric", default="execution")
    compare.add_argument("--by", choices=_BY, help="what was fixed and broken by this too")

    check = commands.add_parser("check", help="score pairs of gold and predicted SQL, with no workspace")
    common(check, _check, workspace=False)
    check.add_argument("--pairs", required=True, type=Path, metavar="FILE.jsonl", help="- for standard input")
    _metrics(check)
    _mode(check)
    check.add_argument(
        "--workers", type=int, default=None, metavar="N", help="processes (default: one a core for a file)"
    )


def _metrics(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--metrics", default=_DEFAULT_METRICS, help=f"separated by commas (default {_DEFAULT_METRICS})"
    )


def _mode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mode",
        default="strict",
        help="how execution compares rows: strict (default), ordered, bird-set, test-suite, superset, "
        "tolerant or 'tolerant(rel, abs)'",
    )


def _names(text: str) -> list[str]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise UsageError("--metrics names none", f"ask for some of {_DEFAULT_METRICS},judge")
    return names


def _evaluate(args: argparse.Namespace) -> int:
    from t2s_tui.evaluation.metrics import metric_named

    metrics = [metric_named(name).name for name in _names(args.metrics)]
    return submit_evaluation(args, metrics)


def submit_evaluation(args: argparse.Namespace, metrics: list[str]) -> int:
    """Start an evaluation of `args.predictions`, and follow it where `--wait` says so; the exit code.

    The judges are those of the options, asked where the metrics name the judge.
    """
    from t2s_tui.evaluation.comparison import mode_named
    from t2s_tui.evaluation.request import EvaluateRequest
    from t2s_tui.jobs.launcher import submit

    judge = judge_settings(args) if "judge" in metrics else None
    workspace = opened(args)
    with workspace.store() as store:
        store.predictions.get_set(args.predictions)
    request = checked(
        EvaluateRequest,
        predictions=args.predictions,
        metrics=metrics,
        judge=judge,
        mode=mode_named(getattr(args, "mode", None) or "strict").label,
        redo=args.redo,
        only=getattr(args, "only", None),
        **({"panel": judge_panel(args, judge)} if judge is not None else {}),
    ).complete(workspace)
    if judge is not None:
        confirm(workspace, request, yes=args.yes)
    job = submit(workspace, "evaluate", f"evaluate {args.predictions}", request.model_dump(mode="json"))
    if not args.wait:
        from t2s_tui.commands.follow import finish

        return finish(workspace, job, wait=False, as_json=args.json, predictions=args.predictions)
    view = follow(workspace, job.id)
    code = tell_end(view, as_json=args.json, predictions=args.predictions)
    if view.status.state is RunState.DONE and not args.json:
        _tell_scores(args)
    return code


def _tell_scores(args: argparse.Namespace) -> None:
    from t2s_tui.evaluation.statistics import scores_of

    with opened(args).store() as store:
        rows = [score_row(s) for s in scores_of(store, args.predictions)]
    table(("metric", "right", "of", "accuracy", "95% interval", "not counted"), rows, right=(1, 2, 3))
    if getattr(args, "by", None):
        _tell_groups(args)


def _tell_groups(args: argparse.Namespace) -> None:
    from t2s_tui.evaluation.breakdown import breakdown_of
    from t2s_tui.evaluation.review import load_review

    review = load_review(opened(args), args.predictions)
    for metric in (score.metric for score in review.scores):
        rows = [
            (group, *score_row(score)[1:])
            for group, score in breakdown_of(review.rows, args.by, metric).items()
        ]
        table(
            (f"{metric} by {args.by}", "right", "of", "accuracy", "95% interval", "not counted"),
            rows,
            (1, 2, 3),
        )


def _compare(args: argparse.Namespace) -> int:
    from t2s_tui.evaluation.compare import compare, compare_by
    from t2s_tui.evaluation.metrics import metric_named

    workspace = opened(args)
    result = compare(workspace, args.a, args.b, metric_named(args.metric).name)
    groups = compare_by(workspace, result, args.by) if args.by else {}
    if args.json:
        by = {
            group: dict(zip(("fixed", "broken", "of"), counts, strict=True))
            for group, counts in groups.items()
        }
        emit({**result.as_json(), **({"by": args.by, "groups": by} if args.by else {})})
        return 0
    rows = [
        (name, *score_row(score)[1:]) for name, score in ((args.a, result.score_a), (args.b, result.score_b))
    ]
    table(("predictions", "right", "of", "accuracy", "95% interval", "not counted"), rows, right=(1, 2, 3))
    table(("both right", "only A", "only B", "neither", "McNemar p"), [paired_row(result)], right=range(5))
    if result.difference is not None:
        low, high = (100 * end for end in result.interval)
        say(
            f"B fixed {len(result.fixed)} and broke {len(result.broken)}: "
            f"{100 * result.difference:+.1f} points (95% by paired bootstrap {low:+.1f} to {high:+.1f})."
        )
    if groups:
        rows = [(group, *counts) for group, counts in groups.items()]
        table((args.by, "fixed", "broken", "of"), rows, right=(1, 2, 3))
    say(f"A is {args.a}, B is {args.b}, by {args.metric}.")
    return 0


def paired_row(result: Any) -> tuple[object, ...]:
    """The paired table: how many both, only A, only B, neither got right, and McNemar's exact p."""
    groups = (result.both, result.only_a, result.only_b, result.neither)
    return (*(len(g) for g in groups), f"{result.p_value:.2g}")


def _stdin() -> TextIO:
    assert isinstance(sys.stdin, TextIOWrapper)
    sys.stdin.reconfigure(encoding=_TEXT, errors=_NO_TEXT)
    return sys.stdin


def _check(args: argparse.Namespace) -> int:
    from t2s_tui.evaluation.comparison import mode_named
    from t2s_tui.evaluation.metrics import metric_named
    from t2s_tui.evaluation.pairs import check_pairs

    metrics = [metric_named(name).name for name in _names(args.metrics)]
    mode = mode_named(args.mode)
    counts: dict[tuple[str, str], int] = {}
    # A program that writes line by line to a pipe waits for each answer: no reading ahead there.
    read_standard = str(args.pairs) == "-"
    workers = args.workers if args.workers is not None else 1 if read_standard else 0
    if workers < 0:
        raise UsageError("--workers is negative", "give a number of processes, or 0 for one a core")
    try:
        lines = _stdin() if read_standard else args.pairs.open(encoding=_TEXT, errors=_NO_TEXT)
    except OSError as error:
        raise DataError(
            f"{args.pairs} cannot be read ({error.strerror})", "name a JSONL file with --pairs"
        ) from error
    with lines:
        for record in check_pairs(lines, metrics, mode, workers):
            emit(record)
            for metric in metrics:
                outcome = str(record.get(metric, {}).get("outcome", "error"))
                counts[metric, outcome] = counts.get((metric, outcome), 0) + 1
    for metric in metrics:
        words = ", ".join(f"{n} {outcome}" for (m, outcome), n in sorted(counts.items()) if m == metric)
        say(f"{metric}: {words or 'no pairs'}")
    return 0
