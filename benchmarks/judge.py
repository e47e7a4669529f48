"""The judge's processor beside the two ways in which people write it: a loop, and a gather with retries.

`T2S_BENCH_JUDGE=N` takes N requests for the long measurement (default 20,000; about three minutes), and five
times as many for the one of memory (100,000; about seven minutes on two cores).
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.figures import Figure

REQUESTS = int(os.environ.get("T2S_BENCH_JUDGE", "20000"))
MANY = 5 * REQUESTS
PER_MINUTE = 6000
KILLS, KILLED_REQUESTS = 50, 2000
_HOME = str(Path(__file__).resolve().parents[1])


def measure() -> Iterator[Figure]:
    few = min(REQUESTS, 1200)
    with _endpoint(PER_MINUTE, 0.05) as url:
        share, refused = _share(url, lambda: _ours(url, REQUESTS, per_minute=PER_MINUTE))
    with _endpoint(PER_MINUTE, 0.05) as url:
        loop, _ = _share(url, lambda: _sequential(url, few // 4))
    yield Figure("judge: share of the permitted rate", "%", share, loop, "a sequential loop")
    with _endpoint(600, 0.05) as url:
        _gathered(url, few)
        theirs = _counts(url)
    yield Figure(
        "judge: requests refused over the limit", "", refused, theirs["refused"], "gather, 5 retries"
    )
    with _endpoint(600, 0.05) as url:
        lost = few - _ours(url, few, per_minute=600)
    yield Figure("judge: answers lost", "", lost, few - theirs["answered"], "gather, 5 retries")
    lost, twice = _kills()
    yield Figure(f"judge: lost after {KILLS} SIGKILLs", "", lost, float("nan"), "keeps no journal")
    yield Figure("judge: acknowledged and paid twice", "", twice, float("nan"), "keeps no journal")
    with _endpoint(10**9, 2.0) as url:
        most = _memory(url, "at_once 1000")
        yield Figure("judge: memory with 1,000 at once", "MB", most, 200.0, "the limit")
    with _endpoint(10**9, 0.0) as url:
        few_held, held = _memory(url, "one_by_one 1000"), _memory(url, f"one_by_one {MANY}")
        yield Figure(f"judge: memory with {MANY:,} requests", "MB", held, few_held, "1,000 requests")


@contextmanager
def _endpoint(per_minute: int, seconds: float, broken_every: int = 0) -> Iterator[str]:
    words = [str(per_minute), str(seconds), str(broken_every)]
    command = [sys.executable, "-m", "benchmarks.limited_endpoint", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_HOME)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _counts(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url + "/counts") as answer:
        found = json.load(answer)
    assert isinstance(found, dict)
    return found


def _share(url: str, work: Callable[[], object]) -> tuple[float, int]:
    """Percent of the permitted rate over the time of the work, and how many requests were refused."""
    work()
    counts = _counts(url)
    rate = 60 * counts["answered"] / max(1e-9, counts["last"] - counts["first"])
    return 100 * rate / PER_MINUTE, counts["refused"]


def _ours(
    url: str, n: int, journal: Path | None = None, per_minute: float | None = None, *, tell: bool = False
) -> int:
    """Ask n questions, telling each that is answered if asked to; returns how many have an answer."""
    from t2s_tui.evaluation.judge.client import Ask, Reply, Room, ask_all
    from t2s_tui.evaluation.judge.settings import JudgeSettings

    settings = JudgeSettings(base_url=url, model="m", concurrency=64, requests_per_minute=per_minute)
    asks = [Ask(f"e{i}", ({"role": "user", "content": f"question {i}"},)) for i in range(n)]
    answered = 0

    def count(reply: Reply) -> None:
        nonlocal answered
        answered += reply.text is not None
        if tell:
            print(reply.example_id, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        ask_all(settings, asks, count, room=Room(journal or Path(folder) / "judge.sqlite"))
    return answered


def _sequential(url: str, n: int) -> None:
    import openai

    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        for i in range(n):
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": f"question {i}"}])


def _gathered(url: str, n: int) -> None:
    """64 at once, five tries each with a second between, as the scripts do that people come from."""
    asyncio.run(_gather(url, n))


async def _gather(url: str, n: int) -> None:
    import openai

    gate = asyncio.Semaphore(64)
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

        async def one(i: int) -> None:
            async with gate:
                for _ in range(5):
                    try:
                        await client.chat.completions.create(
                            model="m", messages=[{"role": "user", "content": f"question {i}"}]
                        )
                        return
                    except openai.APIError:
                        await asyncio.sleep(1)

        await asyncio.gather(*(one(i) for i in range(n)))


def _kills() -> tuple[int, int]:
    """Kill the processor at moments drawn by chance, resume it to the end: what was lost, what paid twice."""
    random, told = Random(7), set[str]()
    with tempfile.TemporaryDirectory() as folder, _endpoint(10**9, 0.01) as url:
        journal = Path(folder) / "judge.sqlite"
        code = (
            "import sys; from pathlib import Path; from benchmarks.judge import _ours; "
            "_ours(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), tell=True)"
        )
        command = [sys.executable, "-c", code, url, str(KILLED_REQUESTS), str(journal)]
        for _ in range(KILLS):
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_HOME) as process:
                assert process.stdout is not None
                # What is known already comes from the journal at once: the kill waits for a new answer.
                while (line := process.stdout.readline().strip()) in told and line:
                    pass
                told.update([line] if line else [])
                time.sleep(random.uniform(0.0, 0.15))
                process.send_signal(signal.SIGKILL)
                told.update(line for line in process.stdout.read().split("\n")[:-1] if line)
        lost = KILLED_REQUESTS - _ours(url, KILLED_REQUESTS, journal=journal)
        again = _counts(url)["again"]
        doubts, done = _doubts(journal)
    # A further answer to a question is paid for again: allowed only where it was under way at a kill.
    twice = sum(1 for question, more in again.items() if more > doubts.get(question, 0))
    return lost + len(told - done), twice


def _doubts(journal: Path) -> tuple[dict[str, int], set[str]]:
    """question -> how often it was in doubt, and the examples that are answered."""
    from t2s_tui.evaluation.judge.journal import Journal

    opened = Journal(journal)
    entries = [(str(e.body["messages"][0]["content"]), e) for e in opened.all()]
    opened.close()
    done = {f"e{question.split()[-1]}" for question, e in entries if e.state == "done"}
    return {question: entry.doubts for question, entry in entries}, done


def _memory(url: str, work: str) -> float:
    """The largest resident size in MB of a process that does this work: a call of one of the two below."""
    name, _, number = work.partition(" ")
    code = f"import sys; from benchmarks.judge import {name}; {name}(sys.argv[1], {number})"
    command = [sys.executable, "-c", code, url]
    done = subprocess.run(command, capture_output=True, text=True, cwd=_HOME, check=True)
    return float(done.stdout.split()[-1])


def at_once(url: str, n: int) -> None:
    """So many requests under way at the same time, and as many again; prints the largest size."""
    from t2s_tui.evaluation.judge.client import Ask, Room, ask_all
    from t2s_tui.evaluation.judge.settings import JudgeSettings

    settings = JudgeSettings(base_url=url, model="m", concurrency=n, requests_per_minute=10**6)
    asks = [Ask(f"e{i}", ({"role": "user", "content": f"question {i}"},)) for i in range(2 * n)]
    most = 0

    def figures(now: Any) -> None:
        nonlocal most
        most = max(most, int(now["in_flight"]))

    with tempfile.TemporaryDirectory() as folder:
        room = Room(Path(folder) / "judge.sqlite", None, figures)
        ask_all(settings, asks, lambda reply: None, room=room)
    if most < 0.9 * n:
        raise SystemExit(f"only {most} were under way at once")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def one_by_one(url: str, n: int) -> None:
    """So many requests of 2 kB, made as they are taken; prints the largest size."""
    from t2s_tui.evaluation.judge.client import Ask, Reply, Room, ask_all
    from t2s_tui.evaluation.judge.settings import JudgeSettings

    settings = JudgeSettings(base_url=url, model="m", concurrency=16, requests_per_minute=10**6)
    ddl, answered = "x" * 2000, 0
    asks = (Ask(f"e{i}", ({"role": "user", "content": f"{ddl} question {i}"},)) for i in range(n))

    def count(reply: Reply) -> None:
        nonlocal answered
        answered += reply.text is not None

    with tempfile.TemporaryDirectory() as folder:
        ask_all(settings, asks, count, room=Room(Path(folder) / "judge.sqlite"), total=n)
    if answered < n:
        raise SystemExit(f"{n - answered} were not answered")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
