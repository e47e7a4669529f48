"""The judge by the Batch API: handed in once, found again, merged whole, paid for once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from t2s_tui.cli import main
from t2s_tui.errors import JobStopped, ModelError, UsageError
from t2s_tui.evaluation.judge.asks import Ask, Reply, Room
from t2s_tui.evaluation.judge.batch import calls
from t2s_tui.evaluation.judge.batch.ledger import Ledger
from t2s_tui.evaluation.judge.batch.looks import LOOKS, Looks
from t2s_tui.evaluation.judge.batch.route import batch_all
from t2s_tui.evaluation.judge.cost import price_of
from t2s_tui.evaluation.judge.journal import FILE, Journal
from t2s_tui.evaluation.judge.routes import ask_by_route
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.verdicts import read_answer
from t2s_tui.workspace import Workspace
from tests.fixtures.openai_batches import FakeBatches

QUICK = Looks(first=0.02, most=0.2, share=0.0, settle=0.2)
YES = '{"resolve_yn": "yes"}'


@pytest.fixture(autouse=True)
def _short_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "pause", lambda failures, headers, random: 0.01)


def yes(_: dict[str, Any]) -> str:
    return YES


def asks(n: int) -> list[Ask]:
    return [Ask(f"e{i}", ({"role": "system", "content": f"question {i}"},)) for i in range(n)]


def number(body: dict[str, Any]) -> int:
    return int(body["messages"][0]["content"].split()[-1])


def readable(text: str) -> bool:
    return read_answer(text).yes is not None


def asked(
    server: FakeBatches,
    path: Path,
    n: int = 5,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    figures: Callable[[Any], None] = lambda _: None,
    looks: Looks = QUICK,
    **more: Any,
) -> list[Reply]:
    settings = JudgeSettings(
        base_url=server.base_url, model="m", route="batch", **{"max_attempts": 3, **more}
    )
    found: list[Reply] = []
    room = Room(path, path.parent, figures)
    batch_all(settings, asks(n), found.append, should_stop, room=room, readable=readable, looks=looks)
    return found


def texts(replies: list[Reply]) -> dict[str, str | None]:
    assert len({reply.example_id for reply in replies}) == len(replies), "one reply an Ask"
    return {reply.example_id: reply.text for reply in replies}


def ledger(path: Path) -> Ledger:
    return Ledger(Journal(path))


def test_answers_come_back_to_their_examples_whatever_their_order_and_are_kept(tmp_path: Path) -> None:
    with FakeBatches(lambda body: f'{{"resolve_yn": "yes", "why": "{number(body)}"}}') as server:
        replies = asked(server, tmp_path / FILE, 20)
        assert {key: json.loads(text or "")["why"] for key, text in texts(replies).items()} == {
            f"e{i}": str(i) for i in range(20)
        }
        line = server.lines(0)[7]
        assert set(line) == {"custom_id", "method", "url", "body"}
        assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
        assert [number(line["body"]) for line in server.lines(0)] == list(range(20))
        assert server.batches[0]["completion_window"] == "24h"
        (batch,) = ledger(tmp_path / FILE).all()
        assert server.batches[0]["metadata"] == {"t2s_tui_batch": batch.id, "sha256": batch.hash}
        assert (batch.state, batch.status, batch.completed) == ("closed", "completed", 20)
        again = asked(server, tmp_path / FILE, 21)
        assert sum(reply.cached for reply in again) == 20
        assert [len(server.lines(n)) for n in range(2)] == [20, 1], "what the journal has is not asked"


def test_equal_requests_are_one_and_each_who_asked_hears_of_it(tmp_path: Path) -> None:
    settings = {"model": "m", "route": "batch"}
    message = ({"role": "system", "content": "question 1"},)
    found: list[Reply] = []
    with FakeBatches(yes) as server:
        judge = JudgeSettings(base_url=server.base_url, **settings)  # type: ignore[arg-type]
        same = [Ask("a", message), Ask("b", message), Ask("c", message, repeat=1)]
        batch_all(judge, same, found.append, room=Room(tmp_path / FILE), looks=QUICK)
        assert len(server.lines(0)) == 2
    assert texts(found) == {"a": YES, "b": YES, "c": YES}


@pytest.mark.parametrize("fault", ["lost", "500", "drop", "page", "429"])
def test_a_batch_is_created_once_whatever_comes_back_of_it(fault: str, tmp_path: Path) -> None:
    with FakeBatches(yes, {"create": [fault, fault if fault != "lost" else None]}, late=0.1) as server:
        assert all(asked(server, tmp_path / FILE, 3, max_attempts=5))
        assert len(server.batches) == 1
        assert set(server.paid.values()) == {1}


def test_a_stop_is_obeyed_at_once_and_the_same_batch_is_waited_for_again(tmp_path: Path) -> None:
    told: list[Any] = []
    with FakeBatches(yes, looks=10**6) as server:
        with pytest.raises(JobStopped):
            asked(
                server,
                tmp_path / FILE,
                should_stop=lambda: bool(told) and (told[-1]["batch"] or {}).get("status") == "in_progress",
                figures=told.append,
            )
        seen = told[-1]["batch"]
        assert (seen["id"], seen["completed"], seen["total"], seen["open"]) == ("batch_0", 2, 5, 1)
        assert seen["next_look_at"] > 0
        assert (told[-1]["in_flight"], told[-1]["waiting"]) == (5, 0)
        server._looks = 0
        assert all(texts(asked(server, tmp_path / FILE)).values())
        assert len(server.batches) == 1
        assert ledger(tmp_path / FILE).all()[0].state == "closed"


def test_a_run_that_starts_anew_does_not_pay_again_for_a_batch_it_waits_for(tmp_path: Path) -> None:
    """--judge-fresh means: not from other runs. What this run handed in before it was stopped is its own."""
    told: list[Any] = []
    with FakeBatches(yes, looks=10**6) as server:
        with pytest.raises(JobStopped):
            asked(
                server,
                tmp_path / FILE,
                should_stop=lambda: len(server.batches) == 1 and bool(told[-1]["batch"]),
                figures=told.append,
                reuse=False,
            )
        server._looks = 0
        assert not any(reply.cached for reply in asked(server, tmp_path / FILE, reuse=False))
        assert set(server.paid.values()) == {1}
        asked(server, tmp_path / FILE, reuse=False)
        assert set(server.paid.values()) == {2}, "a new run asks anew"


def test_the_errors_file_is_merged_each_with_its_class_and_words(tmp_path: Path) -> None:
    said: dict[int, Any] = {1: (400, "context too long"), 2: (500, "oops"), 3: (429, "slow down")}
    told: list[Any] = []
    with FakeBatches(lambda body: said.get(number(body), YES)) as server:
        replies = {r.example_id: r for r in asked(server, tmp_path / FILE, figures=told.append)}
        assert [replies[f"e{i}"].text for i in range(5)] == [YES, None, None, None, YES]
        assert replies["e1"].trouble == "HTTP 400: context too long"
        assert [len(server.lines(n)) for n in range(3)] == [5, 2, 2], (
            "400 is final, the others have three tries"
        )
        assert replies["e2"].attempts == 3
        assert told[-1]["errors"] == {"request": 1, "server": 3, "rate limit": 3}
        assert (told[-1]["done"], told[-1]["failed"]) == (5, 3)
        said.clear()
        assert all(texts(asked(server, tmp_path / FILE)).values())
        assert set(server.paid.values()) == {1}


def test_a_batch_that_expires_keeps_what_it_has_and_the_rest_goes_into_another(tmp_path: Path) -> None:
    with FakeBatches(yes, ends=["expired:3"]) as server:
        assert all(texts(asked(server, tmp_path / FILE, 10)).values())
        assert [len(server.lines(n)) for n in range(2)] == [10, 7]
        assert set(server.paid.values()) == {1}


def test_a_batch_that_somebody_cancelled_keeps_what_it_has_and_the_rest_is_missing_with_the_reason(
    tmp_path: Path,
) -> None:
    with FakeBatches(yes, ends=["cancelled:3"]) as server:
        replies = asked(server, tmp_path / FILE)
        assert sum(text is not None for text in texts(replies).values()) == 3
        assert {r.trouble for r in replies if r.text is None} == {
            "batch_cancelled: This request could not be executed before the batch ended."
        }
        assert len(server.batches) == 1
        assert all(texts(asked(server, tmp_path / FILE)).values()), "the next run asks the missing"
        assert set(server.paid.values()) == {1}


def test_a_line_that_the_validation_refuses_fails_alone(tmp_path: Path) -> None:
    with FakeBatches(yes, ends=["failed:invalid_request:bad role:2"]) as server:
        replies = {r.example_id: r for r in asked(server, tmp_path / FILE)}
        assert replies["e1"].trouble == "the batch refused it: bad role"
        assert sum(r.text is not None for r in replies.values()) == 4


def test_a_batch_that_fails_as_a_whole_says_why(tmp_path: Path) -> None:
    with FakeBatches(yes, ends=["failed:model_not_found:there is no model m"]) as server:
        replies = asked(server, tmp_path / FILE)
    assert {r.trouble for r in replies} == {"the batch failed: there is no model m"}


def test_the_end_of_the_quota_ends_the_run_and_it_can_go_on(tmp_path: Path) -> None:
    with FakeBatches(yes, ends=["failed:billing_hard_limit_reached:pay first"]) as server:
        with pytest.raises(ModelError, match=r"quota.*pay first"):
            asked(server, tmp_path / FILE)
        assert all(texts(asked(server, tmp_path / FILE)).values())


def test_lines_of_strangers_and_lines_that_cannot_be_read_do_no_harm(tmp_path: Path) -> None:
    more = [
        '{"custom_id": "unknown", "response": {"status_code": 200, "body": {}}}',
        "{not json",
        "[1]",
        "{}",
    ]
    with FakeBatches(yes, more_lines=more) as server:
        assert all(texts(asked(server, tmp_path / FILE)).values())
        assert len(server.batches) == 1


def test_a_request_that_the_files_leave_out_is_missing_not_paid_for_again(tmp_path: Path) -> None:
    with FakeBatches(lambda body: None if number(body) == 2 else YES) as server:
        replies = {r.example_id: r for r in asked(server, tmp_path / FILE)}
        assert replies["e2"].trouble == "the batch's files say nothing of it"
        assert len(server.batches) == 1
        assert server.calls["content"] == 4, "the file is fetched again before that is believed"


@pytest.mark.parametrize("fault", ["cut", "500", "drop", "429", "lost"])
def test_a_download_that_fails_is_made_again(fault: str, tmp_path: Path) -> None:
    with FakeBatches(yes, {"content": [fault, fault], "look": [fault if fault != "cut" else None]}) as server:
        assert all(texts(asked(server, tmp_path / FILE, 50)).values())
        assert len(server.batches) == 1


def test_files_that_are_gone_leave_their_requests_missing(tmp_path: Path) -> None:
    with FakeBatches(yes, {"content": ["404"]}) as server:
        replies = asked(server, tmp_path / FILE)
    assert {r.trouble for r in replies} == {"the batch's files say nothing of it"}


def test_batches_go_in_turn_where_the_account_has_room_for_few_tokens(tmp_path: Path) -> None:
    most = 0

    def figures(_: Any) -> None:
        nonlocal most
        open_ones = [b for b in ledger(tmp_path / FILE).all() if b.state == "open"]
        most = max(most, sum(batch.tokens for batch in open_ones))

    with FakeBatches(yes) as server:
        replies = asked(server, tmp_path / FILE, 20, batch_tokens=60, figures=figures)
        assert all(texts(replies).values())
        assert len(server.batches) > 3
        assert set(server.paid.values()) == {1}
    assert 0 < most <= 60


def test_an_account_whose_queue_is_full_is_given_less(tmp_path: Path) -> None:
    with FakeBatches(yes, queue=1500) as server:
        assert all(texts(asked(server, tmp_path / FILE, 30)).values())
        assert [b["status"] for b in server.batches].count("failed") >= 1
        assert set(server.paid.values()) == {1}


def test_a_request_larger_than_the_limit_fails_alone(tmp_path: Path) -> None:
    judge = {"model": "m", "route": "batch", "batch_tokens": 50}
    found: list[Reply] = []
    big = Ask("big", ({"role": "system", "content": "word " * 400},))
    with FakeBatches(yes) as server:
        settings = JudgeSettings(base_url=server.base_url, **judge)  # type: ignore[arg-type]
        batch_all(settings, [big, *asks(1)], found.append, room=Room(tmp_path / FILE), looks=QUICK)
    assert texts(found) == {"big": None, "e0": YES}
    assert "batches may hold 50" in found[0].trouble


def test_half_the_price_is_counted_and_the_budget_holds(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text(
        'as_of = "2026-01-01"\n[models."m"]\nprompt = 2000.0\ncompletion = 2000.0\n', encoding="utf-8"
    )
    told: list[Any] = []
    with FakeBatches(yes) as server:
        replies = asked(server, tmp_path / FILE, 4, figures=told.append)
        # Two words in, two out: 4 tokens at 2,000 USD a million, by half.
        assert [reply.cost for reply in replies] == [0.004] * 4
        assert told[-1]["cost"] == 0.016
        with pytest.raises(ModelError, match=r"budget of 0\.3 USD is used up"):
            asked(server, tmp_path / FILE, 50, budget=0.3, figures=told.append)
        assert 0 < told[-1]["cost"] <= 0.3
        assert 4 < len(server.paid) < 50
        settings = JudgeSettings(base_url=server.base_url, model="x", route="batch", budget=1)
        with pytest.raises(UsageError, match="no price for"):
            batch_all(settings, asks(1), replies.append, looks=QUICK)


def test_what_a_batch_costs_can_be_written_into_the_table(tmp_path: Path) -> None:
    whole = price_of("gpt-4o", None)
    assert whole is not None
    assert whole.in_batch().of(10**6, 10**6) == whole.of(10**6, 10**6) / 2
    table = 'as_of = "x"\nbatch = 0.4\n[models.m]\nprompt = 1\ncompletion = 1\n[models.n]\nprompt = 1\n'
    (tmp_path / "prices.toml").write_text(table + "completion = 1\nbatch = 1.0\n", encoding="utf-8")
    found = [price_of(name, tmp_path) for name in "mn"]
    assert [price.in_batch().prompt for price in found if price] == [0.4, 1.0]


def test_an_answer_that_cannot_be_read_is_repaired_in_another_batch(tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> str:
        return (
            "hm"
            if number_of_first(body) < 2 and (len(body["messages"]) == 1 or number_of_first(body))
            else YES
        )

    def number_of_first(body: dict[str, Any]) -> int:
        return int(body["messages"][0]["content"].split()[-1])

    with FakeBatches(answer) as server:
        replies = asked(server, tmp_path / FILE, 3)
        assert texts(replies) == {"e0": YES, "e1": "hm", "e2": YES}
        assert [len(server.lines(n)) for n in range(2)] == [3, 2]
        assert {r.example_id: r.attempts for r in replies} == {"e0": 2, "e1": 2, "e2": 1}


def test_an_endpoint_without_json_mode_is_asked_in_plain_text(tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> Any:
        return (400, "response_format is not supported") if "response_format" in body else YES

    with FakeBatches(answer) as server:
        assert all(texts(asked(server, tmp_path / FILE)).values())
        assert len(server.batches) == 2


def test_what_is_in_a_batch_is_not_asked_live_as_well(tmp_path: Path) -> None:
    told: list[Any] = []
    with FakeBatches(yes, looks=10**6) as server:
        with pytest.raises(JobStopped):
            asked(
                server,
                tmp_path / FILE,
                should_stop=lambda: bool(told and told[-1]["batch"]),
                figures=told.append,
            )
        live = JudgeSettings(base_url=server.base_url, model="m")
        with pytest.raises(UsageError, match="5 of these requests are in batch batch_0"):
            ask_by_route(live, asks(7), lambda reply: None, room=Room(tmp_path / FILE))


def test_a_person_sees_the_batches_cancels_one_and_forgets_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    root = Workspace.open(tmp_path / "w").root
    told: list[Any] = []

    def handed_in() -> bool:
        return bool(told and told[-1]["batch"])

    def said(*words: str) -> str:
        assert main(["judge", "batches", "--workspace", str(root), *words]) == 0
        captured = capsys.readouterr()
        return captured.out + captured.err

    with FakeBatches(yes, looks=10**6) as server:
        with pytest.raises(JobStopped):
            asked(server, root / FILE, should_stop=handed_in, figures=told.append)
        assert json.loads(said("--json"))["batch"] == "batch_0"
        assert "batch_0 is cancelling" in said("--cancel", "batch_0")
        server._looks = 0
        replies = asked(server, root / FILE)
        assert [reply.text for reply in replies] == [None] * 5
        assert "closed" in said()
        assert main(["judge", "batches", "--workspace", str(root), "--cancel", "batch_0"]) == 2
        capsys.readouterr()
        told.clear()
        server._looks = 10**6
        with pytest.raises(JobStopped):
            asked(server, root / FILE, should_stop=handed_in, figures=told.append)
        assert "batch_1 is forgotten" in said("--forget", "batch_1")
        server._looks = 0
        assert {reply.doubts for reply in asked(server, root / FILE)} == {1}
        assert len(server.batches) == 3


def test_two_runs_at_once_hand_in_one_batch(tmp_path: Path) -> None:
    found: list[list[Reply]] = [[], []]
    with FakeBatches(yes, looks=5) as server:

        def run(place: int) -> None:
            found[place] = asked(server, tmp_path / FILE, 40)

        threads = [threading.Thread(target=run, args=(place,)) for place in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(server.paid.values()) == {1}
    assert [len(texts(replies)) for replies in found] == [40, 40]
    assert all(reply.text for replies in found for reply in replies)


def test_an_endpoint_without_batches_ends_the_run_in_words(tmp_path: Path) -> None:
    with (
        FakeBatches(yes, {"upload": ["404:no such endpoint"]}) as server,
        pytest.raises(ModelError, match=r"HTTP 404: no such endpoint.*--judge-route live"),
    ):
        asked(server, tmp_path / FILE)
    from tests.fixtures.openai_server import refusing_url

    settings = JudgeSettings(base_url=refusing_url(), model="m", route="batch", max_attempts=2)
    with pytest.raises(ModelError, match="does not answer"):
        batch_all(settings, asks(1), lambda reply: None, looks=QUICK)


def test_a_pause_hands_nothing_in(tmp_path: Path) -> None:
    looked = 0

    def paused() -> bool:
        nonlocal looked
        looked += 1
        return looked < 4

    found: list[Reply] = []
    with FakeBatches(yes) as server:

        def seen() -> bool:
            assert looked >= 4 or not server.batches
            return False

        settings = JudgeSettings(base_url=server.base_url, model="m", route="batch")
        batch_all(settings, asks(2), found.append, seen, paused, Room(tmp_path / FILE), looks=QUICK)
    assert len(found) == 2


def test_looks_become_rarer_and_go_on_where_they_were() -> None:
    assert LOOKS.after(0) == 5
    assert LOOKS.after(600) == 60
    assert LOOKS.after(10**5) == 300
    assert LOOKS.after(10**5, {"retry-after": "7"}) == 7
    assert [LOOKS.after_trouble(n, 600) for n in (1, 2, 3, 9)] == [5, 10, 20, 60]
    age = looks = 0.0
    while age < 24 * 3600:
        age += LOOKS.after(age)
        looks += 1
    assert looks < 350


def test_a_stop_while_a_batch_is_reported_leaves_the_rest_for_the_resume(tmp_path: Path) -> None:
    """All ends are in the journal by then: the resume reports them, and hands nothing in."""
    found: list[Reply] = []
    with FakeBatches(yes) as server:
        settings = JudgeSettings(base_url=server.base_url, model="m", route="batch")
        room = Room(tmp_path / FILE)
        with pytest.raises(JobStopped):
            batch_all(settings, asks(20), found.append, lambda: len(found) >= 3, room=room, looks=QUICK)
        assert len(found) == 3
        assert all(texts(asked(server, tmp_path / FILE, 20)).values())
        assert len(server.batches) == 1
