"""The process that draws never loads what only workers need."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "peft", "datasets", "openai", "pandas", "accelerate", "bitsandbytes")
ROOMS = ("home", "datasets", "train", "generate", "inspect", "compare", "jobs")


@pytest.mark.parametrize("also", ["", *(f"screens.{room}" for room in ROOMS)])
def test_the_drawing_process_loads_nothing_heavy(also: str) -> None:
    code = "import sys, t2s_tui.app\n"
    if also:
        code += f"import {also}\n"
    code += f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_importing_the_app_sets_the_keyboard_protocol_before_textual_reads_it() -> None:
    code = (
        "import os; os.environ.pop('TEXTUAL_DISABLE_KITTY_KEY', None)\n"
        "import t2s_tui.app, textual.constants\n"
        "print(textual.constants.DISABLE_KITTY_KEY)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
