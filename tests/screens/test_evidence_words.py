"""The evidence of a verdict as lines."""

from __future__ import annotations

from screens.evidence_words import evidence_of, steps_of
from t2s_tui.evaluation.judge.votes import Vote, many_votes
from t2s_tui.records import Outcome, Verdict


def test_every_vote_of_a_panel_is_a_line_with_its_reason() -> None:
    votes = [
        Vote("a", "a", "rubric", True, rationale="같은 행입니다 [bold]", fault="none"),
        Vote("a", "a", "rubric", False, repeat=1, rationale="no join"),
        Vote("b", "b", "reference", None, trouble="no answer: HTTP 500"),
        Vote("b", "b", "reference", True, swapped=True),
    ]
    judged = many_votes("majority", votes)
    verdict = Verdict("s", "e", "judge", judged.outcome, judged.why, judged.evidence, "v")
    text = "\n".join(line.plain for line in evidence_of(verdict, 80))
    assert "a: yes, 같은 행입니다 [bold]" in text
    assert "a 2: no, no join" in text
    assert "b: missing, no answer: HTTP 500" in text
    assert "b swapped: yes" in text
    assert steps_of({"judge": verdict}) == ["judge"]


def test_a_verdict_without_a_counterexample_says_why() -> None:
    why = "it does not run: no such column: gold_reward"
    verdict = Verdict("s", "e", "equivalence", Outcome.ERROR, why, {"engine": "sqlite 3.40.1"}, "v")
    assert [line.plain.strip() for line in evidence_of(verdict, 80)] == [why, "sqlite 3.40.1"]
