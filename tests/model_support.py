"""What the tests of generation and training share: a workspace with a tiny model and a tiny dataset."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from t2s_tui.datasets.add import add_dataset
from t2s_tui.progress import Quiet
from t2s_tui.workspace import Workspace
from tests.fixtures.tiny_model import make_tiny_model

#: A prompt of few bytes: the tiny model reads every byte as a token.
SHORT = "{ddl}\n{question}\n{query}"

_ROWS = [
    ("t", "CREATE TABLE t (a INT);", "how many", "SELECT COUNT(*) FROM t;"),
    ("t", "CREATE TABLE t (a INT);", "all of a", "SELECT a FROM t;"),
    ("u", "CREATE TABLE u (b INT, c INT);", "b where c is 1", "SELECT b FROM u WHERE c = 1;"),
    ("u", "CREATE TABLE u (b INT, c INT);", "the largest c", "SELECT MAX(c) FROM u;"),
    ("v", "CREATE TABLE v (d TEXT);", "이름이 '가'인 d", "SELECT d FROM v WHERE d = '가';"),
    ("v", "CREATE TABLE v (d TEXT);", "different d", "SELECT DISTINCT d FROM v;"),
    ("w", "CREATE TABLE w (e INT);", "e in order", "SELECT e FROM w ORDER BY e;"),
    ("w", "CREATE TABLE w (e INT);", "sum of e", "SELECT SUM(e) FROM w;"),
]


@dataclass(frozen=True)
class Room:
    """A workspace with the dataset `tiny` (splits train and eval), the prompt `short`, and a model folder."""

    workspace: Workspace
    model: str


class Listener(Quiet):
    """A Progress that remembers everything and asks for a stop after so many steps of one label."""

    def __init__(self, stop_after: int | None = None, label: str = "train") -> None:
        super().__init__()
        self._after = stop_after
        self._label = label

    def stop_requested(self) -> bool:
        return self._after is not None and len(self.of(self._label)) >= self._after

    def of(self, label: str) -> list[dict[str, Any]]:
        """The step events of that label."""
        return [e for e in self.events if e["kind"] == "step" and e["label"] == label]

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [e for e in self.events if e["kind"] == kind]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def one_core(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One thread and no GPU, so that results are the same everywhere."""
    import torch

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("T2S_TUI_DEVICE", "cpu")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def room(tmp_path: Path, tiny_model: Path, one_core: None) -> Room:
    workspace = Workspace.open(tmp_path / "workspace")
    (workspace.prompts_dir / "short.txt").write_text(SHORT, encoding="utf-8")
    source = tmp_path / "tiny.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["db_id", "context", "question", "answer", "split"])
        for split in ("train", "eval"):
            writer.writerows([*row[:2], f"{row[2]} {split}", row[3], split] for row in _ROWS)
    add_dataset(workspace, str(source), name="tiny", dialect="sqlite")
    return Room(workspace, str(tiny_model))
