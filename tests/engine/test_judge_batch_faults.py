"""The batch route killed at any call, stopped at any moment, and against faults drawn by chance."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from t2s_tui.cli import main
from t2s_tui.errors import JobStopped
from t2s_tui.evaluation.judge.batch import calls
from t2s_tui.evaluation.judge.journal import FILE
from tests.engine.test_judge_batches import QUICK, YES, asked, number, texts, yes
from tests.engine.test_judge_faults import KEY, _predictions
from tests.fixtures.openai_batches import FakeBatches

HOME = str(Path(__file__).resolve().parents[2])
_KILLED = """
import sys
from pathlib import Path
from tests.engine.test_judge_batches import asks, QUICK
from t2s_tui.evaluation.judge.batch.route import batch_all
from t2s_tui.evaluation.judge.asks import Room
from t2s_tui.evaluation.judge.settings import JudgeSettings
settings = JudgeSettings(base_url=sys.argv[1], model="m", route="batch", batch_tokens=150)
room = Room(Path(sys.argv[2]))
batch_all(settings, asks(30), lambda reply: print(reply.example_id, flush=True), room=room, looks=QUICK)
"""


@pytest.fixture(autouse=True)
def _short_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "pause", lambda failures, headers, random: 0.01)


def start(server: FakeBatches, journal: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _KILLED, server.base_url, str(journal)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": HOME}
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "nth", "done"),
    [
        ("upload", 0, False),
        ("upload", 1, True),
        ("create", 0, False),
        ("create", 0, True),
        ("create", 1, True),
        ("look", 0, True),
        ("look", 3, True),
        ("content", 0, False),
        ("content", 1, True),
    ],
)
def test_a_kill_at_any_call_loses_nothing_and_pays_for_nothing_twice(
    kind: str, nth: int, done: bool, tmp_path: Path
) -> None:
    """The process dies while the endpoint works on its call: before it is done, or after."""
    killed: list[subprocess.Popen[str]] = []

    def faults(call: str, before: int) -> str | None:
        if not killed and (call, before) == (kind, nth):
            process.send_signal(signal.SIGKILL)
            killed.append(process)
            return "lost" if done else "drop"
        return None

    with FakeBatches(yes, faults, late=0.1) as server, start(server, tmp_path / FILE) as process:
        told = process.stdout.read().split() if process.stdout else []
        assert process.wait() == -signal.SIGKILL
        replies = asked(server, tmp_path / FILE, 30, batch_tokens=150)
        assert all(texts(replies).values())
        assert set(texts(replies)) == {f"e{i}" for i in range(30)} >= set(told)
        assert set(server.paid.values()) == {1}
        assert not any(reply.doubts for reply in replies), "what became of a batch can be found out"


@pytest.mark.parametrize("after", [1, 4, 20, 29])
def test_a_kill_between_two_reports_leaves_the_rest_in_the_journal(after: int, tmp_path: Path) -> None:
    with FakeBatches(yes) as server, start(server, tmp_path / FILE) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        assert all(told)
        assert all(texts(asked(server, tmp_path / FILE, 30, batch_tokens=150)).values())
        assert set(server.paid.values()) == {1}


_passing = st.lists(st.sampled_from(["429", "500", "503", "drop", "page", "lost", None]), max_size=3)
_downloads = st.lists(st.sampled_from(["429", "500", "drop", "page", "lost", "cut", None]), max_size=2)
_endings = st.sampled_from(
    ["completed", "expired:0", "expired:2", "cancelled:1", "failed:x:words", "failed:x:words:1"]
)
_answers = st.lists(
    st.sampled_from([YES, "hm", (400, "no"), (429, "slow"), (500, "oops")]), min_size=1, max_size=4
)
schedules = st.fixed_dictionaries(
    {
        "calls": st.fixed_dictionaries(
            {
                "upload": _passing,
                "create": _passing,
                "list": _passing,
                "look": _passing,
                "content": _downloads,
            }
        ),
        "ends": st.lists(_endings, max_size=3),
        "answers": st.lists(_answers, min_size=1, max_size=6),
        "tokens": st.sampled_from([None, 40]),
        "stops": st.lists(st.integers(1, 12), max_size=3),
    }
)


@pytest.mark.slow
@given(schedule=schedules)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_faults_each_request_ends_once_and_no_answer_is_paid_for_twice(
    schedule: dict[str, Any],
) -> None:
    """Stops on the way, then a run to the end, then one in which all goes well."""
    said = {place: list(answers) for place, answers in enumerate(schedule["answers"])}
    good: Counter[int] = Counter()

    def answer(body: dict[str, Any]) -> Any:
        left = said[number(body)]
        answered = left.pop(0) if left else YES
        good[number(body)] += answered == YES
        return answered

    n, looks = len(said), replace(QUICK, settle=0.02)
    more = {"max_attempts": 20, "batch_tokens": schedule["tokens"], "looks": looks}
    with (
        tempfile.TemporaryDirectory() as folder,
        FakeBatches(answer, schedule["calls"], schedule["ends"]) as server,
    ):
        path = Path(folder) / FILE
        for calls_more in schedule["stops"]:
            stop_at = server.calls.total() + calls_more
            with contextlib.suppress(JobStopped):
                asked(server, path, n, should_stop=lambda at=stop_at: server.calls.total() >= at, **more)
        replies = asked(server, path, n, **more)
        assert set(texts(replies)) == {f"e{i}" for i in range(n)}
        assert all(reply.text is not None or reply.trouble for reply in replies)
        server.cure()
        for left in said.values():
            left.clear()
        last = {r.example_id: r for r in asked(server, path, n, **more)}
        assert all(reply.text is not None for reply in last.values())
        assert set(good.values()) == {1}, "an answer that can be read is the last one that is paid for"


def test_a_server_that_echoes_the_key_in_its_files_does_not_bring_it_into_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JUDGE_SECRET", KEY)
    root = tmp_path / "w"
    said: list[Any] = [f'{{"resolve_yn": "yes", "rationale": "Bearer {KEY}"}}', (400, f"bad key {KEY}")]
    ends = [f"failed:x:key {KEY}:1"]
    faults = {"look": [f"500:{KEY}"], "content": [f"500:Bearer {KEY}"]}
    with FakeBatches(lambda body: said.pop() if said else YES, faults, ends) as server:
        predictions = _predictions(root)
        options = ["--judge-model", "m", "--judge-url", server.base_url, "--judge-key-env", "JUDGE_SECRET"]
        more = ["--judge-route", "batch", "--wait", "--json", "--yes", "--workspace", str(root)]
        assert main(["judge", "run", predictions, *options, *more]) == 0
        assert server.keys == {f"Bearer {KEY}"}
        main(["judge", "batches", "--workspace", str(root)])
    told = capsys.readouterr()
    assert "3 requests" in told.err
    assert KEY not in told.out + told.err
    files = [path for path in root.rglob("*") if path.is_file()]
    assert any(path.name == FILE for path in files)
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    with sqlite3.connect(root / FILE) as journal:
        states = journal.execute("SELECT state, COUNT(*) FROM requests GROUP BY state").fetchall()
    assert dict(states) == {"done": 1, "failed": 2}
