"""The batches of a workspace: which there are, and what a person can do about one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from t2s_tui.errors import ModelError, NotFound, UsageError
from t2s_tui.evaluation.judge.batch.api import BatchApi, Seen
from t2s_tui.evaluation.judge.batch.ledger import Batch, Ledger
from t2s_tui.evaluation.judge.journal import Journal
from t2s_tui.evaluation.judge.key import find_key
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.transport import Trouble


@contextmanager
def _opened(path: Path) -> Iterator[Ledger]:
    journal = Journal(path)
    try:
        yield Ledger(journal)
    finally:
        journal.close()


def batches(path: Path) -> list[Batch]:
    """Every batch of a journal, oldest first; none where there is no journal."""
    if not path.is_file():
        return []
    with _opened(path) as ledger:
        return ledger.all()


def cancel(path: Path, id: str, *, key_env: str, key_command: str | None) -> Seen:
    """Ask the endpoint to end a batch; the run that waits for it takes what is answered by then.

    `id` is ours or the endpoint's. Raises NotFound, UsageError (it is not under way, the key is not there)
    and ModelError (the endpoint refuses).
    """
    batch = _known(path, id)
    if batch.batch is None or not batch.under_way:
        raise UsageError(f"The batch {id} is not under way", "look at `t2s-tui judge batches`")
    where = None if batch.endpoint == "openai" else batch.endpoint
    settings = JudgeSettings(base_url=where, model=batch.model, api_key_env=key_env, key_command=key_command)
    try:
        return asyncio.run(_cancelled(settings, batch.batch))
    except Trouble as trouble:
        raise ModelError(f"The batch {id} could not be cancelled ({trouble})", "try again later") from trouble


async def _cancelled(settings: JudgeSettings, batch: str) -> Seen:
    async with BatchApi(settings, find_key(settings)) as api:
        return await api.cancel(batch)


def forget(path: Path, id: str) -> Batch:
    """Wait no more for a batch: its requests may be asked again, and count as in doubt. Raises NotFound."""
    batch = _known(path, id)
    with _opened(path) as ledger:
        ledger.dropped(batch.id)
    return batch


def _known(path: Path, id: str) -> Batch:
    found = [batch for batch in batches(path) if id in (batch.id, batch.batch)]
    if not found:
        raise NotFound(f"There is no batch {id}", "see `t2s-tui judge batches`")
    return found[-1]
