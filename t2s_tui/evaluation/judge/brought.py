"""A prediction set from a request file: what a judge was asked about may be nowhere else."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.errors import UsageError
from t2s_tui.evaluation.judge.cookbook import BadLine, content_of, read_requests
from t2s_tui.evaluation.judge.facts import Facts
from t2s_tui.evaluation.judge.prompts import JudgePrompt
from t2s_tui.records import Example, Prediction, PredictionSet
from t2s_tui.sql.statements import first_statement
from t2s_tui.workspace import Workspace

_MARK = "\0"  # stands for the generated SQL: no text has it


@dataclass
class Brought:
    """What came of it: rows with a prediction, requests about no example of the split, bad lines."""

    predictions: int = 0
    strangers: int = 0
    bad: list[BadLine] = field(default_factory=list)


def bring_set(
    workspace: Workspace, name: str, dataset: str, split: str, prompt: JudgePrompt, lines: Iterable[str]
) -> Brought:
    """Make the prediction set `name` of what the requests show as generated, each joined to its example.

    A request is about the example whose prompt it begins and ends with. Raises UsageError when the set is
    there already, or no request is about an example; NotFound for the dataset.
    """
    with workspace.store() as store:
        if store.predictions.find_set(name) is not None:
            raise UsageError(
                f"A prediction set {name!r} is there already", "leave --dataset out, or name it anew"
            )
    frames = _frames(prompt, open_examples(workspace, dataset).split(split))
    report, found = Brought(), dict[str, Prediction]()
    for read in read_requests(lines):
        if isinstance(read, BadLine):
            report.bad.append(read)
            continue
        joined = _joined(content_of(read[0]), frames)
        if joined is None:
            report.strangers += 1
            continue
        key, raw = joined
        found[key] = Prediction(name, key, raw, first_statement(raw), 0, 0, "brought", 0.0)
    if not found:
        raise UsageError(
            f"No request is about an example of {dataset} · {split}",
            "name the dataset and split that were judged, and the prompt with --judge-prompt",
        )
    report.predictions = len(found)
    made = PredictionSet(
        name,
        dataset,
        split,
        "brought",
        None,
        "",
        {"brought": "from judge requests"},
        len(found),
        "",
        time.time(),
    )
    with workspace.store() as store:
        store.predictions.put_set(made)
        store.predictions.add(found.values())
    return report


def _frames(prompt: JudgePrompt, examples: Iterable[Example]) -> Mapping[str, list[tuple[str, str]]]:
    """What stands before the generated SQL -> (what stands behind it, the example), in order."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for example in examples:
        facts = Facts(example.ddl, example.question, example.gold, _MARK, example.dialect)
        before, _, behind = prompt.render(facts).partition(_MARK)
        found[before.lstrip()].append((behind.rstrip(), example.id))
    return found


def _joined(content: str, frames: Mapping[str, list[tuple[str, str]]]) -> tuple[str, str] | None:
    """(example, generated) of a request; rows that are asked about in the same words get one request each."""
    for length in sorted({len(before) for before in frames}, reverse=True):
        waiting = frames.get(content[:length])
        for at, (behind, key) in enumerate(waiting or ()):
            if content.endswith(behind) and length + len(behind) <= len(content):
                assert waiting is not None
                if len(waiting) > 1:
                    del waiting[at]
                return key, content[length : len(content) - len(behind)]
    return None
