"""A prediction set as rows: the join, the filters, the next failing one, a person's verdict, line 1."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from t2s_tui.errors import NotFound, UsageError
from t2s_tui.evaluation.human import Word, put_back, say
from t2s_tui.evaluation.review import (
    Review,
    fault_counts,
    leading_metric,
    load_review,
    load_verdicts,
    next_failing,
    refresh_outcomes,
    score_words,
)
from t2s_tui.evaluation.review_filter import fault_query, filter_rows
from t2s_tui.evaluation.statistics import score
from t2s_tui.records import Example, Outcome, Prediction, Verdict
from t2s_tui.workspace import Workspace
from tests.reviewed import judge_says, refuted, reviewed_workspace


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, list[Example]]:
    return reviewed_workspace(tmp_path_factory.mktemp("review"))


@pytest.fixture(scope="module")
def tuned(shared: tuple[Workspace, list[Example]]) -> Review:
    return load_review(shared[0], "tuned")


def places(review: Review, query: str) -> list[int]:
    numbers = [row.example.number for row in review.rows]
    return [numbers.index(row.example.number) for row in filter_rows(review.rows, query)]


def test_rows_come_in_the_order_of_the_dataset_with_what_each_metric_said(tuned: Review) -> None:
    assert [row.outcomes["execution"] for row in tuned.rows] == [Outcome.FAIL] * 2 + [Outcome.PASS] * 4
    numbers = [row.example.number for row in tuned.rows]
    assert numbers == sorted(numbers)
    assert tuned.complete
    assert tuned.metrics == {"exact", "execution"}


def test_filters(tuned: Review) -> None:
    assert places(tuned, "exec:fail") == [0, 1]
    assert places(tuned, "exec:pass,fail") == list(range(6))
    assert places(tuned, "-exec:fail exact:pass") == [2, 3, 4, 5]
    assert places(tuned, "judge:none is:failing") == [0, 1]
    assert places(tuned, "human:right") == []
    assert places(tuned, "sql:limit") == [0]
    assert places(tuned, "NICKNAME 'x") == [1]
    assert places(tuned, f"#{tuned.rows[3].example.number}") == [3]
    assert places(tuned, "db:game stopped:length") == []
    assert places(tuned, "") == list(range(6))


def test_words_are_found_in_korean_however_they_were_composed(tuned: Review) -> None:
    word = tuned.rows[0].example.question.split()[0]
    assert 0 in places(tuned, unicodedata.normalize("NFD", word))


@pytest.mark.parametrize(
    ("query", "names"), [("colour:red", "faults"), ("exec:maybe", "unknown"), ("is:bad", "failing")]
)
def test_a_filter_that_does_not_exist_names_those_that_do(tuned: Review, query: str, names: str) -> None:
    with pytest.raises(UsageError, match=names):
        filter_rows(tuned.rows, query)


def test_the_next_failing_row_goes_around_the_end(tuned: Review) -> None:
    assert next_failing(tuned.rows, 0) == 1
    assert next_failing(tuned.rows, 1) == 0
    assert next_failing(tuned.rows, 0, -1) == 1
    assert next_failing(tuned.rows[2:], 0) is None
    assert next_failing([], -1) is None


def test_a_person_overrules_the_metrics_and_can_take_it_back(tmp_path: Path) -> None:
    workspace, examples = reviewed_workspace(tmp_path)
    first = examples[0].id
    assert say(workspace, "tuned", first, Word(Outcome.PASS, " 조인이 맞다 ", "queue")) is None
    review = load_review(workspace, "tuned")
    assert not review.rows[0].failing
    assert load_verdicts(workspace, "tuned", first)["execution"].outcome is Outcome.FAIL
    before = say(workspace, "tuned", first, Word(Outcome.FAIL))
    assert before is not None
    assert (before.evidence["note"], before.evidence["drawn"]) == ("조인이 맞다", "queue")
    assert refresh_outcomes(workspace, review).rows[0].outcomes["human"] is Outcome.FAIL
    put_back(workspace, "tuned", first, before)
    assert load_verdicts(workspace, "tuned", first)["human"] == before
    put_back(workspace, "tuned", first, None)
    assert "human" not in load_verdicts(workspace, "tuned", first)
    assert len(load_verdicts(workspace, "tuned", first)) == 2


def test_faults_are_counted_by_the_one_that_leads_and_filtered(tmp_path: Path) -> None:
    workspace, examples = reviewed_workspace(tmp_path)
    refuted(workspace, "tuned", examples[0].id)
    # A fault of what passes on the database is a difference, and nothing to mend.
    refuted(workspace, "tuned", examples[2].id)
    say(workspace, "tuned", examples[2].id, Word(Outcome.PASS))
    review = load_review(workspace, "tuned")
    assert [(c.fault, c.leading, c.also) for c in fault_counts(review.rows)] == [
        ("join type", 1, 0),
        ("missing join", 0, 1),
    ]
    assert [places(review, fault_query(count)) for count in fault_counts(review.rows)] == [[0], [0, 2]]
    assert places(review, "fault:type") == [0]
    assert places(review, "fault:value") == []
    assert places(review, "class:data is:failing") == [0]


def test_what_an_engine_said_and_what_refuted_it_say_which_fault_leads(tmp_path: Path) -> None:
    workspace, examples = reviewed_workspace(tmp_path, judged=False)
    ids = [example.id for example in examples]
    faults = {"faults": ["value", "ordering", "limit"]}
    fail = Outcome.FAIL
    ran, broke = "they differ where rows tie", "it does not run: no such column: nickname"
    said = [Verdict("tuned", i, "normalized", fail, "differs", faults) for i in ids[:3]]
    said += [
        Verdict("tuned", ids[0], "equivalence", fail, ran, {"class": "tie"}),
        Verdict("tuned", ids[1], "execution", fail, "", {"generated": {"error": "no such table: gamers"}}),
        Verdict("tuned", ids[2], "equivalence", fail, "", {"class": "data"}),
        Verdict("tuned", ids[3], "equivalence", Outcome.ERROR, broke, {"class": "error"}),
    ]
    with workspace.store() as store:
        store.verdicts.add(said)
    assert [row.faults for row in load_review(workspace, "tuned").rows[:5]] == [
        ("limit", "ordering", "value"),
        ("unknown table", "value", "ordering", "limit"),
        ("value", "ordering", "limit"),
        ("unknown column",),
        (),
    ]


def test_a_missing_answer_of_the_judge_is_no_failure(tmp_path: Path) -> None:
    workspace, examples = reviewed_workspace(tmp_path, judged=False)
    judge_says(workspace, "tuned", examples[0].id, Outcome.MISSING)
    judge_says(workspace, "tuned", examples[1].id, Outcome.FAIL)
    review = load_review(workspace, "tuned")
    assert [row.failing for row in review.rows] == [False, True, False, False, False, False]
    assert places(review, "judge:missing") == [0]
    assert score_words(review.scores) == "judge 0.0 (1 missing)"


def test_predictions_whose_example_is_gone_are_counted(tmp_path: Path) -> None:
    workspace, _ = reviewed_workspace(tmp_path, judged=False)
    with workspace.store() as store:
        store.predictions.add([Prediction("tuned", "0123456789ab", "", "", 1, 1, "eos", 0.1)])
    assert load_review(workspace, "tuned").strays == 1
    with pytest.raises(NotFound, match="base, tuned"):
        load_review(workspace, "other")


def test_line_1_gives_percentages_and_the_interval_of_execution() -> None:
    yes, no, none, undecided = Outcome.PASS, Outcome.FAIL, Outcome.MISSING, Outcome.UNKNOWN
    scores = [
        score("exact", [yes] * 35 + [no] * 77),
        score("execution", [yes] * 64 + [no] * 48 + [undecided]),
        score("judge", [yes] * 61 + [no] * 49 + [none] * 2),
        score("human", [yes, no]),
    ]
    words = "exact 31.2  exec 57.1 ±9.0 (1 unknown)  judge 55.5 (2 missing)  human 1/2"
    assert score_words(scores) == words
    assert score_words(scores, only="execution") == "exec 57.1 ±9.0 (1 unknown)"
    assert leading_metric(scores) == "execution"
    assert leading_metric([]) is None
