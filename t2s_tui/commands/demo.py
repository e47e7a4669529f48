"""`t2s-tui demo`: the whole loop on the sample data with a small model, in a workspace of its own.

Base predictions, their verdicts, training, tuned predictions, their verdicts, comparison: one
pipeline job whose children are ordinary jobs. Nothing is precomputed, everything is resumable.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from t2s_tui.commands.evaluate import paired_row
from t2s_tui.commands.follow import follow, tell_end
from t2s_tui.commands.options import common
from t2s_tui.commands.output import emit, out, say, table
from t2s_tui.commands.scores import score_row
from t2s_tui.records import Job, RunState
from t2s_tui.workspace import Workspace, default_root

BASE, TUNED = "base", "tuned"
DATASET, MODEL, PROMPT, PRESET = "sample", "smollm2", "book-en", "demo"
METRICS = ("exact", "normalized", "execution", "equivalence")
MAX_NEW_TOKENS = 128  # twice the longest gold of the sample
#: What a CPU without bf16 tiles trains: the preset's two epochs would take it twenty minutes.
SLOW_CPU_EPOCHS = 0.75
_TITLE = "demo"


def add_parser(commands: Any, open_workbench: Callable[[Path], int]) -> None:
    """Add `demo`. `open_workbench` opens a workspace on this terminal: drawing is the caller's."""
    demo = common(
        commands.add_parser("demo", help="the whole loop on sample data, with a small model"), _demo
    )
    demo.add_argument(
        "--headless", action="store_true", help="no workbench: progress on stderr, result on stdout"
    )
    demo.set_defaults(open_workbench=open_workbench)


def demo_root() -> Path:
    """The demo's own workspace, beside the default one."""
    root = default_root()
    return root.with_name(root.name + "-demo")


def demo_steps() -> list[dict[str, Any]]:
    """The jobs of the loop, in order."""
    from t2s_tui.evaluation.request import EvaluateRequest
    from t2s_tui.generation.device import multiplies_fast
    from t2s_tui.generation.request import GenerateRequest
    from t2s_tui.training.recipes import load_preset
    from t2s_tui.training.request import TrainRequest

    def answers(name: str, adapter: str | None) -> dict[str, Any]:
        request = GenerateRequest(
            name=name,
            dataset=DATASET,
            split="eval",
            model=MODEL,
            adapter=adapter,
            prompt=PROMPT,
            max_new_tokens=MAX_NEW_TOKENS,
        )
        return _step(f"generate-{name}", "generate", f"generate {name}", request)

    def verdicts(name: str) -> dict[str, Any]:
        request = EvaluateRequest(predictions=name, metrics=list(METRICS))
        return _step(f"evaluate-{name}", "evaluate", f"evaluate {name}", request)

    recipe = load_preset(PRESET)
    if not multiplies_fast():
        recipe = recipe.model_copy(update={"epochs": SLOW_CPU_EPOCHS})
    train = TrainRequest(run=TUNED, dataset=DATASET, split="train", model=MODEL, recipe=recipe)
    return [
        answers(BASE, None),
        verdicts(BASE),
        _step("train", "train", f"train {TUNED}", train),
        answers(TUNED, TUNED),
        verdicts(TUNED),
    ]


def _step(key: str, kind: str, title: str, request: Any) -> dict[str, Any]:
    return {"key": key, "kind": kind, "title": title, "request": request.model_dump(mode="json")}


def start_demo(workspace: Workspace) -> Job:
    """The demo's job in this workspace: the one that runs, the one that stopped resumed, or a new one."""
    from t2s_tui.datasets.add import add_dataset
    from t2s_tui.generation.models import resolve_model
    from t2s_tui.jobs.board import list_jobs
    from t2s_tui.jobs.launcher import resume, submit

    add_dataset(workspace, "sample")
    resolve_model(MODEL, workspace)
    for view in list_jobs(workspace):
        if view.job.kind == "pipeline" and view.job.title == _TITLE:
            return resume(workspace, view.job.id) if view.status.state.resumable else view.job
    return submit(workspace, "pipeline", _TITLE, {"steps": demo_steps()})


def _demo(args: argparse.Namespace) -> int:
    workspace = Workspace.open(args.workspace or demo_root())
    job = start_demo(workspace)
    if not args.headless and not args.json and sys.stdin.isatty() and sys.stdout.isatty():
        return int(args.open_workbench(workspace.root))
    say(f"The loop runs in {workspace.root} (job {job.id}), also when you leave: come back any time.")
    view = follow(workspace, job.id)
    if view.status.state is not RunState.DONE:
        return tell_end(view, as_json=args.json)
    return _report(workspace, args.json)


def _report(workspace: Workspace, as_json: bool) -> int:
    from t2s_tui.evaluation.compare import compare
    from t2s_tui.evaluation.statistics import scores_of

    result = compare(workspace, BASE, TUNED, "execution")
    with workspace.store() as store:
        scores = {name: scores_of(store, name) for name in (BASE, TUNED)}
        summary = dict(store.runs.get(TUNED).summary)
    if as_json:
        emit(
            {
                "workspace": str(workspace.root),
                **{name: {s.metric: s.as_json() for s in found} for name, found in scores.items()},
                "paired": result.as_json(),
                "training": summary,
            }
        )
        return 0
    rows = [(name, *score_row(score)) for name, found in scores.items() for score in found]
    table(("predictions", "metric", "right", "of", "accuracy", "95% interval", ""), rows, right=(2, 3, 4))
    out.print("\nExecution, example by example")
    table(
        ("both right", f"only {BASE}", f"only {TUNED}", "neither", "McNemar p"),
        [paired_row(result)],
        right=range(5),
    )
    out.print(
        f"\nLook at every verdict: t2s-tui --workspace {workspace.root}   then 5 (Inspect), 6 (Compare)"
    )
    return 0
