"""Several judges, repeats and the swap test against a real server on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.judge.client import Room
from t2s_tui.evaluation.judge.consistency import between_judges, each_judge
from t2s_tui.evaluation.judge.journal import FILE
from t2s_tui.evaluation.judge.panel import Panel, combined, judge_version, read_also, write_also
from t2s_tui.evaluation.judge.run import judge_pairs
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.records import Outcome, Verdict
from tests.fixtures.openai_server import FakeOpenAI

PAIRS = {f"e{i}": Pair(f"GOLD {i}", f"GENERATED {i}", question=f"q{i}?") for i in range(4)}
Y, N = True, False


def word(yes: bool) -> str:
    return f'{{"resolve_yn": "{"yes" if yes else "no"}"}}'


def by_model(body: dict[str, Any]) -> str:
    """`kind` says yes to all; `stern` to q0 alone; `biased` to whatever comes second and was generated."""
    text, model = body["messages"][0]["content"], body["model"]
    if model == "stern":
        return word("q0?" in text)
    if model == "biased":
        return word("gen_sql: GENERATED" in text)
    return word(True)


def judge(server: FakeOpenAI, panel: Panel, room: Room | None = None, **more: Any) -> dict[str, Judged]:
    first = JudgeSettings(**{"base_url": server.base_url, "model": "kind", "timeout": 5.0, **more})
    found: dict[str, Judged] = {}
    judge_pairs(first, PAIRS, found.__setitem__, room=room, panel=panel)
    return found


def other(server: FakeOpenAI, model: str, **more: Any) -> JudgeSettings:
    return JudgeSettings(base_url=server.base_url, model=model, timeout=5.0, **more)


def verdicts(found: dict[str, Judged]) -> list[Verdict]:
    return [Verdict("s", key, "judge", j.outcome, j.why, j.evidence, "v") for key, j in found.items()]


@pytest.mark.parametrize(
    ("rule", "votes", "yes"),
    [
        ("majority", [[Y], [Y], [N]], Y),
        ("majority", [[Y], [N]], None),  # a tie is missing, never a no
        ("majority", [[Y], [None], [None]], None),
        ("majority", [[Y, Y, N], [N, N, N], [N]], N),  # the repeats of one do not outvote another
        ("all", [[Y], [Y]], Y),
        ("all", [[Y], [N]], N),
        ("all", [[Y], [None]], None),
        ("each", [[N], [Y], [Y]], N),
    ],
)
def test_rules(rule: Any, votes: list[list[bool | None]], yes: bool | None) -> None:
    assert combined(rule, votes) is yes


@pytest.mark.parametrize(
    ("rule", "outcomes"),
    [
        ("majority", ["pass", "missing", "missing", "missing"]),
        ("all", ["pass", "fail", "fail", "fail"]),
        ("each", ["pass", "pass", "pass", "pass"]),
    ],
)
def test_two_judges_by_each_rule(rule: Any, outcomes: list[str]) -> None:
    with FakeOpenAI(by_model) as server:
        found = judge(server, Panel(also=[other(server, "stern")], vote=rule))
        assert len(server.requests) == 2 * len(PAIRS)
    assert [str(found[key].outcome) for key in sorted(found)] == outcomes
    assert [vote["judge"] for vote in found["e1"].evidence["votes"]] == ["kind", "stern"]
    assert found["e1"].evidence["split"] is True
    one, two = each_judge(verdicts(found))
    assert (one.judge, one.yes, one.no) == ("kind", 4, 0)
    assert (two.judge, two.yes, two.no) == ("stern", 1, 3)
    (couple,) = between_judges(verdicts(found))
    assert (couple.count, couple.agreement) == (4, 0.25)


def test_repeats_and_the_swap_test_are_measured() -> None:
    with FakeOpenAI(by_model) as server:
        found = judge(server, Panel(repeats=3, swap=True), model="biased")
        assert len(server.requests) == 6 * len(PAIRS)
    assert {str(judged.outcome) for judged in found.values()} == {"pass"}, "swapped votes count for nothing"
    (biased,) = each_judge(verdicts(found))
    assert (biased.repeated, biased.self_agreement) == (4, 1.0)
    assert (biased.swapped, biased.position_bias) == (4, 1.0)


def test_an_unsteady_judge_is_seen_to_be() -> None:
    count = 0

    def in_turn(_: dict[str, Any]) -> str:
        nonlocal count
        count += 1
        return word(count % 3 != 0)

    with FakeOpenAI(in_turn) as server:
        found = judge(server, Panel(repeats=3), concurrency=1)
    (one,) = each_judge(verdicts(found))
    assert one.self_agreement is not None
    assert one.self_agreement < 1


def test_what_was_asked_is_not_asked_again_after_an_end_in_between(tmp_path: Path) -> None:
    def failing(body: dict[str, Any], _: int) -> str | None:
        return "401" if body["model"] == "stern" else None

    panel = {"repeats": 2}
    room = Room(tmp_path / FILE)
    with FakeOpenAI(by_model, failing) as server:
        url = server.base_url
        with pytest.raises(Exception, match="refuses the key"):
            judge(server, Panel(also=[other(server, "stern")], **panel), room)
        paid = sum(body["model"] == "kind" for body in server.requests)
        assert paid == 2 * len(PAIRS)
    with FakeOpenAI(by_model) as again:
        first = JudgeSettings(base_url=url, model="kind", timeout=5.0)
        found: dict[str, Judged] = {}
        both = Panel(also=[other(again, "stern")], **panel)
        judge_pairs(first, PAIRS, found.__setitem__, room=room, panel=both)
        assert {body["model"] for body in again.requests} == {"stern"}
    assert len(found) == len(PAIRS)


def test_figures_are_of_all_judges_together() -> None:
    heard: list[Any] = []
    with FakeOpenAI(by_model) as server:
        judge(server, Panel(also=[other(server, "stern")]), Room(on_figures=heard.append))
    assert heard[-1]["total"] == heard[-1]["done"] == 2 * len(PAIRS)
    assert heard[-1]["asked"] == "stern"


def test_a_judge_that_is_there_twice_is_refused_and_others_are_other_versions() -> None:
    first = JudgeSettings(model="m")
    with pytest.raises(UsageError, match="twice"):
        judge_version(first, Panel(also=[first]))
    panels = [Panel(), Panel(repeats=2), Panel(swap=True), Panel(also=[JudgeSettings(model="n")])]
    assert len({judge_version(first, panel) for panel in panels}) == len(panels)


def test_more_judges_as_one_line() -> None:
    first = JudgeSettings(
        model="a", base_url="http://127.0.0.1:1/v1", requests_per_minute=60, api_key_env="A_KEY"
    )
    text = "model=b; model=c, prompt=rubric, url=http://127.0.0.1:2/v1, rpm=30; d"
    made = read_also(text, first)
    assert [judge.model for judge in made] == ["b", "c", "d"]
    assert (made[0].api_key_env, made[0].requests_per_minute) == ("A_KEY", 60)
    assert (made[1].api_key_env, made[1].requests_per_minute) == ("OPENAI_API_KEY", 30)
    assert read_also(write_also(made, first), first) == made
    for wrong in ("model=b, temper=1", "model=", "prompt=rubric, url=nowhere"):
        with pytest.raises(UsageError):
            read_also(wrong, first)


def test_the_outcome_of_nothing_is_missing() -> None:
    with FakeOpenAI(lambda _: "I cannot say") as server:
        found = judge(server, Panel(also=[other(server, "stern")]))
    assert {judged.outcome for judged in found.values()} == {Outcome.MISSING}
