"""The verdicts that a judge's prompt shows as evidence: which are needed, and those that are there."""

from __future__ import annotations

from t2s_tui.evaluation.comparison import Mode
from t2s_tui.evaluation.judge.facts import EVIDENCE, Said
from t2s_tui.evaluation.judge.panel import Panel, judges_of
from t2s_tui.evaluation.judge.prompts import prompt_of
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.metrics import METRICS
from t2s_tui.store import Store


def evidence_metrics(first: JudgeSettings, panel: Panel) -> tuple[str, ...]:
    """The metrics whose verdicts any of the judges is shown."""
    shown = any(prompt_of(judge).needs_evidence for judge in judges_of(first, panel))
    return EVIDENCE if shown else ()


def stored_evidence(
    store: Store, set_name: str, first: JudgeSettings, panel: Panel, mode: Mode
) -> dict[str, dict[str, Said]]:
    """example id -> metric -> its verdict by the rules of now; nothing where no judge is shown any."""
    found: dict[str, dict[str, Said]] = {}
    for metric in evidence_metrics(first, panel):
        version = mode.version if metric == "execution" else METRICS[metric].version
        for key, row in store.verdicts.of(set_name, metric).items():
            if row[metric].version == version:
                found.setdefault(key, {})[metric] = row[metric]
    return found
