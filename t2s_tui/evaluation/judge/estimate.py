"""What an evaluation by the judge will ask for, before it starts: requests, tokens, and what is not known.

Nothing is sent. Tokens are counted by tiktoken where it knows the model and has its vocabulary on this
machine; else they are estimated from the characters, and said to be.
"""

from __future__ import annotations

from dataclasses import dataclass

from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.evaluation.judge.cost import price_of
from t2s_tui.evaluation.judge.prompts import render
from t2s_tui.evaluation.judge.run import judge_version
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.tokens import counter
from t2s_tui.evaluation.judged import Pair
from t2s_tui.evaluation.left import left_of
from t2s_tui.evaluation.request import EvaluateRequest
from t2s_tui.workspace import Workspace

_ANSWER_TOKENS = 16  # of `{"resolve_yn": "yes"}` with its end, and some room
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
    """The estimate of a request; None when it asks no judge. Raises NotFound for the set or its dataset."""
    from t2s_tui.evaluation.run import pairs_of

    judge = request.judge
    if judge is None or "judge" not in request.metrics:
        return None
    with workspace.store() as store:
        made = store.predictions.get_set(request.predictions)
        predictions = store.predictions.of(made.name)
        there = {key: row["judge"] for key, row in store.verdicts.of(made.name, "judge").items()}
    examples = {e.id: e for e in open_examples(workspace, made.dataset).split(made.split)}
    pairs = pairs_of(examples, predictions)
    left = left_of(request, pairs, there, judge_version(judge))
    prompts = [
        _prompt(judge, pair)
        for pair in (pairs[key] for key in left)
        if pair is not None and pair.generated.strip()
    ]
    count, counted = counter(judge.model)
    tokens, answers = sum(count(prompt) + _FRAME_TOKENS for prompt in prompts), _ANSWER_TOKENS * len(prompts)
    price = price_of(judge.model, workspace.root)
    if price and judge.route == "batch":
        price = price.in_batch()
    return Estimate(
        requests=len(prompts),
        kept=len(pairs) - len(left),
        prompt_tokens=tokens,
        answer_tokens=answers,
        counted=counted,
        local=judge.loopback,
        cost=price.of(tokens, answers) if price and not judge.loopback else None,
        minutes=_minutes(judge, len(prompts), tokens + answers) if judge.route == "live" else None,
        batch=judge.route == "batch",
    )


def _minutes(judge: JudgeSettings, requests: int, tokens: int) -> float | None:
    """At the limits that are known; None where none is."""
    limits = ((requests, judge.requests_per_minute), (tokens, judge.tokens_per_minute))
    spans = [amount / limit for amount, limit in limits if limit]
    return max(spans, default=None)


def _prompt(judge: JudgeSettings, pair: Pair) -> str:
    return render(
        judge.prompt,
        ddl=pair.ddl or "",
        question=pair.question,
        gold=pair.gold,
        generated=pair.generated,
    )
