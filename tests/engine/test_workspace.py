"""A workspace is made where there is none, and refused in one sentence where it cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from t2s_tui.errors import UsageError, WorkspaceError
from t2s_tui.workspace import Workspace, check_name, default_root

_NOBODY = 65534


def test_it_is_made_once_and_opened_again(tmp_path: Path) -> None:
    made = Workspace.open(tmp_path / "a" / "b")
    made.prompts_dir.joinpath("mine.txt").write_text("kept")
    assert Workspace.open(tmp_path / "a" / "b") == made
    assert made.prompts_dir.joinpath("mine.txt").read_text() == "kept"
    assert sorted(p.name for p in made.root.iterdir() if p.is_dir()) == [
        "datasets", "jobs", "models", "prompts", "runs"
    ]  # fmt: skip
    assert made.store_path.is_file()


def test_the_default_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T2S_TUI_HOME", str(tmp_path / "home"))
    assert default_root() == tmp_path / "home"
    assert Workspace.open().root == tmp_path / "home"
    monkeypatch.delenv("T2S_TUI_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_root() == tmp_path / ".local" / "share" / "t2s-tui"


def test_a_relative_place_stays_the_same_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workspace = Workspace.open("here")
    monkeypatch.chdir("/")
    with workspace.store() as store:
        assert store.datasets.all() == []
    assert workspace.root == tmp_path / "here"


def test_a_file_in_the_way_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError) as caught:
        Workspace.open(tmp_path / "file")
    assert str(caught.value).startswith(f"The workspace {tmp_path / 'file'} cannot be made (")
    assert "--workspace" in str(caught.value)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that another user may enter: pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _as_somebody(code: str, *arguments: str) -> str:
    """What `code` prints as a user whom permissions bind (root may write everywhere)."""
    drop = f"import os\nif os.geteuid() == 0: os.setegid({_NOBODY}); os.seteuid({_NOBODY})\n"
    imports = (
        "import sys\nfrom t2s_tui.workspace import Workspace\nfrom t2s_tui.errors import WorkspaceError\n"
        "from t2s_tui.datasets.add import add_dataset\nimport t2s_tui.sql.dialects\n"
    )
    call = [sys.executable, "-c", imports + drop + code, *arguments]
    done = subprocess.run(call, capture_output=True, text=True, timeout=120, check=False, cwd=Path.cwd())
    assert done.stderr == ""
    return done.stdout


_OPEN = (
    "try:\n    Workspace.open(sys.argv[1])\n    print('opened')\n"
    "except WorkspaceError as error:\n    print(error)\n"
)


def test_a_folder_that_may_not_be_written_is_one_sentence(public_folder: Path) -> None:
    public_folder.chmod(0o555)
    said = _as_somebody(_OPEN, str(public_folder / "w"))
    assert said.startswith(f"The workspace {public_folder / 'w'} cannot be made (Permission denied)")
    assert said.count("\n") == 1


def test_a_workspace_that_became_read_only_is_one_sentence(public_folder: Path) -> None:
    root = public_folder / "w"
    with Workspace.open(root).store() as store:
        assert store.datasets.all() == []
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o555)
        for file in files:
            (Path(folder) / file).chmod(0o444)
    said = _as_somebody(_OPEN, str(root))
    assert said.startswith(f"The store {root / 't2s.sqlite'} cannot be used (")
    assert "that you may write there" in said
    assert said.count("\n") == 1


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    """A real write error: the kernel lets this child write no file over 512 bytes."""
    code = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))\n" + _OPEN
    call = [
        sys.executable,
        "-c",
        "import sys\nfrom t2s_tui.workspace import Workspace\nfrom t2s_tui.errors import WorkspaceError\n"
        + code,
        str(tmp_path / "w"),
    ]
    done = subprocess.run(call, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith(f"The store {tmp_path / 'w' / 't2s.sqlite'} cannot be used (")
    assert "the disk has room" in done.stdout


@pytest.mark.parametrize("name", ["game", "게임-1", "a.b_c", "x" * 100])
def test_names_that_are_folders_and_words(name: str) -> None:
    assert check_name(unicodedata.normalize("NFD", name), "dataset") == name


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "a b", "x" * 101, "a\n", "\0"])
def test_names_that_are_not(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a dataset"):
        check_name(name, "dataset")
