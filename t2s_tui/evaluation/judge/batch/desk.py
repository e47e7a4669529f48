"""Handing in a batch so that it is created once, whatever is lost on the way.

The intent is on the disk before the batch is created. Where it is not known whether the endpoint took it (a
lost connection, a server's fault, a process that died), the endpoint's list is searched for it first.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from t2s_tui.errors import ModelError
from t2s_tui.evaluation.judge.batch.api import BatchApi, Seen
from t2s_tui.evaluation.judge.batch.calls import Calls
from t2s_tui.evaluation.judge.batch.ledger import HANDING_IN, Batch, Ledger, metadata_of
from t2s_tui.evaluation.judge.batch.lines import InputFile
from t2s_tui.evaluation.judge.batch.looks import Looks
from t2s_tui.evaluation.judge.journal import Journal
from t2s_tui.evaluation.judge.transport import RATE_LIMIT, Trouble

_TIMES = 5  # that a batch is looked for while it may still appear in the list


class Desk:
    """Where batches of one endpoint are handed in. Use it while no other process does: `Calls.alone`."""

    def __init__(self, api: BatchApi, calls: Calls, journal: Journal, ledger: Ledger, looks: Looks) -> None:
        self._api, self._calls, self._journal, self._looks = api, calls, journal, looks
        self._ledger = ledger

    async def hand_in(self, endpoint: str, model: str, file: InputFile) -> tuple[Batch, float]:
        """Upload the file and create its batch; returns it with the seconds until the first look.

        Raises ModelError when the endpoint does not take it (the requests are queued again) or when that
        cannot be known (they are found at the next `recover`); JobStopped after a stop.
        """
        id = secrets.token_hex(8)
        name = f"t2s-tui-{id}.jsonl"
        input_file = await self._calls.tried(lambda: self._api.upload(name, file.file))
        batch = Batch(
            id=id,
            endpoint=endpoint,
            model=model,
            hash=file.hash,
            input_file=input_file,
            total=len(file.items),
            tokens=file.tokens,
            created_at=time.time(),
        )
        keys = [item.key for item in file.items]
        steps = (partial(self._ledger.handing_in, batch, keys), partial(self._journal.sent, keys))
        self._journal.together(steps)
        seen = await self._created(batch, keys)
        return self._taken(batch, seen), self._looks.after(0.0, seen.headers)

    async def recover(self, endpoint: str) -> None:
        """Find out what became of batches that a process was handing in when it ended."""
        for batch in self._ledger.unclosed(endpoint):
            if batch.state == HANDING_IN:
                found = await self._found(batch, batch.created_at)
                if found is None:
                    self._dropped(batch, self._ledger.keys(batch.id), "its batch was never handed in")
                else:
                    self._taken(batch, found)

    async def _created(self, batch: Batch, keys: Sequence[str]) -> Seen:
        failures = 0
        while True:
            try:
                create = self._api.create(batch.input_file, metadata_of(batch), batch.id)
                return await self._calls.once(create)
            except ModelError as error:  # the key or the quota: nothing was created
                self._dropped(batch, keys, str(error))
                raise
            except Trouble as trouble:
                failures += 1
                refused = trouble.kind == RATE_LIMIT or not trouble.again
                found = None if refused else await self._found(batch, time.time())
                if found is not None:
                    return found
                try:
                    self._calls.give_up_after(failures, trouble)
                except ModelError:
                    self._dropped(batch, keys, str(trouble))
                    raise
                await self._calls.back_off(failures, trouble)

    async def _found(self, batch: Batch, asked_at: float) -> Seen | None:
        """The batch at the endpoint, if it was created when that was asked for; lists may be late."""
        until = asked_at + self._looks.settle
        while True:
            try:
                found = await self._calls.tried(
                    lambda: self._api.find(metadata_of(batch), batch.input_file, batch.created_at)
                )
            except ModelError as error:
                raise ModelError(
                    f"Whether a batch was taken is not known: {error.cause}",
                    "run the same command again: it is looked for before anything is handed in anew",
                ) from error
            if found is not None or time.time() >= until:
                return found
            await self._calls.sleep(self._looks.settle / _TIMES)

    def _taken(self, batch: Batch, seen: Seen) -> Batch:
        self._ledger.handed_in(batch.id, seen.id, seen.status)
        return replace(batch, batch=seen.id, status=seen.status, submitted_at=time.time())

    def _dropped(self, batch: Batch, keys: Sequence[str], words: str) -> None:
        again = [partial(self._journal.unsent, key, words) for key in keys]
        self._journal.together([partial(self._ledger.dropped, batch.id), *again])
