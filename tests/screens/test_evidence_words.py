"""The evidence of a verdict as lines: what a panel of judges said, vote by vote."""

from __future__ import annotations

from screens.evidence_words import evidence_of, steps_of
from t2s_tui.evaluation.judge.votes import Vote, many_votes
from t2s_tui.records import Verdict


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
