"""What Home says: what runs, what finished lately, the next step. Pure functions over the store's records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from t2s_tui.jobs.board import JobView
from t2s_tui.records import Dataset, Outcome, PredictionSet, RunState, TrainingRun
from t2s_tui.workspace import Workspace

#: The metric whose failures people are sent to: the first of these that was run on the set.
TRUSTED = ("execution", "judge", "normalized", "exact")
FINISHED_SHOWN = 6


@dataclass(frozen=True, slots=True)
class SetState:
    """A prediction set, how many answers it has, and each metric's outcomes counted."""

    made: PredictionSet
    answers: int
    outcomes: dict[str, Counter[Outcome]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return 0 < self.made.total <= self.answers

    @property
    def metric(self) -> str | None:
        """The metric that says most, None when no metric was run."""
        return next((name for name in TRUSTED if self.outcomes.get(name)), None)

    @property
    def failing(self) -> int:
        """How many answers that metric did not let pass, for whatever reason but a missing verdict."""
        counts = self.outcomes.get(self.metric or "", Counter())
        return counts[Outcome.FAIL] + counts[Outcome.ERROR]


@dataclass(frozen=True, slots=True)
class WorkspaceState:
    """What the store holds, oldest first."""

    datasets: tuple[Dataset, ...] = ()
    runs: tuple[TrainingRun, ...] = ()
    sets: tuple[SetState, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.datasets or self.runs or self.sets)


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do next: in words, the key, and the room it opens."""

    words: str
    key: str
    room: str


#: The loop, for who is here for the first time: key, room, words.
LOOP: tuple[tuple[str, str, str], ...] = (
    ("2", "Datasets", "add questions with schema and gold SQL: a file, or sample"),
    ("4", "Generate", "ask the model as it is: the baseline"),
    ("3", "Train", "fine-tune it on the questions and watch it learn"),
    ("4", "Generate", "ask the same questions of the tuned model"),
    ("5", "Inspect", "give verdicts, and read what is wrong and why"),
    ("6", "Compare", "see what the training repaired and what it broke"),
)


def read_state(workspace: Workspace) -> WorkspaceState:
    """Read the store. Raises WorkspaceError."""
    with workspace.store() as store:
        sets = []
        for made in store.predictions.sets():
            counted: dict[str, Counter[Outcome]] = {}
            for outcomes in store.verdicts.outcomes(made.name).values():
                for metric, outcome in outcomes.items():
                    counted.setdefault(metric, Counter())[outcome] += 1
            sets.append(SetState(made, store.predictions.count(made.name), counted))
        return WorkspaceState(tuple(store.datasets.all()), tuple(store.runs.all()), tuple(sets))


def running(jobs: Sequence[JobView]) -> list[JobView]:
    """The jobs that are not at their end, oldest first; of a pipeline the step that works now."""
    alive = [view for view in jobs if not view.status.state.ended and view.job.kind != "session"]
    parents = {view.parent for view in alive}
    return sorted((v for v in alive if v.job.id not in parents), key=lambda v: v.job.created_at)


def finished(jobs: Sequence[JobView]) -> list[JobView]:
    """The jobs that ended last, newest end first, without the sessions people left."""
    ended = [view for view in jobs if view.status.state.ended and view.job.kind != "session"]
    ended.sort(key=lambda v: v.status.ended_at or v.status.heartbeat or v.job.created_at, reverse=True)
    return ended[:FINISHED_SHOWN]


def next_step(state: WorkspaceState, jobs: Sequence[JobView]) -> NextStep:
    """The one thing to do now, from what there is and what is missing of the loop."""
    if not state.datasets:
        return NextStep("Add a dataset: your own file, or the sample", "2", "datasets")
    if busy := running(jobs):
        return _watch(busy[0])
    if (broken := _broken(jobs)) is not None:
        words = f"{broken.job.title} {_ENDED[broken.status.state]}: see why, and resume it"
        return NextStep(words, "7", "jobs")
    return _loop_step(state)


_ENDED = {
    RunState.FAILED: "failed",
    RunState.LOST: "died without a word",
    RunState.STOPPED: "was stopped",
}


def _watch(view: JobView) -> NextStep:
    if view.job.kind == "train":
        return NextStep(f"{view.job.title} is training: watch its loss", "3", "train")
    return NextStep(f"{view.job.title} is at work: follow it", "7", "jobs")


def _broken(jobs: Sequence[JobView]) -> JobView | None:
    """The job that ended last, if it ended badly: an older failure has been seen or repaired since."""
    last = next((view for view in finished(jobs) if view.parent is None), None)
    return last if last is not None and last.status.state.resumable else None


def _loop_step(state: WorkspaceState) -> NextStep:
    newest = state.datasets[-1].name
    for found in state.sets:
        if not found.complete:
            words = f"{found.made.name} has {found.answers} of {found.made.total} answers: make the others"
            return NextStep(words, "4", "generate")
    unscored = next((found for found in reversed(state.sets) if found.metric is None), None)
    if unscored is not None:
        words = f"{unscored.made.name} has {unscored.answers} answers and no verdicts: have them scored"
        return NextStep(words, "5", "inspect")
    trained = [run for run in state.runs if run.adapter_path]
    asked = {found.made.adapter for found in state.sets}
    untried = next((run for run in reversed(trained) if run.name not in asked), None)
    if untried is not None:
        words = f"{untried.name} is trained: ask it the questions it has not seen"
        return NextStep(words, "4", "generate")
    if not state.sets:
        return NextStep(f"Ask a model the questions of {newest}: the baseline", "4", "generate")
    if not trained:
        return NextStep(f"The baseline is scored: train a model on {newest}", "3", "train")
    return _after_scores(state)


def _after_scores(state: WorkspaceState) -> NextStep:
    tuned = [found for found in state.sets if found.made.adapter]
    last = (tuned or list(state.sets))[-1]
    if last.failing:
        examples = "example" if last.failing == 1 else "examples"
        words = f"{last.made.name} has {last.failing} failing {examples}: look at them"
        return NextStep(words, "5", "inspect")
    if len(state.sets) > 1:
        return NextStep(f"{last.made.name} has no failing example: compare it with another", "6", "compare")
    return NextStep("Nothing fails: ask the model harder questions", "2", "datasets")
