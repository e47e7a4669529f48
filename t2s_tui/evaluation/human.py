"""A person's verdict: recorded with its note, taken back. Kept apart from what the metrics say."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from t2s_tui.records import Outcome, Verdict
from t2s_tui.text import nfc
from t2s_tui.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Word:
    """Right (pass) or wrong (fail), with a note that may be empty.

    `drawn` is how a person came upon the row: `inspect`, `queue` (the metrics disagree there) or `chance`.
    Only rows drawn by chance stand for all of them: calibration counts no others.
    """

    outcome: Outcome
    note: str = ""
    drawn: str = "inspect"


def say(workspace: Workspace, set_name: str, example_id: str, word: Word) -> Verdict | None:
    """Record a person's verdict. Returns the one that stood there before, for `put_back`."""
    said = "right" if word.outcome is Outcome.PASS else "wrong"
    note = nfc(word.note).strip()
    evidence: dict[str, Any] = {"at": time.time(), "drawn": word.drawn} | ({"note": note} if note else {})
    why = f"a person read it: {said}" + (f", {' '.join(note.split())}" if note else "")
    verdict = Verdict(set_name, example_id, "human", word.outcome, why, evidence)
    with workspace.store() as store:
        before = store.verdicts.on(set_name, example_id).get("human")
        store.verdicts.add([verdict])
    return before


def put_back(workspace: Workspace, set_name: str, example_id: str, before: Verdict | None) -> None:
    """Undo: what stood there before stands there again, with its note and its time; or nothing does."""
    with workspace.store() as store:
        if before is None:
            store.verdicts.remove(set_name, example_id, "human")
        else:
            store.verdicts.add([before])
