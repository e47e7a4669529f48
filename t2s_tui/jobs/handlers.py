"""What each kind of job does. Only a worker imports this; the heavy rooms load inside the handlers."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from t2s_tui.errors import UsageError
from t2s_tui.progress import Progress, stop_if_asked
from t2s_tui.workspace import Workspace

Handler = Callable[[Workspace, dict[str, Any], Progress], dict[str, Any]]
_Model = TypeVar("_Model", bound=BaseModel)

_HASH_PIECE = 2_000_000  # about a second of one core


class ProbeRequest(BaseModel):
    """A probe counts `steps` steps of `seconds` each. `doctor` proves with it that jobs outlive the terminal.

    `work` is what a step is made of: `sleep`, or `hash`, one call into C after the other that no signal can
    interrupt, as a long kernel of a training is. `device` makes it queue for a device.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int = Field(ge=1, le=1_000_000)
    seconds: float = Field(default=0.1, ge=0, le=3600)
    work: Literal["sleep", "hash"] = "sleep"
    device: str | None = None


def run(kind: str, workspace: Workspace, request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Do the work of a job; returns its result. Raises T2SError, JobStopped, or what the work raises."""
    handler = HANDLERS.get(kind)
    if handler is None:
        raise UsageError(
            f"There is no job of kind {kind!r} (there is: {', '.join(HANDLERS)})", "upgrade t2s-tui"
        )
    return handler(workspace, request, progress)


def parse(model: type[_Model], request: Mapping[str, Any]) -> _Model:
    """The request as its room wants it; raises UsageError that names the first wrong field."""
    try:
        return model.model_validate(dict(request))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "request"
        raise UsageError(
            f"The job's request is wrong at {field} ({first['msg']})", "correct it and submit again"
        ) from None


def train(workspace: Workspace, request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Train an adapter: t2s_tui.training.run."""
    from t2s_tui.training.request import TrainRequest

    wanted = parse(TrainRequest, request)
    from t2s_tui.training.run import train as work

    return dict(work(workspace, wanted, progress))


def generate(workspace: Workspace, request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Make a prediction set: t2s_tui.generation.run."""
    from t2s_tui.generation.request import GenerateRequest

    wanted = parse(GenerateRequest, request)
    from t2s_tui.generation.run import generate as work

    return dict(work(workspace, wanted, progress))


def evaluate(workspace: Workspace, request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Score a prediction set: t2s_tui.evaluation.run."""
    from t2s_tui.evaluation.request import EvaluateRequest

    wanted = parse(EvaluateRequest, request)
    from t2s_tui.evaluation.run import evaluate as work

    return dict(work(workspace, wanted, progress))


def audit(workspace: Workspace, request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Audit a dataset: t2s_tui.datasets.audit.run, with the sandbox and the tokenizers of this level."""
    from t2s_tui.datasets.audit.request import AuditRequest

    wanted = parse(AuditRequest, request)
    from t2s_tui.datasets.audit.run import audit_dataset
    from t2s_tui.evaluation.golds import SandboxedGolds

    count_tokens, counted_by = None, ""
    if wanted.tokenizer is not None:
        from t2s_tui.training.token_counts import PromptTokens

        count_tokens = partial(PromptTokens, str(workspace.root), wanted.tokenizer, wanted.prompt)
        progress.step(0, 0, "load the tokenizer")
        # What is wrong with the model or the prompt is said before any work.
        counted_by = count_tokens().identity
    run_golds = partial(SandboxedGolds, wanted.max_rows)
    return audit_dataset(
        workspace,
        wanted,
        progress,
        run_golds=run_golds,
        count_tokens=count_tokens,
        counted_by=counted_by,
    )


def split(workspace: Workspace, request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Deal the rows of a dataset out to splits: t2s_tui.datasets.split_request."""
    from t2s_tui.datasets.split_request import SplitRequest, split_dataset

    made = split_dataset(workspace, parse(SplitRequest, request), progress)
    return {"dataset": made.name, "rows": made.size, "splits": dict(made.splits)}


def clean(workspace: Workspace, request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Make a version of a dataset without some rows: t2s_tui.datasets.clean."""
    from t2s_tui.datasets.clean import CleanRequest, clean_dataset

    wanted = parse(CleanRequest, request)
    made = clean_dataset(workspace, wanted.dataset, wanted.cleaning, into=wanted.into, progress=progress)
    return {"dataset": made.dataset.name, "rows": made.dataset.size, "dropped": made.rows}


def export(workspace: Workspace, request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the rows of a dataset to a file: t2s_tui.datasets.export_request, with this level's prompts."""
    from t2s_tui.datasets.export_request import ExportRequest, Rendering, export_dataset
    from t2s_tui.prompts.templates import load_template, render_messages, render_text

    wanted = parse(ExportRequest, request)
    template = load_template(wanted.prompt, workspace)
    rendering = Rendering(
        text=lambda e: render_text(template, e.ddl, e.question, e.gold),
        messages=lambda e: render_messages(template, e.ddl, e.question),
    )
    made = export_dataset(workspace, wanted, progress, rendering)
    return {"file": str(made.to), "form": made.form, "rows": made.rows, "notes": made.notes}


def pipeline(workspace: Workspace, request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Run jobs one after the other: t2s_tui.jobs.pipeline."""
    from t2s_tui.jobs.pipeline import PipelineRequest, run_pipeline

    return run_pipeline(workspace, parse(PipelineRequest, request), progress)


def session(workspace: Workspace, request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Answer single questions until nobody asks any more: t2s_tui.jobs.session."""
    from t2s_tui.jobs.session import SessionRequest, run_session

    return run_session(workspace, parse(SessionRequest, request), progress)


def probe(workspace: Workspace, request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Count, and so prove that the machinery of jobs works here. Takes a checkpoint request as a note."""
    wanted = parse(ProbeRequest, request)
    for done in range(1, wanted.steps + 1):
        stop_if_asked(progress)
        if progress.checkpoint_requested():
            progress.event("checkpoint", step=done - 1)
        if wanted.work == "sleep":
            time.sleep(wanted.seconds)
        else:
            _hash(wanted.seconds)
        progress.step(done, wanted.steps, "count", seconds=wanted.seconds)
    return {"steps": wanted.steps}


def _hash(seconds: float) -> None:
    """One call that lasts about as long as asked and takes no signals until it returns."""
    hashlib.pbkdf2_hmac("sha256", b"t2s-tui", b"probe", max(1, round(seconds * _HASH_PIECE)))


HANDLERS: dict[str, Handler] = {
    "train": train,
    "generate": generate,
    "evaluate": evaluate,
    "audit": audit,
    "split": split,
    "clean": clean,
    "export": export,
    "pipeline": pipeline,
    "session": session,
    "probe": probe,
}
