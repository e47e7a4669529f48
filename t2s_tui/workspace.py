"""Where a workspace lives on disk: create, open, refuse what is newer.

What is in it:

    <root>/t2s.sqlite            the store (WAL)
    <root>/golds.sqlite          results of slow golds: a cache, which may be deleted
    <root>/datasets/<name>/      examples.arrow
    <root>/sources/<name>/       unpacked archives, databases made of a source's tables
    <root>/models/<name>/        models converted for this workspace
    <root>/runs/<name>/          checkpoints and the adapter of a training run
    <root>/jobs/<id>/            one folder a job (see t2s_tui/jobs)
    <root>/prompts/*.txt         the user's own templates
    <root>/recipes/*.toml        the user's own training presets
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from t2s_tui.errors import UsageError, WorkspaceError
from t2s_tui.store import Store
from t2s_tui.text import nfc

_NAME = re.compile(r"[\w][\w.\-]{0,99}", re.UNICODE)


def default_root() -> Path:
    """`$T2S_TUI_HOME`, else `~/.local/share/t2s-tui`."""
    home = os.environ.get("T2S_TUI_HOME")
    return Path(home).expanduser() if home else Path.home() / ".local" / "share" / "t2s-tui"


def check_name(name: str, what: str) -> str:
    """The name in NFC if it can be a folder and a command-line word; raises UsageError if not."""
    name = nfc(name)
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a {what}",
            "use letters, digits, '.', '_' and '-', at most 100 of them",
        )
    return name


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder that holds everything a person made with t2s-tui."""

    root: Path

    @property
    def store_path(self) -> Path:
        return self.root / "t2s.sqlite"

    def dataset_dir(self, name: str) -> Path:
        return self.root / "datasets" / name

    @property
    def sources_dir(self) -> Path:
        return self.root / "sources"

    @property
    def models_dir(self) -> Path:
        return self.root / "models"

    def run_dir(self, name: str) -> Path:
        return self.root / "runs" / name

    @property
    def jobs_dir(self) -> Path:
        return self.root / "jobs"

    @property
    def prompts_dir(self) -> Path:
        return self.root / "prompts"

    def store(self) -> Store:
        """A new connection to the store, to be used in a `with` and in one thread."""
        return Store(self.store_path)

    @classmethod
    def open(cls, root: Path | str | None = None) -> Workspace:
        """Open the workspace at `root`, making it where there is none and migrating an older one.

        Raises WorkspaceError when the folder cannot be used or a newer version made it.
        """
        path = Path(root).expanduser() if root is not None else default_root()
        path = path.absolute()
        workspace = cls(path)
        try:
            for folder in ("datasets", "models", "runs", "jobs", "prompts"):
                (path / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorkspaceError(
                f"The workspace {path} cannot be made ({error.strerror or error})",
                "choose another folder with --workspace or T2S_TUI_HOME",
            ) from error
        with workspace.store():
            pass
        return workspace
