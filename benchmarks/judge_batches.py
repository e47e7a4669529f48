"""The judge's batch route under SIGKILL: what is lost, and what is paid for twice.

The baseline is the loop of the guide (upload, create, poll, download) that keeps no record: whoever runs
it again after a kill hands everything in again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from benchmarks.figures import Figure
from tests.fixtures.openai_batches import FakeBatches

KILLS = int(os.environ.get("T2S_BENCH_BATCH_KILLS", "50"))
REQUESTS = 600
_HOME = str(Path(__file__).resolve().parents[1])
_MOST_CALLS = 12  # of a process before it is killed
_TOKENS = 120  # so many may wait at once: many small batches, many calls to be killed at

_OURS = """
import sys
from pathlib import Path
from t2s_tui.evaluation.judge.asks import Ask, Room
from t2s_tui.evaluation.judge.batch.looks import Looks
from t2s_tui.evaluation.judge.batch.route import batch_all
from t2s_tui.evaluation.judge.settings import JudgeSettings
url, path, n, tokens = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
settings = JudgeSettings(base_url=url, model="m", route="batch", batch_tokens=tokens)
asks = [Ask(f"e{i}", ({"role": "user", "content": f"question {i}"},)) for i in range(n)]
looks = Looks(first=0.02, most=0.2, share=0.0, settle=0.2)
batch_all(settings, asks, lambda reply: print(reply.example_id, flush=True), room=Room(path), looks=looks)
"""

_THEIRS = """
import io, json, sys, time
import openai
url, path, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = openai.OpenAI(base_url=url, api_key="none")
lines = [
    json.dumps({"custom_id": f"e{i}", "method": "POST", "url": "/v1/chat/completions",
                "body": {"model": "m", "messages": [{"role": "user", "content": f"question {i}"}]}})
    for i in range(n)
]
file = client.files.create(file=("in.jsonl", io.BytesIO("\\n".join(lines).encode())), purpose="batch")
batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
while batch.status != "completed":
    time.sleep(0.02)
    batch = client.batches.retrieve(batch.id)
for line in client.files.content(batch.output_file_id).text.splitlines():
    print(json.loads(line)["custom_id"], flush=True)
"""


def measure() -> Iterator[Figure]:
    lost, twice = _killed(_OURS, KILLS, _MOST_CALLS)
    their_lost, their_twice = _killed(_THEIRS, 5, 6)
    yield Figure(
        f"judge batches: lost after {KILLS} SIGKILLs", "", lost, their_lost, "upload, poll, download; 5 kills"
    )
    yield Figure(
        "judge batches: answers paid twice", "", twice, their_twice, "upload, poll, download; 5 kills"
    )


def _killed(code: str, kills: int, most_calls: int) -> tuple[int, int]:
    """Kill the program at calls drawn by chance, run it to its end: what was lost, what was paid again."""
    random = Random(7)
    running: list[tuple[subprocess.Popen[str], int]] = []

    def fault(kind: str, before: int) -> str | None:
        """At the call that was drawn the program dies: before the endpoint acts on it, or after."""
        if not running or server.calls.total() < running[0][1]:
            return None
        running.pop()[0].send_signal(signal.SIGKILL)
        return random.choice(("drop", "lost"))

    with tempfile.TemporaryDirectory() as folder, FakeBatches(lambda body: "yes", fault, late=0.1) as server:
        command = [
            sys.executable,
            "-c",
            code,
            server.base_url,
            f"{folder}/judge.sqlite",
            str(REQUESTS),
            str(_TOKENS),
        ]
        told = set[str]()
        for _ in range(kills):
            told |= _run(
                command,
                lambda process: running.append(
                    (process, server.calls.total() + random.randint(1, most_calls))
                ),
            )
        running.clear()
        told |= _run(command, lambda process: None)
        twice = sum(times - 1 for times in server.paid.values())
    return REQUESTS - len(told), twice


def _run(command: list[str], started: Callable[[subprocess.Popen[str]], None]) -> set[str]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_HOME) as process:
        started(process)
        assert process.stdout is not None
        return set(process.stdout.read().split())
