"""Counting tokens: exact where the vocabulary is at hand, an estimate at once where it cannot be had."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from t2s_tui.evaluation.judge.tokens import about_tokens, counter

_COUNT = """
from t2s_tui.evaluation.judge import tokens
tokens._SECONDS = 1.0
count, exact = tokens.counter("gpt-4o")
print(exact, count("SELECT 1"), flush=True)
"""


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("SELECT", 2), ("가나다", 3), ("a가", 2), ("😀" * 3, 3), ("\ud800x", 2)]
)
def test_an_estimate_is_on_the_safe_side(text: str, tokens: int) -> None:
    assert about_tokens(text) == tokens


def test_an_unknown_model_is_estimated() -> None:
    count, exact = counter("no-such-model")
    assert (count("SELECT 1"), exact) == (2, False)


def test_a_network_that_swallows_everything_holds_nothing_up(tmp_path: Path) -> None:
    home = str(Path(__file__).resolve().parents[2])
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        cache = {"TIKTOKEN_CACHE_DIR": str(tmp_path), "HTTPS_PROXY": proxy, "https_proxy": proxy}
        environment = {**os.environ, **cache, "PYTHONPATH": home, "no_proxy": "", "NO_PROXY": ""}
        command = [sys.executable, "-c", _COUNT]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, check=True, timeout=30
        )
        silent.settimeout(1)
        silent.accept()[0].close()  # it did try
    assert done.stdout.split() == ["False", "2"]
