"""Answers from an OpenAI-compatible endpoint: several requests at once, retried, saved as they arrive."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from t2s_tui.errors import ModelError
from t2s_tui.generation.decode import Decoded
from t2s_tui.generation.models import ModelRef

CONCURRENCY = 8
MAX_ATTEMPTS = 6
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_LONGEST_RETRY_AFTER = 120.0
_RETRIED = (408, 409, 429)  # and all 5xx
_STOP_EVERY = 0.2

Messages = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """How to ask. The key is read from the environment variable `api_key_env` and never stored."""

    api_key_env: str = "OPENAI_API_KEY"
    concurrency: int = CONCURRENCY
    max_attempts: int = MAX_ATTEMPTS
    timeout: float = 120.0


def answer_all(
    ref: ModelRef,
    conversations: Sequence[Messages],
    *,
    max_new_tokens: int,
    settings: EndpointSettings,
    on_answer: Callable[[Decoded], None],
    should_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Ask for an answer to every conversation at temperature 0; `on_answer` gets each as it arrives.

    Returns False when a stop was asked for before all were there. Raises ModelError when nothing listens at
    the address, the endpoint refuses the request, or a request failed `max_attempts` times: what had
    arrived by then was handed over.
    """
    return asyncio.run(_all(ref, conversations, max_new_tokens, settings, on_answer, should_stop))


async def _all(
    ref: ModelRef,
    conversations: Sequence[Messages],
    max_new_tokens: int,
    settings: EndpointSettings,
    on_answer: Callable[[Decoded], None],
    should_stop: Callable[[], bool],
) -> bool:
    from openai import AsyncOpenAI

    # Servers on the own machine want no key, and the client insists on one.
    key = os.environ.get(settings.api_key_env) or "none"
    async with AsyncOpenAI(
        base_url=ref.base_url, api_key=key, max_retries=0, timeout=settings.timeout
    ) as client:
        asker = _Asker(client, ref, max_new_tokens, settings)
        waiting = iter(enumerate(conversations))

        async def worker() -> None:
            for index, messages in waiting:  # one iterator for all: each takes what is next
                on_answer(await asker.answer(index, messages))

        async def watch() -> None:
            while not should_stop():
                await asyncio.sleep(_STOP_EVERY)

        count = min(settings.concurrency, len(conversations))
        work = [asyncio.create_task(worker()) for _ in range(count)]
        return await _until_done(work, asyncio.create_task(watch()))


async def _until_done(work: list[asyncio.Task[None]], stop: asyncio.Task[None]) -> bool:
    """Wait for all the work, for its first failure (raised), or for the stop (False)."""
    pending: set[asyncio.Task[None]] = {*work, stop}
    try:
        while any(not task.done() for task in work):
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task is stop:
                    return False
                await task
        return True
    finally:
        for task in (*work, stop):
            task.cancel()
        await asyncio.gather(*work, stop, return_exceptions=True)


class _Asker:
    """One request after the other until it is answered, with full-jitter back-off between attempts."""

    def __init__(self, client: Any, ref: ModelRef, max_new_tokens: int, settings: EndpointSettings) -> None:
        self._client = client
        self._ref = ref
        self._limit = max_new_tokens
        self._settings = settings
        self._answered = False  # once something came, a refused connection may be a restart

    async def answer(self, index: int, messages: Messages) -> Decoded:
        why = ""
        for attempt in range(self._settings.max_attempts):
            started = time.perf_counter()
            try:
                response = await self._client.chat.completions.create(
                    model=self._ref.model, messages=messages, temperature=0, max_tokens=self._limit
                )
                decoded = _decoded(index, response, time.perf_counter() - started)
            except Exception as error:
                why, wait = self._judge(error, attempt)
            else:
                if decoded is not None:
                    self._answered = True
                    return decoded
                why, wait = "its answer is not a chat completion", _backoff(attempt)
            if attempt + 1 < self._settings.max_attempts:
                await asyncio.sleep(wait)
        raise ModelError(
            f"{self._ref.base_url} did not answer in {self._settings.max_attempts} attempts ({why})",
            "look at the server, then run the same again: what was answered is kept",
        )

    def _judge(self, error: Exception, attempt: int) -> tuple[str, float]:
        """Why it failed, and the wait before the next attempt. Raises ModelError when none can help."""
        import openai

        if isinstance(error, openai.APITimeoutError):
            return f"no answer within {self._settings.timeout:g} s", _backoff(attempt)
        if isinstance(error, openai.APIConnectionError):
            if _refused(error) and not self._answered:
                raise ModelError(
                    f"Nothing answers at {self._ref.base_url} (connection refused)",
                    "start the server, or correct the address",
                ) from error
            return f"connection failed: {error.__cause__ or error}", _backoff(attempt)
        if isinstance(error, openai.APIStatusError):
            if error.status_code in _RETRIED or error.status_code >= 500:
                return f"status {error.status_code}", _retry_after(error) or _backoff(attempt)
            raise self._refusal(error) from error
        if isinstance(error, openai.OpenAIError | ValueError | AttributeError | TypeError):
            return "its answer is not a chat completion", _backoff(attempt)
        raise error

    def _refusal(self, error: Any) -> ModelError:
        base, status = self._ref.base_url, error.status_code
        if status in (401, 403):
            return ModelError(
                f"{base} refuses the key in {self._settings.api_key_env} (status {status})",
                f"set {self._settings.api_key_env} to a valid key",
            )
        if status == 404:
            return ModelError(
                f"{base} does not know the model {self._ref.model!r} (status 404)",
                "check the name after # and the path of the address",
            )
        said = " ".join(str(error).split())[:200].rstrip(".")
        return ModelError(f"{base} refuses the request ({said})", "choose another model or shorter prompts")


def _decoded(index: int, response: Any, seconds: float) -> Decoded | None:
    """The answer, None when the response is no chat completion with a text."""
    choices = getattr(response, "choices", None)
    text = getattr(getattr(choices[0], "message", None), "content", None) if choices else None
    if not isinstance(text, str):
        return None
    usage = getattr(response, "usage", None)
    prompt, new = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
    return Decoded(index, text, int(prompt or 0), int(new or 0), "endpoint", seconds)


def _backoff(attempt: int) -> float:
    """Full jitter (Brooker 2015): anything up to the doubled wait."""
    return random.uniform(0, min(_LONGEST_WAIT, _FIRST_WAIT * 2**attempt))


def _retry_after(error: Any) -> float | None:
    """What the server asks to wait, in seconds."""
    try:
        wait = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(max(0.0, wait), _LONGEST_RETRY_AFTER)


def _refused(error: BaseException) -> bool:
    """Whether the port refused the connection: somewhere down the chain of causes."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError) or "refused" in str(cause).lower():
            return True
        cause = cause.__cause__ or cause.__context__
    return "all connection attempts failed" in str(error.__cause__ or "").lower()
