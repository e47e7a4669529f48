"""One writer at a time in a workspace's catalogue: a file of examples and its store row change together."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from t2s_tui.errors import WorkspaceError
from t2s_tui.workspace import Workspace


@contextmanager
def catalogue_lock(workspace: Workspace) -> Iterator[None]:
    """Held in the `with`, freed by the kernel at a death. Raises WorkspaceError when the disk refuses."""
    path = workspace.root / "datasets" / ".lock"
    try:
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise WorkspaceError(
            f"The catalogue in {path.parent} could not be written ({error.strerror or error})",
            "free some space or check the permissions, then run the same command again",
        ) from error
