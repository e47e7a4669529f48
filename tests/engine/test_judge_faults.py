"""The judge against schedules of faults, drawn by chance; and a server that gives the key away."""

from __future__ import annotations

import sqlite3
import subprocess
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from t2s_tui.cli import main
from t2s_tui.errors import UsageError, WorkspaceError
from t2s_tui.evaluation.judge import throttle
from t2s_tui.evaluation.judge.backoff import pause, retry_after
from t2s_tui.evaluation.judge.client import Ask, Reply, Room, ask_all
from t2s_tui.evaluation.judge.journal import FILE, Journal
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.verdicts import read_answer
from tests.fixtures.openai_server import FakeOpenAI

KEY = "sk-proj-neverwritten0123456789"
PASSING = (
    *("429:0.01", "429:none", "429:reset", "500", "502:html", "503", "408", "drop", "cut"),
    *("garbage", "empty", "truncated", "schema", "error", None),
)
FINAL = ("400", "413", "422", "403:html", "large")
ATTEMPTS = 4


@pytest.fixture(autouse=True)
def _short_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        throttle,
        "pause",
        lambda n, headers, random: 0.0 if retry_after(headers) is None else pause(n, headers, random),
    )


def _number(body: dict[str, Any]) -> int:
    return int(body["messages"][0]["content"].split()[-1])


def _readable(text: str) -> bool:
    return read_answer(text).yes is not None


schedules = st.lists(st.lists(st.sampled_from(PASSING + FINAL), max_size=6), min_size=1, max_size=10)


@pytest.mark.slow
@given(schedule=schedules)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_faults_each_request_ends_once_and_a_second_run_pays_for_no_answer_again(
    schedule: list[list[str | None]],
) -> None:
    left = {number: list(faults) for number, faults in enumerate(schedule)}
    answered: Counter[int] = Counter()

    def fault(body: dict[str, Any], before: int) -> str | None:
        faults = left[_number(body)]
        return faults.pop(0) if faults else None

    def answer(body: dict[str, Any]) -> str:
        answered[_number(body)] += 1
        return '{"resolve_yn": "yes"}'

    asks = [Ask(f"e{i}", ({"role": "user", "content": f"question {i}"},)) for i in left]
    with tempfile.TemporaryDirectory() as folder, FakeOpenAI(answer, fault) as server:
        judge = JudgeSettings(base_url=server.base_url, model="m", max_attempts=ATTEMPTS, timeout=10)
        room = Room(Path(folder) / FILE)
        first: list[Reply] = []
        ask_all(judge, asks, first.append, room=room)
        assert sorted(r.example_id for r in first) == sorted(a.example_id for a in asks)
        for reply in first:
            number = int(reply.example_id[1:])
            assert (reply.text is not None) == (answered[number] == 1), "an answer is kept, or there was none"
            assert _outcome(schedule[number]) is (reply.text is not None)
        paid = Counter(answered)
        for faults in left.values():
            faults.clear()
        second: list[Reply] = []
        ask_all(judge, asks, second.append, room=room)
        assert all(reply.text for reply in second)
        assert all(answered[number] == 1 for number in left), "what was paid for is not asked again"
        assert all(reply.cached for reply in second if paid[int(reply.example_id[1:])])
        journal = Journal(Path(folder) / FILE)
        assert {entry.state for entry in journal.all()} == {"done"}
        journal.close()


def _outcome(faults: list[str | None]) -> bool:
    """What must come of a request with these faults: each class by its rule."""
    failures = 0
    for fault in faults:
        if fault is None:
            return True
        if fault in FINAL:
            return False
        failures += not fault.startswith("429")
        if failures >= ATTEMPTS:
            return False
    return True


def test_an_unreadable_answer_is_repaired_once_and_then_missing() -> None:
    said = {"question 0": ["hm", '{"resolve_yn": "no"}'], "question 1": ["hm", "well", "yes"]}

    def answer(body: dict[str, Any]) -> str:
        return said[body["messages"][0]["content"]].pop(0)

    asks = [Ask(f"e{i}", ({"role": "user", "content": f"question {i}"},)) for i in range(2)]
    found: dict[str, str | None] = {}
    with FakeOpenAI(answer) as server:
        judge = JudgeSettings(base_url=server.base_url, model="m")
        ask_all(judge, asks, lambda r: found.__setitem__(r.example_id, r.text), readable=_readable)
        assert len(server.requests) == 4
    assert found["e0"] == '{"resolve_yn": "no"}'
    assert not _readable(found["e1"] or "")


def test_a_rubric_gives_its_reasons_and_the_leading_fault() -> None:
    word = read_answer('{"rationale": "조인이 다릅니다", "fault": "Join", "resolve_yn": "no"}')
    assert (word.yes, word.rationale, word.fault) == (False, "조인이 다릅니다", "join")
    assert read_answer('{"rationale": "same", "fault": "none", "resolve_yn": "yes"}').fault == ""


@pytest.mark.parametrize("status", ["400", "401", "500"])
def test_a_server_that_echoes_the_key_does_not_bring_it_into_the_workspace(
    status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JUDGE_SECRET", KEY)  # no name that the job's own redaction looks for
    root = tmp_path / "w"
    where = ["--workspace", str(root)]
    fault = f"{status}:Incorrect API key provided: {KEY}"
    with FakeOpenAI(
        lambda body: f'{{"resolve_yn": "yes", "rationale": "key {KEY}"}}', [None, fault]
    ) as server:
        predictions = _predictions(root)
        options = ["--judge-model", "m", "--judge-url", server.base_url, "--judge-key-env", "JUDGE_SECRET"]
        more = ["--judge-concurrency", "1", "--wait", "--json", "--yes"]
        main(["judge", "run", predictions, *options, *more, *where])
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    said = capsys.readouterr()
    assert KEY not in said.out + said.err
    files = [path for path in root.rglob("*") if path.is_file()]
    assert any(path.name == FILE for path in files)
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    with sqlite3.connect(root / FILE) as journal:
        assert journal.execute("SELECT COUNT(*) FROM requests WHERE state = 'done'").fetchone()[0] >= 1


def _cmdlines_with(words: str) -> list[str]:
    """The command lines of this machine's processes that hold these words."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_bytes().decode(errors="replace"))
    return [line for line in found if words in line]


def test_the_key_of_a_command_is_in_no_file_no_export_and_no_process_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "key"
    secret.write_text(f"{KEY}\n", encoding="utf-8")
    root, out = tmp_path / "w", tmp_path / "out"
    out.mkdir()
    where = ["--workspace", str(root)]
    listed: list[str] = []

    def answer(_: dict[str, Any]) -> str:
        listed.extend(_cmdlines_with(KEY))
        assert _cmdlines_with("t2s_tui"), "the worker of the job is listed"
        return f'{{"resolve_yn": "yes", "rationale": "key {KEY}"}}'

    with FakeOpenAI(answer, [None, f"400:Incorrect API key provided: {KEY}"]) as server:
        predictions = _predictions(root)
        options = [
            "--judge-model",
            "m",
            "--judge-url",
            server.base_url,
            "--judge-key-command",
            f"cat {secret}",
        ]
        main(["judge", "run", predictions, *options, "--judge-concurrency", "1", "--wait", "--yes", *where])
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"
        main(["judge", "export", predictions, "--to", str(out / "requests.jsonl"), *options, *where])
    main(["judge", "to-csv", predictions, "--to", str(out / "verdicts.csv"), *where])
    for kind in ("csv", "jsonl", "md", "html"):
        main(["export", predictions, "--to", str(out / f"all.{kind}"), *where])
    said = capsys.readouterr()
    assert KEY not in said.out + said.err
    assert listed == []
    assert len(list(out.iterdir())) == 6
    files = [path for folder in (root, out) for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_the_key_of_a_command_is_used_and_a_command_that_fails_says_no_output(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text(f"{KEY}\n", encoding="utf-8")
    asks = [Ask("e0", ({"role": "user", "content": "question 0"},))]
    found: list[Reply] = []
    with FakeOpenAI(lambda body: f"yes {KEY}") as server:
        judge = JudgeSettings(base_url=server.base_url, model="m", key_command=f"cat {secret}")
        ask_all(judge, asks, found.append)
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in str(found[0].text)
    failing = judge.model_copy(update={"key_command": f"sh -c 'cat {secret}; exit 3'"})
    with pytest.raises(UsageError, match="ended with code 3") as raised:
        ask_all(failing, asks, found.append)
    assert KEY not in str(raised.value)


def test_a_full_disk_ends_the_run_in_words_and_a_second_pays_for_no_answer_reported_before(
    tmp_path: Path,
) -> None:
    disk = tmp_path / "small"
    disk.mkdir()
    try:
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("a small file system can be mounted by root only")
    answers: Counter[int] = Counter()

    def answer(body: dict[str, Any]) -> str:
        answers[_number(body)] += 1
        return "yes" + " " * 20_000

    asks = [Ask(f"e{i}", ({"role": "user", "content": f"question {i}"},)) for i in range(60)]
    told: list[Reply] = []
    try:
        with FakeOpenAI(answer) as server:
            judge = JudgeSettings(base_url=server.base_url, model="m")
            with pytest.raises(WorkspaceError, match="free some space"):
                ask_all(judge, asks, told.append, room=Room(disk / FILE))
            assert 0 < len(told) < len(asks)
            subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
            again: list[Reply] = []
            ask_all(judge, asks, again.append, room=Room(disk / FILE))
            assert all(reply.text for reply in again)
            assert all(answers[int(reply.example_id[1:])] == 1 for reply in told)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _predictions(root: Path) -> str:
    from t2s_tui.datasets.add import add_dataset
    from t2s_tui.datasets.catalogue import open_examples
    from t2s_tui.records import Prediction, PredictionSet
    from t2s_tui.workspace import Workspace

    workspace = Workspace.open(root)
    add_dataset(workspace, "sample", name="s")
    examples = [e for e in open_examples(workspace, "s") if e.split == "test"] or list(
        open_examples(workspace, "s")
    )
    examples = examples[:3]
    with workspace.store() as store:
        store.predictions.put_set(
            PredictionSet("p", "s", examples[0].split, "m", None, "book", {}, 3, "", 0.0)
        )
        store.predictions.add(Prediction("p", e.id, e.gold, e.gold, 1, 1, "eos", 0.1) for e in examples)
    return "p"
