"""A checkpoint is used only when every file of it is as it was sealed."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2s_tui.training.checkpoints import MARKER, any_left, last_complete, problem, remove_all, seal


def make(run_dir: Path, step: int, *, sealed: bool = True) -> Path:
    folder = run_dir / f"checkpoint-{step}"
    (folder / "sub").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"w" * 1000)
    (folder / "sub" / "state.json").write_text('{"step": 1}')
    if sealed:
        seal(folder)
    return folder


def test_the_newest_complete_one_is_used(tmp_path: Path) -> None:
    assert last_complete(tmp_path) == (None, [])
    make(tmp_path, 9)
    ten = make(tmp_path, 10)
    unsealed = make(tmp_path, 100, sealed=False)
    (tmp_path / "checkpoint-x").mkdir()
    assert last_complete(tmp_path) == (ten, [(unsealed, "it was not finished")])
    assert any_left(tmp_path)
    remove_all(tmp_path)
    assert not any_left(tmp_path)
    assert (tmp_path / "checkpoint-x").exists()


@pytest.mark.parametrize("name", ["weights.bin", "sub/state.json"])
def test_a_file_that_is_cut_changed_or_gone_is_seen(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path, 5)
    assert problem(folder) is None
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert problem(folder) == f"{name} is missing or cut off"
    path.write_bytes(content[:-1] + b"?")
    assert problem(folder) == f"{name} was changed"
    path.unlink()
    assert problem(folder) == f"{name} is missing or cut off"
    path.write_bytes(content)
    assert problem(folder) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"files": 3}', '{"files": {"weights.bin": 1}}'])
def test_a_broken_marker_is_no_crash(tmp_path: Path, content: str) -> None:
    folder = make(tmp_path, 5)
    (folder / MARKER).write_text(content)
    assert problem(folder) is not None
