"""A judge's prompt as it would ask about a real row of a prediction set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.errors import NotFound, UsageError
from t2s_tui.evaluation.comparison import STRICT, Mode
from t2s_tui.evaluation.judge.facts import EVIDENCE, Said, facts_of
from t2s_tui.evaluation.judge.prompts import JudgePrompt, find_prompt
from t2s_tui.evaluation.judge.tokens import about_tokens
from t2s_tui.evaluation.judged import Pair
from t2s_tui.evaluation.metrics import METRICS
from t2s_tui.evaluation.trial import pair_of
from t2s_tui.records import Example
from t2s_tui.store import Store
from t2s_tui.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Preview:
    """The text that asks about one row. `computed`: its evidence had no verdicts and was made for this."""

    number: int
    example_id: str
    version: str
    text: str
    tokens: int
    computed: bool
    at: int
    rows: int

    @property
    def note(self) -> str:
        """Where its evidence is from, if that is worth a word."""
        return "   its evidence was made for this preview" if self.computed else ""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON of all of it."""
        return asdict(self)


def preview(
    workspace: Workspace,
    set_name: str,
    prompt: str | JudgePrompt,
    row: str | int | None = None,
    mode: Mode = STRICT,
) -> Preview:
    """The prompt about one row of the set: `row` is a question's number or an example's id as text, or the
    row's place from 0 among those that can be asked about; without it the first.

    Nothing is asked and nothing is kept. Raises NotFound for the set, the prompt or the row, UsageError
    where there is nothing to ask about, DataError for a prompt that cannot be used.
    """
    found = find_prompt(prompt, workspace) if isinstance(prompt, str) else prompt
    with workspace.store() as store:
        made = store.predictions.get_set(set_name)
        predictions = store.predictions.of(set_name)
        examples = [
            example
            for example in open_examples(workspace, made.dataset).split(made.split)
            if example.id in predictions and predictions[example.id].sql.strip()
        ]
        if not examples:
            raise UsageError(f"The set {set_name!r} has no SQL to judge yet", "wait for its generation")
        at = _place(examples, row)
        example = examples[at]
        said = _stored(store, set_name, example.id, mode) if found.needs_evidence else {}
    pair = pair_of(example, predictions[example.id].sql)
    lacking = [name for name in EVIDENCE if name not in said] if found.needs_evidence else []
    text = found.render(facts_of(pair, {**said, **_computed(lacking, pair, mode)}))
    return Preview(
        example.number, example.id, found.version, text, about_tokens(text), bool(lacking), at, len(examples)
    )


def _place(examples: list[Example], row: str | int | None) -> int:
    if row is None or isinstance(row, int):
        return (row or 0) % len(examples)
    for at, example in enumerate(examples):
        if row in (example.id, str(example.number), f"#{example.number}"):
            return at
    raise NotFound(f"There is no row {row!r} with SQL in this set", "the numbers are those of Inspect")


def _stored(store: Store, set_name: str, example_id: str, mode: Mode) -> dict[str, Said]:
    versions = {name: METRICS[name].version for name in EVIDENCE} | {"execution": mode.version}
    there = store.verdicts.on(set_name, example_id)
    return {n: there[n] for n in EVIDENCE if n in there and there[n].version == versions[n]}


def _computed(metrics: list[str], pair: Pair, mode: Mode) -> Mapping[str, Said]:
    if not metrics:
        return {}
    from t2s_tui.evaluation.judges import open_judges

    with open_judges(metrics, mode) as judges:
        return judges(pair)
