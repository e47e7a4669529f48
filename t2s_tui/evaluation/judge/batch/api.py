"""Files and batches of an OpenAI-compatible endpoint, and what a failure of a call means.

`openai` is imported inside: only workers may load it. Its own retries are off: a batch must not be created
twice because an answer was lost.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Any

from t2s_tui.evaluation.judge.backoff import redact
from t2s_tui.evaluation.judge.refusals import ends_run, words_of
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.transport import (
    ANSWER,
    NETWORK,
    OPENAI,
    RATE_LIMIT,
    REQUEST,
    SERVER,
    Trouble,
)

COMPLETED, EXPIRED, CANCELLED, FAILED = "completed", "expired", "cancelled", "failed"
_ENDED = frozenset((COMPLETED, EXPIRED, CANCELLED, FAILED))
_RETRIED = (408, 409, 425, 429)
_PAGE = 100
_CLOCKS = 3600.0  # seconds by which the endpoint's clock may differ from ours


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a batch as a whole failed; `line` of its file where one is to blame, from 1."""

    code: str
    words: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A batch as the endpoint has it. Words are without any key."""

    id: str
    status: str
    total: int
    completed: int
    failed: int
    files: tuple[str, ...]
    faults: tuple[Fault, ...]
    headers: Mapping[str, str]

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in _ENDED


class BatchApi:
    """The client of one endpoint. Use it in an `async with`.

    Every call raises Trouble, or ModelError when the key or the quota ends the run.
    """

    def __init__(self, settings: JudgeSettings, key: str) -> None:
        import openai

        self._settings, self._key = settings, key
        self._client = openai.AsyncOpenAI(
            base_url=settings.base_url or OPENAI, api_key=key, max_retries=0, timeout=settings.timeout
        )

    async def __aenter__(self) -> BatchApi:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.close()

    async def upload(self, name: str, file: IO[bytes]) -> str:
        """Upload an input file; returns the endpoint's id of it."""
        file.seek(0)
        async with self._words():
            made = await self._client.files.create(file=(name, file), purpose="batch")
            return _id_of(made)

    async def create(self, input_file: str, metadata: Mapping[str, str], once: str) -> Seen:
        """Create a batch. `once` goes as an idempotency key, for endpoints that honour one."""
        async with self._words():
            raw = await self._client.batches.with_raw_response.create(
                input_file_id=input_file,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata=dict(metadata),
                extra_headers={"Idempotency-Key": once},
            )
            return self._seen(raw.parse(), raw.headers)

    async def find(self, metadata: Mapping[str, str], input_file: str, since: float) -> Seen | None:
        """The batch that was created with this metadata or file, if there is one, not before `since`."""
        async with self._words():
            page = await self._client.batches.list(limit=_PAGE)
            async for batch in page:
                if (batch.created_at or since) < since - _CLOCKS:
                    return None  # newest first: ours would have come
                theirs = batch.metadata or {}
                if batch.input_file_id == input_file or all(theirs.get(k) == v for k, v in metadata.items()):
                    return self._seen(batch, {})
        return None

    async def look(self, batch: str) -> Seen:
        """How a batch is."""
        async with self._words():
            raw = await self._client.batches.with_raw_response.retrieve(batch)
            return self._seen(raw.parse(), raw.headers)

    async def cancel(self, batch: str) -> Seen:
        """Ask for an end of a batch: what is answered by then is paid for and can be fetched."""
        async with self._words():
            raw = await self._client.batches.with_raw_response.cancel(batch)
            return self._seen(raw.parse(), raw.headers)

    async def fetch(self, file: str) -> IO[bytes]:
        """The content of a file, in a temporary one that is gone when it is closed or the process dies."""
        into = tempfile.TemporaryFile()  # noqa: SIM115 - it is handed out
        try:
            async with (
                self._words(),
                self._client.files.with_streaming_response.content(file) as answer,
            ):
                async for part in answer.iter_bytes():
                    into.write(part)
        except BaseException:
            into.close()
            raise
        into.seek(0)
        return into

    # -- what came back -----------------------------------------------------------------------

    def _seen(self, batch: Any, headers: Mapping[str, str]) -> Seen:
        counts = getattr(batch, "request_counts", None)
        errors = getattr(getattr(batch, "errors", None), "data", None) or ()
        return Seen(
            id=_id_of(batch),
            status=str(batch.status),
            total=_count(counts, "total"),
            completed=_count(counts, "completed"),
            failed=_count(counts, "failed"),
            files=tuple(f for f in (batch.output_file_id, batch.error_file_id) if f),
            faults=tuple(Fault(str(e.code or ""), self._clean(e.message), e.line) for e in errors),
            headers={name.lower(): value for name, value in headers.items()},
        )

    def _clean(self, words: object) -> str:
        text = " ".join(str(words or "no reason given").split())[:300]
        return redact(text.encode("utf-8", "replace").decode(), self._key)

    @asynccontextmanager
    async def _words(self) -> AsyncIterator[None]:
        """A failed call as Trouble or ModelError."""
        import openai

        try:
            yield
        except openai.APITimeoutError as error:
            words = f"no answer within {self._settings.timeout:g} s"
            raise Trouble(words, NETWORK, again=True, reached=False) from error
        except openai.APIStatusError as error:
            raise self._refused(error) from error
        except openai.APIConnectionError as error:
            words = self._clean(error.__cause__ or error)
            raise Trouble(words, NETWORK, again=True, reached=False) from error
        except (openai.OpenAIError, ValueError, AttributeError, TypeError) as error:
            words = f"the answer was not that of a Batch API ({type(error).__name__})"
            raise Trouble(words, ANSWER, again=True) from error
        except Exception as error:
            if not type(error).__module__.startswith("httpx"):  # httpx or httpx2, by the version of openai
                raise
            raise Trouble(self._clean(error), NETWORK, again=True) from error  # a download that was cut

    def _refused(self, error: Any) -> Exception:
        status = int(error.status_code)
        words = self._clean(words_of(error))
        where = self._settings.base_url or "OpenAI"
        end = ends_run(status, error.body, words, where, self._settings) if status != 404 else None
        if end is not None:
            return end
        kind = RATE_LIMIT if status == 429 else SERVER if status >= 500 else REQUEST
        headers = {k.lower(): v for k, v in error.response.headers.items()}
        again = status in _RETRIED or status >= 500
        return Trouble(f"HTTP {status}: {words}", kind, again=again, headers=headers)


def _id_of(made: Any) -> str:
    """A proxy's HTML page comes through as a plain string, without an id."""
    if not isinstance(getattr(made, "id", None), str):
        raise ValueError("no id")
    return str(made.id)


def _count(counts: Any, name: str) -> int:
    return int(getattr(counts, name, None) or 0)
