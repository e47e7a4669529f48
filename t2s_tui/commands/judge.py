"""`t2s-tui judge`: request and result files, the judge alone, its batches, and the prompts that ask."""

from __future__ import annotations

import argparse
import csv
import io
import os
from pathlib import Path
from typing import Any

from t2s_tui.commands import judge_batches
from t2s_tui.commands.generate import split_of
from t2s_tui.commands.judge_options import judge_options, one_judge
from t2s_tui.commands.options import common, opened, waiting
from t2s_tui.commands.output import emit, say, text
from t2s_tui.commands.output import table as draw_table
from t2s_tui.errors import DataError, UsageError, WorkspaceError

_SHOWN = 5


def add_parser(commands: Any) -> None:
    """Add `judge` and what it can do."""
    group = commands.add_parser("judge", help="the LLM judge: request files, results, verdicts as CSV")
    actions = group.add_subparsers(dest="action", required=True, metavar="ACTION")

    export = common(actions.add_parser("export", help="write a set's requests, a chat body a line"), _export)
    export.add_argument("predictions")
    export.add_argument("--to", type=Path, required=True, metavar="FILE.jsonl")
    judge_options(export)

    run = common(actions.add_parser("run", help="ask the judge about a set (evaluate --metrics judge)"), _run)
    run.add_argument("predictions")
    again = run.add_mutually_exclusive_group()
    again.add_argument("--redo", action="store_true", help="judge again what has a verdict")
    again.add_argument(
        "--only",
        type=_names,
        metavar="missing|failed|ID,...",
        help="these again: asked without a word that counts, asked without any answer, or by their ids",
    )
    judge_options(run)
    waiting(run)

    take = common(actions.add_parser("import", help="take results of the cookbook's processor"), _import)
    take.add_argument("predictions")
    take.add_argument("--results", type=Path, required=True, metavar="FILE.jsonl")
    take.add_argument(
        "--requests", type=Path, metavar="FILE.jsonl", help="make the set of what these show as generated"
    )
    take.add_argument("--dataset", help="whose rows they are about; with --requests")
    take.add_argument("--split", help="of the dataset (default: the evaluation split)")
    judge_options(take)

    prompts = common(actions.add_parser("prompts", help="the presets and your own prompts"), _prompts)
    prompts.add_argument("--copy", metavar="PRESET", help="write a preset as a file to start from")
    prompts.add_argument("--to", metavar="NAME", help="the name of the copy")

    preview = common(actions.add_parser("preview", help="a prompt as it asks about a real row"), _preview)
    preview.add_argument("predictions")
    preview.add_argument("--row", metavar="N", help="the number of a question, or the id of its example")
    preview.add_argument("--judge-prompt", default="reference", metavar="NAME", help="which prompt")

    table = common(actions.add_parser("to-csv", help="prompt and verdict of every judged example"), _to_csv)
    table.add_argument("predictions")
    table.add_argument("--to", type=Path, required=True, metavar="FILE.csv")

    judge_batches.add_parser(actions)


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _export(args: argparse.Namespace) -> int:
    from t2s_tui.evaluation.judge.files import export_requests

    lines = list(export_requests(opened(args), args.predictions, one_judge(args)))
    _write(args.to, "".join(f"{line}\n" for line in lines))
    say(f"{len(lines)} requests are in {args.to}.")
    if args.json:
        emit({"predictions": args.predictions, "requests": len(lines), "file": str(args.to)})
    return 0


def _run(args: argparse.Namespace) -> int:
    from t2s_tui.commands.evaluate import submit_evaluation

    return submit_evaluation(args, ["judge"])


def _prompts(args: argparse.Namespace) -> int:
    from t2s_tui.evaluation.judge.prompts import copy_preset, find_prompt, own_trouble, prompt_names

    workspace = opened(args)
    if args.copy is not None:
        path = copy_preset(args.copy, args.to or "", workspace)
        say(f"{path} is written: change it, then use it as --judge-prompt {args.to}.")
    trouble, rows = own_trouble(workspace), []
    for name in prompt_names(workspace):
        prompt = None if name in trouble else find_prompt(name, workspace)
        version = "" if prompt is None else prompt.version
        shows = "execution, equivalence" if prompt is not None and prompt.needs_evidence else ""
        words = trouble.get(name) or (
            "" if prompt is None or prompt.asks_word else "does not ask for resolve_yn"
        )
        rows.append((name, version, shows, words))
    if args.json:
        for name, version, shows, words in rows:
            emit({"name": name, "version": version, "evidence": bool(shows), "trouble": words})
    else:
        draw_table(("prompt", "version", "evidence", "trouble"), rows)
    return 1 if trouble else 0


def _preview(args: argparse.Namespace) -> int:
    from t2s_tui.evaluation.judge.preview import preview

    shown = preview(opened(args), args.predictions, args.judge_prompt, args.row)
    if args.json:
        emit(shown.as_json())
    else:
        say(f"#{shown.number}   {shown.version}   about {shown.tokens:,} tokens{shown.note}")
        text(shown.text)
    return 0


def _import(args: argparse.Namespace) -> int:
    from t2s_tui.evaluation.judge.files import import_results

    settings = one_judge(args) if args.judge_model else None
    if args.requests is not None:
        _bring(args)
    try:
        with args.results.open(encoding="utf-8") as lines:
            report = import_results(opened(args), args.predictions, settings, lines, args.results.name)
    except (OSError, UnicodeError) as error:
        raise DataError(f"{args.results} cannot be read ({error})", "name the file with --results") from error
    for bad in report.bad[:_SHOWN]:
        say(f"{args.results.name}, line {bad.number}: {bad.reason}")
    say(
        f"{report.yes} yes, {report.no} no, {report.missing} missing"
        + (f"; {report.strangers} answers belong to no example of this set" if report.strangers else "")
        + (f"; {len(report.bad)} lines could not be read" if report.bad else "")
        + "."
    )
    if report.missing:
        say(f"Ask for the missing: t2s-tui judge run {args.predictions} --judge-model {report.model} --wait")
    if args.json:
        emit(
            {
                "predictions": report.set_name,
                "model": report.model,
                "yes": report.yes,
                "no": report.no,
                "missing": report.missing,
                "strangers": report.strangers,
                "bad_lines": [{"line": bad.number, "reason": bad.reason} for bad in report.bad],
            }
        )
    return 0


def _bring(args: argparse.Namespace) -> None:
    """Make the prediction set of what a request file shows as generated."""
    from t2s_tui.evaluation.judge.brought import bring_set
    from t2s_tui.evaluation.judge.prompts import find_prompt

    if not args.dataset:
        raise UsageError("The requests are about rows of a dataset", "name it with --dataset")
    workspace = opened(args)
    with workspace.store() as store:
        split = split_of(store.datasets.get(args.dataset), args.split)
    prompt = find_prompt(args.judge_prompt, workspace)
    try:
        with args.requests.open(encoding="utf-8") as lines:
            made = bring_set(workspace, args.predictions, args.dataset, split, prompt, lines)
    except (OSError, UnicodeError) as error:
        raise DataError(
            f"{args.requests} cannot be read ({error})", "name the file with --requests"
        ) from error
    for bad in made.bad[:_SHOWN]:
        say(f"{args.requests.name}, line {bad.number}: {bad.reason}")
    strangers = f"; {made.strangers} requests are about no row of it" if made.strangers else ""
    say(f"{made.predictions} predictions for {args.dataset} · {split} came in{strangers}.")


def _to_csv(args: argparse.Namespace) -> int:
    from t2s_tui.evaluation.judge.files import verdict_rows

    rows = list(verdict_rows(opened(args), args.predictions))
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow(["prompt", "resolve_yn"])
    writer.writerows(rows)
    _write(args.to, made.getvalue())
    say(f"{len(rows)} verdicts are in {args.to}.")
    if args.json:
        emit({"predictions": args.predictions, "verdicts": len(rows), "file": str(args.to)})
    return 0


def _write(path: Path, text: str) -> None:
    """Write a file at once or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise WorkspaceError(
            f"{path} could not be written ({error.strerror or error})", "choose another place with --to"
        ) from error
