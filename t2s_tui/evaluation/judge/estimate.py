"""What an evaluation by the judge will ask for, before it starts: requests, tokens, and what is not known.

Nothing is sent. Tokens are counted by tiktoken where it knows the model and has its vocabulary on this
machine; else they are estimated from the characters, and said to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.evaluation.comparison import mode_named
from t2s_tui.evaluation.judge.cost import price_of
from t2s_tui.evaluation.judge.evidence import stored_evidence
from t2s_tui.evaluation.judge.facts import Facts, facts_of
from t2s_tui.evaluation.judge.panel import Panel, judge_version, judges_of
from t2s_tui.evaluation.judge.prompts import prompt_of
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.tokens import counter
from t2s_tui.evaluation.left import left_of
from t2s_tui.evaluation.request import EvaluateRequest
from t2s_tui.workspace import Workspace

_ANSWER_TOKENS = 16  # of `{"resolve_yn": "yes"}` with its end, and some room
_WORDY_TOKENS = 90  # of an answer with one or two sentences of reasons
_EVIDENCE_TOKENS = 250  # of evidence that is not there yet: two results of a few rows, a counterexample
_FRAME_TOKENS = 8  # of a chat message around its text
#: Above these a person is asked first: money, and requests whose price is not known.
CONFIRM_COST, CONFIRM_REQUESTS = 1.0, 50


@dataclass(frozen=True, slots=True)
class Estimate:
    """`requests` to send; `kept` rows are not asked about: they have a verdict of this judge, or were not
    chosen. None where nothing is known.

    `counted`: the tokens are the model's own, not estimated from characters. `local`: the endpoint is on this
    machine, where a request costs time and no money. `cost` is in `currency`, `minutes` at the known limits.
    `batch`: it goes by the Batch API, at the batch's price, and answers come within 24 hours.
    """

    requests: int
    kept: int
    prompt_tokens: int
    answer_tokens: int
    counted: bool
    local: bool
    cost: float | None = None
    currency: str = "USD"
    minutes: float | None = None
    batch: bool = False

    @property
    def to_confirm(self) -> bool:
        """Whether a person should say yes before this starts."""
        if self.cost is not None:
            return self.cost > CONFIRM_COST
        return not self.local and self.requests > CONFIRM_REQUESTS


def estimate(workspace: Workspace, request: EvaluateRequest) -> Estimate | None:
    """The estimate of a request over all its votes; None when it asks no judge.

    Raises NotFound for the set, its dataset or a prompt, DataError for a prompt that cannot be used,
    UsageError for a judge that is there twice.
    """
    request = request.complete(workspace)
    if request.judge is None or not request.asks_judge:
        return None
    first, panel = request.judge, request.panel
    asked, kept = _asked(workspace, request, first, panel)
    parts = [_of_one(workspace, judge, asked, panel.votes) for judge in judges_of(first, panel)]
    costs = [part.cost for part in parts if not part.local]
    minutes = [part.minutes for part in parts]
    return Estimate(
        requests=sum(part.requests for part in parts),
        kept=kept,
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        answer_tokens=sum(part.answer_tokens for part in parts),
        counted=all(part.counted for part in parts),
        local=all(part.local for part in parts),
        cost=None if not costs or None in costs else sum(cost for cost in costs if cost is not None),
        minutes=None if None in minutes else sum(span for span in minutes if span is not None),
        batch=any(part.batch for part in parts),
    )


def _asked(
    workspace: Workspace, request: EvaluateRequest, first: JudgeSettings, panel: Panel
) -> tuple[list[tuple[Facts, bool]], int]:
    """What is known of each row to ask about, and whether its evidence is there; how many rows are kept."""
    from t2s_tui.evaluation.run import pairs_of

    with workspace.store() as store:
        made = store.predictions.get_set(request.predictions)
        predictions = store.predictions.of(made.name)
        there = {key: row["judge"] for key, row in store.verdicts.of(made.name, "judge").items()}
        said = stored_evidence(store, made.name, first, panel, mode_named(request.mode))
    examples = {e.id: e for e in open_examples(workspace, made.dataset).split(made.split)}
    pairs = pairs_of(examples, predictions)
    left = left_of(request, pairs, there, judge_version(first, panel))
    asked = [
        (facts_of(pair, said.get(key)), key in said)
        for key, pair in ((key, pairs[key]) for key in left)
        if pair is not None and pair.generated.strip()
    ]
    return asked, len(pairs) - len(left)


def _of_one(
    workspace: Workspace, judge: JudgeSettings, asked: Sequence[tuple[Facts, bool]], votes: int
) -> Estimate:
    """What one judge will be asked. Gold and generated exchanged make a prompt of the same length."""
    prompt, (count, counted) = prompt_of(judge), counter(judge.model)
    tokens, guessed = 0, 0
    for facts, has_evidence in asked:
        tokens += count(prompt.render(facts)) + _FRAME_TOKENS
        guessed += prompt.needs_evidence and not has_evidence
    requests, tokens = votes * len(asked), votes * (tokens + guessed * _EVIDENCE_TOKENS)
    answers = requests * (_WORDY_TOKENS if "rationale" in prompt.text else _ANSWER_TOKENS)
    price = price_of(judge.model, workspace.root)
    if price and judge.route == "batch":
        price = price.in_batch()
    return Estimate(
        requests=requests,
        kept=0,
        prompt_tokens=tokens,
        answer_tokens=answers,
        counted=counted and not guessed,
        local=judge.loopback,
        cost=price.of(tokens, answers) if price and not judge.loopback else None,
        minutes=_minutes(judge, requests, tokens + answers) if judge.route == "live" else None,
        batch=judge.route == "batch",
    )


def _minutes(judge: JudgeSettings, requests: int, tokens: int) -> float | None:
    """At the limits that are known; None where none is."""
    limits = ((requests, judge.requests_per_minute), (tokens, judge.tokens_per_minute))
    spans = [amount / limit for amount, limit in limits if limit]
    return max(spans, default=None)
