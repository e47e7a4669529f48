"""From predictions to the judges' verdicts and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.judge.asks import Ask, Reply, Room
from t2s_tui.evaluation.judge.cost import price_of
from t2s_tui.evaluation.judge.facts import Facts, Said, facts_of
from t2s_tui.evaluation.judge.journal import Journal
from t2s_tui.evaluation.judge.panel import ONE, Panel, judges_of, labels
from t2s_tui.evaluation.judge.prompts import JudgePrompt, prompt_of
from t2s_tui.evaluation.judge.routes import ask_by_route
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.verdicts import read_answer
from t2s_tui.evaluation.judge.votes import Vote, many_votes, one_vote, vote_of
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.records import Outcome

Messages = tuple[Mapping[str, str], ...]
_ADDED = ("done", "missing", "failed", "cached", "in_doubt")  # counts of all rounds together


def judge_pairs(
    settings: JudgeSettings,
    pairs: Mapping[str, Pair],
    on_verdict: Callable[[str, Judged], None],
    should_stop: Callable[[], bool] = lambda: False,
    paused: Callable[[], bool] = lambda: False,
    room: Room | None = None,
    *,
    panel: Panel = ONE,
    said: Mapping[str, Mapping[str, Said]] | None = None,
) -> None:
    """Ask every judge about each pair; `on_verdict` gets the key and the verdict once all its votes are in.

    One judge after the other: each has its endpoint's limits to itself, and what is left of the one budget.
    `said` are the verdicts that a prompt may show as evidence.
    Raises what `ask_all` raises, DataError for a prompt that fails on a row, UsageError for a judge that is
    there twice. An answer that cannot be read, or that never came, is `missing`.
    """
    judges, room = judges_of(settings, panel), room or Room()
    _check_budget(judges, room)
    facts: dict[str, Facts] = {}
    for key, pair in pairs.items():
        if pair.generated.strip():
            facts[key] = facts_of(pair, (said or {}).get(key))
        else:
            model = " + ".join(labels(judges))
            on_verdict(key, Judged(Outcome.FAIL, "there is no SQL: not asked", {"model": model}))
    rounds = [_Round(*who, facts, panel) for who in zip(labels(judges), judges, strict=True)]
    ballot = _Ballot(panel, len(judges), on_verdict)
    total = _Total(room, sum(map(len, rounds)))
    for one in rounds:
        take = _taker(one, ballot)
        ask_by_route(one.judge, one.asks(), take, should_stop, paused, total.room(one), _readable, len(one))


def messages_of(prompt: JudgePrompt, facts: Facts) -> Messages:
    """The chat that asks about a row. Raises DataError."""
    return ({"role": "system", "content": prompt.render(facts)},)


def judged(settings: JudgeSettings, reply: Reply) -> Judged:
    """The verdict of one reply."""
    return one_vote(vote_of(settings.model, settings, reply))


def _readable(text: str) -> bool:
    return read_answer(text).yes is not None


def _check_budget(judges: Sequence[JudgeSettings], room: Room) -> None:
    """A budget that cannot be kept is said before the first judge is paid."""
    for judge in judges:
        if judge.budget is not None and price_of(judge.model, room.workspace_root) is None:
            raise UsageError(
                f"There is no price for {judge.model!r}, so a budget cannot be kept",
                "add it to prices.toml in the workspace, or leave --judge-budget out",
            )


class _Round:
    """All that one judge is asked: each row in each way so many times. Prompts are made as they are taken."""

    def __init__(self, label: str, judge: JudgeSettings, facts: Mapping[str, Facts], panel: Panel) -> None:
        self.label, self.judge = label, judge
        self._facts, self._keys = facts, list(facts)
        self._ways, self._repeats = (False, True) if panel.swap else (False,), panel.repeats
        self._prompt = prompt_of(judge)
        if self._prompt.jinja:  # a prompt that fails on a row is said before anything is paid for
            for found in facts.values():
                self._prompt.render(found)

    def __len__(self) -> int:
        return len(self._keys) * len(self._ways) * self._repeats

    def asks(self) -> Iterator[Ask]:
        """The requests in the order of the rows; their numbers are what replies bring back."""
        number = 0
        for key in self._keys:
            for swapped in self._ways:
                found = self._facts[key]
                messages = messages_of(self._prompt, found.swapped() if swapped else found)
                for repeat in range(self._repeats):
                    yield Ask(str(number), messages, repeat)
                    number += 1

    def place(self, number: int) -> tuple[str, int, bool]:
        """(row, repeat, swapped) of a request's number."""
        number, repeat = divmod(number, self._repeats)
        row, way = divmod(number, len(self._ways))
        return self._keys[row], repeat, self._ways[way]


class _Ballot:
    """The votes as they come; a row's verdict is told with its last one."""

    def __init__(self, panel: Panel, judges: int, on_verdict: Callable[[str, Judged], None]) -> None:
        self._panel, self._wanted = panel, judges * panel.votes
        self._on_verdict = on_verdict
        self._votes: dict[str, list[Vote]] = {}

    def take(self, key: str, vote: Vote) -> None:
        votes = self._votes.setdefault(key, [])
        votes.append(vote)
        if len(votes) < self._wanted:
            return
        del self._votes[key]
        votes.sort(key=lambda vote: (vote.swapped, vote.repeat))  # stable: the judges stay in their order
        made = one_vote(votes[0]) if self._panel.one else many_votes(self._panel.vote, votes)
        self._on_verdict(key, made)


def _taker(one: _Round, ballot: _Ballot) -> Callable[[Reply], None]:
    def take(reply: Reply) -> None:
        key, repeat, swapped = one.place(int(reply.example_id))
        ballot.take(key, vote_of(one.label, one.judge, reply, repeat, swapped))

    return take


@dataclass
class _Total:
    """The figures of all rounds as one: counts of the rounds before are added to those of this one."""

    outside: Room
    votes: int
    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    models: set[str] = field(default_factory=set)
    spent: float = 0.0

    def room(self, one: _Round) -> Room:
        """The room of the next round."""
        before, errors = Counter(self.counts), Counter(self.errors)
        self.models.add(one.judge.model)
        spent = self.spent = max(self.spent, self._spent_before())

        def tell(figures: Mapping[str, Any]) -> None:
            self.counts = before + Counter({name: figures[name] for name in _ADDED})
            self.errors = errors + Counter(figures["errors"])
            self.spent = figures["cost"] if figures["cost"] is not None else spent
            left = self.votes - self.counts["done"]
            rate = figures.get("requests_per_minute")
            self.outside.on_figures(
                {
                    **figures,
                    **{name: self.counts[name] for name in _ADDED},
                    "waiting": left - figures["in_flight"],
                    "total": self.votes,
                    "errors": dict(self.errors),
                    "cost": self.spent if figures["cost"] is not None or spent else None,
                    "eta_seconds": round(60 * left / rate) if rate and left else None,
                    "asked": one.label,
                }
            )

        return replace(self.outside, spent=spent, on_figures=tell)

    def _spent_before(self) -> float:
        """USD that the judges up to this one have cost since the work was asked for, also before a resume."""
        journal = Journal(self.outside.journal)
        try:
            return sum(journal.spent_since(model, self.outside.since) for model in self.models)
        finally:
            journal.close()
