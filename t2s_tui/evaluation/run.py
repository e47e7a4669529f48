"""Score a prediction set: each metric over every prediction that has no verdict of it yet.

Resumable: verdicts are stored as they come, and a second run does what is left. Done again are verdicts of
another version of the rules, missing answers of the judge, and what could not be decided for want of
something (a database) that may be there now.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.errors import UsageError
from t2s_tui.evaluation.comparison import mode_named
from t2s_tui.evaluation.gold_store import FILE as GOLDS
from t2s_tui.evaluation.gold_store import GoldStore
from t2s_tui.evaluation.judge.batch.words import status_words
from t2s_tui.evaluation.judge.client import Room
from t2s_tui.evaluation.judge.evidence import evidence_metrics, stored_evidence
from t2s_tui.evaluation.judge.journal import FILE as JOURNAL
from t2s_tui.evaluation.judge.panel import judge_version
from t2s_tui.evaluation.judge.run import judge_pairs
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.evaluation.left import left_of
from t2s_tui.evaluation.metrics import METRICS, Metric, metric_named, metrics_named
from t2s_tui.evaluation.pool import judge_all
from t2s_tui.evaluation.request import EvaluateRequest
from t2s_tui.evaluation.statistics import score
from t2s_tui.progress import Progress, stop_if_asked
from t2s_tui.records import Example, Outcome, Prediction, Verdict
from t2s_tui.store import Store
from t2s_tui.workspace import Workspace

_SAVE_EVERY = 1.0  # seconds: the verdicts of the quick metrics are stored in batches
_TELL_EVERY = 0.25


def evaluate(workspace: Workspace, request: EvaluateRequest, progress: Progress) -> dict[str, dict[str, Any]]:
    """Score a prediction set; returns metric -> Score as JSON, over all verdicts there are then.

    A judge whose prompt shows evidence needs the verdicts of execution and equivalence: where a row that it
    is asked about has none, they are run first and kept like any other.

    Raises UsageError (an unknown metric or mode, the judge without settings, no predictions), NotFound (the
    set, or a prompt of the user's own), DataError (such a prompt cannot be used), ModelError (the judge ends
    the run), JobStopped after a stop. What was judged before is stored in every case.
    """
    metrics = metrics_named(request.metrics)
    mode_named(request.mode)
    if request.judge is None and any(m.name == "judge" for m in metrics):
        raise UsageError(
            "The judge is asked for but not where it is",
            "add --judge-model, and --judge-url for its endpoint",
        )
    request = request.complete(workspace)
    with workspace.store() as store:
        made = store.predictions.get_set(request.predictions)
        predictions = store.predictions.of(made.name)
        if not predictions:
            raise UsageError(
                f"The set {made.name!r} has no predictions yet", "wait for its generation or resume it"
            )
        examples = {e.id: e for e in open_examples(workspace, made.dataset).split(made.split)}
        run = _Run(workspace, store, made.name, pairs_of(examples, predictions), request, progress)
        run.all(metrics)
        outcomes = store.verdicts.outcomes(made.name)
        return {
            m.name: score(m.name, [row[m.name] for row in outcomes.values() if m.name in row]).as_json()
            for m in metrics
        }


def pairs_of(
    examples: Mapping[str, Example], predictions: Mapping[str, Prediction]
) -> dict[str, Pair | None]:
    """example id -> what the metrics get, in the dataset's order; None for a prediction without example."""
    found: dict[str, Pair | None] = {}
    for key, example in examples.items():
        if key in predictions:
            found[key] = Pair(
                gold=example.gold,
                generated=predictions[key].sql,
                dialect=example.dialect,
                ddl=example.ddl or None,
                database=Path(example.database) if example.database else None,
                question=example.question,
                accepted=example.accepted,
                raw=predictions[key].raw,
            )
    return found | {key: None for key in predictions if key not in found}


class _Run:
    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        set_name: str,
        pairs: Mapping[str, Pair | None],
        request: EvaluateRequest,
        progress: Progress,
    ) -> None:
        self._workspace = workspace
        self._store = store
        self._set = set_name
        self._pairs = pairs
        self._request = request
        self._progress = progress
        self._mode = mode_named(request.mode)
        self._done = 0
        self._total = 0
        self._passed = 0
        self._waiting: list[Verdict] = []
        self._saved_at = time.monotonic()
        self._told_at = 0.0

    def all(self, metrics: list[Metric]) -> None:
        """Every metric over what it has left."""
        versions = {m.name: self._version(m) for m in metrics}
        left = {m.name: self._left(m.name, versions[m.name]) for m in metrics}
        for name in self._wanting(left):
            versions[name] = self._version(metric_named(name))
            left[name] = self._lacking(name, versions[name], left["judge"])
        self._total = sum(map(len, left.values()))
        for name in (name for name in METRICS if name in left):
            self._passed = 0
            self._metric(name, versions[name], left[name])

    def _version(self, metric: Metric) -> str:
        settings = self._request.judge
        if metric.name == "execution":
            return self._mode.version
        if metric.name == "judge" and settings is not None:
            return judge_version(settings, self._request.panel)
        return metric.version

    def _wanting(self, left: Mapping[str, Mapping[str, Pair | None]]) -> list[str]:
        """The metrics that nobody asked for but a judge's prompt shows."""
        settings = self._request.judge
        if "judge" not in left or settings is None:
            return []
        shown = evidence_metrics(settings, self._request.panel)
        asked_about = [pair for pair in left["judge"].values() if pair is not None]
        there = any(pair.database for pair in asked_about)
        return [n for n in shown if n not in left and (there or n != "execution") and asked_about]

    def _lacking(self, metric: str, version: str, among: Mapping[str, Pair | None]) -> dict[str, Pair | None]:
        """Of these rows those without any verdict of this version: it need not be a clear one."""
        there = self._store.verdicts.of(self._set, metric)
        return {
            key: pair
            for key, pair in among.items()
            if pair is not None
            and pair.generated.strip()
            and not (key in there and there[key][metric].version == version)
        }

    def _left(self, metric: str, version: str) -> dict[str, Pair | None]:
        there = {key: row[metric] for key, row in self._store.verdicts.of(self._set, metric).items()}
        return {key: self._pairs[key] for key in left_of(self._request, self._pairs, there, version)}

    def _metric(self, name: str, version: str, left: Mapping[str, Pair | None]) -> None:
        def say(key: str, judged: Judged) -> None:
            self._add(Verdict(self._set, key, name, judged.outcome, judged.why, judged.evidence, version))

        for key in [key for key, pair in left.items() if pair is None]:
            say(key, Judged(Outcome.ERROR, "its example is no longer in the dataset"))
        pairs = {key: pair for key, pair in left.items() if pair is not None}
        try:
            if name == "judge":
                assert self._request.judge is not None
                self._ask(self._request.judge, pairs, say)
            else:
                self._judge_here(name, pairs, say)
        finally:
            self._save()

    def _ask(
        self, judge: JudgeSettings, pairs: Mapping[str, Pair], say: Callable[[str, Judged], None]
    ) -> None:
        progress, panel = self._progress, self._request.panel
        said = stored_evidence(self._store, self._set, judge, panel, self._mode)
        stop, room = progress.stop_requested, self._judge_room()
        judge_pairs(judge, pairs, say, stop, progress.paused, room, panel=panel, said=said)

    def _judge_room(self) -> Room:
        root = self._workspace.root
        return Room(root / JOURNAL, root, self._tell_judge, self._progress.asked_at)

    def _tell_judge(self, figures: Mapping[str, Any]) -> None:
        self._progress.event("judge", **figures)
        if batch := figures.get("batch"):  # it may be hours until the next verdict
            self._progress.step(self._done, self._total, f"judge by batch: {status_words(batch)}")

    def _judge_here(self, name: str, pairs: Mapping[str, Pair], say: Callable[[str, Judged], None]) -> None:
        """A metric of the processor, on all cores where there are enough pairs."""
        workers = 1 if name == "exact" else 0

        def tick() -> None:
            stop_if_asked(self._progress)

        store = GoldStore(self._workspace.root / GOLDS)
        with (
            closing(store),
            closing(judge_all(pairs.items(), (name,), self._mode, workers, tick, store)) as answers,
        ):
            for key, said in answers:
                say(key, said[name])

    def _add(self, verdict: Verdict) -> None:
        """Keep a verdict and say where the work is. The judge's are stored one by one: each was paid for."""
        self._waiting.append(verdict)
        self._done += 1
        self._passed += verdict.outcome is Outcome.PASS
        now = time.monotonic()
        if verdict.metric == "judge" or now - self._saved_at > _SAVE_EVERY:
            self._save()
        if self._done == self._total or now - self._told_at > _TELL_EVERY:
            self._told_at = now
            self._progress.step(self._done, self._total, f"evaluate {verdict.metric}", passed=self._passed)

    def _save(self) -> None:
        self._saved_at = time.monotonic()
        if self._waiting:
            self._store.verdicts.add(self._waiting)
            self._waiting = []
