"""One judge's answer to one asking about a row, and the verdict that the votes on a row come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from t2s_tui.evaluation.judge.client import Reply
from t2s_tui.evaluation.judge.panel import Rule, combined
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.verdicts import read_answer
from t2s_tui.evaluation.judged import Judged
from t2s_tui.records import Outcome, Verdict

UNREADABLE = "the answer cannot be read as yes or no"
_WORDS = {True: "yes", False: "no", None: "missing"}


@dataclass(frozen=True, slots=True)
class Vote:
    """What `judge` said: `yes` is None where it said nothing that can be read, and `trouble` why.

    `request` is its key in the journal. `swapped`: asked with gold and generated exchanged, which counts for
    no verdict. `doubts`: how often it was under way when a process died, and may have been paid for.
    """

    judge: str
    model: str
    prompt: str
    yes: bool | None
    repeat: int = 0
    swapped: bool = False
    answer: str = ""
    rationale: str = ""
    fault: str = ""
    trouble: str = ""
    request: str = ""
    attempts: int = 1
    usage: Mapping[str, int] = field(default_factory=dict)
    cost: float | None = None
    cached: bool = False
    doubts: int = 0

    @property
    def word(self) -> str:
        """yes, no or missing."""
        return _WORDS[self.yes]

    def as_json(self) -> dict[str, Any]:
        """Plain JSON without what is empty; `yes` is always there."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return {k: v for k, v in plain.items() if k == "yes" or v not in ("", 0, False, None, {})}


def vote_of(label: str, judge: JudgeSettings, reply: Reply, repeat: int = 0, swapped: bool = False) -> Vote:
    """The vote that a reply is."""
    word = read_answer(reply.text) if reply.text is not None else None
    trouble = f"no answer: {reply.trouble}" if word is None else UNREADABLE if word.yes is None else ""
    return Vote(
        judge=label,
        model=judge.model,
        prompt=judge.prompt,
        yes=word.yes if word else None,
        repeat=repeat,
        swapped=swapped,
        answer=reply.text or "",
        rationale=word.rationale if word else "",
        fault=word.fault if word else "",
        trouble=trouble,
        request=reply.key,
        attempts=reply.attempts,
        usage=reply.usage,
        cost=reply.cost,
        cached=reply.cached,
        doubts=reply.doubts,
    )


def votes_of(verdict: Verdict) -> list[Vote]:
    """The votes behind a judge's verdict: of one judge asked once, that one. Empty where nobody was asked."""
    said = verdict.evidence.get("votes")
    if isinstance(said, list):
        return [Vote(**one) for one in said]
    evidence = verdict.evidence
    if "attempts" not in evidence and "answer" not in evidence:
        return []
    model = str(evidence.get("model", ""))
    yes = {Outcome.PASS: True, Outcome.FAIL: False}.get(verdict.outcome)
    names = ("answer", "rationale", "fault", "request", "attempts", "usage", "cost", "cached")
    more = {name: evidence[name] for name in names if name in evidence}
    trouble = verdict.why if yes is None else ""
    doubts = int(evidence.get("in_doubt") or 0)
    prompt = str(evidence.get("prompt", ""))
    return [Vote(model, model, prompt, yes, trouble=trouble, doubts=doubts, **more)]


def one_vote(vote: Vote) -> Judged:
    """The verdict of one judge that is asked once."""
    evidence: dict[str, Any] = {"model": vote.model, "prompt": vote.prompt, "attempts": vote.attempts}
    if vote.doubts:
        evidence["in_doubt"] = vote.doubts  # under way when a process died: it may have been paid for twice
    if vote.request:
        evidence["request"] = vote.request
    if not vote.answer and vote.yes is None and vote.trouble != UNREADABLE:
        return Judged(Outcome.MISSING, vote.trouble, evidence)
    evidence |= {"answer": vote.answer, "usage": vote.usage}
    evidence |= {"cost": vote.cost} if vote.cost is not None else {}
    evidence |= {"cached": True} if vote.cached else {}
    evidence |= {"rationale": vote.rationale} if vote.rationale else {}
    evidence |= {"fault": vote.fault} if vote.fault else {}
    if vote.yes is None:
        return Judged(Outcome.MISSING, UNREADABLE, evidence)
    return Judged(
        Outcome.PASS if vote.yes else Outcome.FAIL, vote.rationale or f"the judge says {vote.word}", evidence
    )


def many_votes(rule: Rule, votes: Sequence[Vote]) -> Judged:
    """The verdict of several votes by the rule, with all of them as its evidence.

    `split`: those that count contradict each other. Swapped ones only measure, and count for nothing.
    """
    counted = [vote for vote in votes if not vote.swapped]
    judges = list(dict.fromkeys(vote.judge for vote in counted))
    yes = combined(rule, [[vote.yes for vote in counted if vote.judge == judge] for judge in judges])
    tally = Counter(vote.word for vote in counted)
    agreeing = [vote for vote in counted if vote.yes is yes and yes is not None]
    evidence: dict[str, Any] = {
        "model": " + ".join(judges),
        "prompt": ", ".join(dict.fromkeys(vote.prompt for vote in counted)),
        "rule": rule,
        "tally": {word: tally[word] for word in _WORDS.values()},
        "attempts": sum(vote.attempts for vote in votes),
        "usage": dict(sum((Counter(vote.usage) for vote in votes), Counter())),
        "votes": [vote.as_json() for vote in votes],
    }
    evidence |= {"split": True} if tally["yes"] and tally["no"] else {}
    costs = [vote.cost for vote in votes if vote.cost is not None]
    evidence |= {"cost": sum(costs)} if costs else {}
    evidence |= {"in_doubt": doubts} if (doubts := sum(vote.doubts for vote in votes)) else {}
    if rationale := next((vote.rationale for vote in agreeing if vote.rationale), ""):
        evidence["rationale"] = rationale
    if faults := Counter(vote.fault for vote in agreeing if vote.fault):
        evidence["fault"] = faults.most_common(1)[0][0]
    outcome = {True: Outcome.PASS, False: Outcome.FAIL, None: Outcome.MISSING}[yes]
    return Judged(outcome, _why(rule, tally, len(counted)), evidence)


def _why(rule: Rule, tally: Counter[str], count: int) -> str:
    parts = [f"{tally[word]} {word}" for word in _WORDS.values() if tally[word]]
    return f"{', '.join(parts)} of {count} votes, by {rule}"
