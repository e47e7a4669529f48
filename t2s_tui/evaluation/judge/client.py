"""Asking the judge: concurrent with a limit, retried, each answer handed over as it arrives.

`openai` is imported inside: only workers may load it. Its own retries are off: ours honour Retry-After,
notice a stop, and know what ends the whole run.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from t2s_tui.errors import JobStopped, ModelError, UsageError
from t2s_tui.evaluation.judge.backoff import pause, redact
from t2s_tui.evaluation.judge.settings import JudgeSettings

_NO_KEY = "not-needed"
_LOOK = 0.1  # seconds between looks at whether to stop
_RETRIED = (408, 409, 425, 429)


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to the judge."""

    example_id: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of an Ask: the judge's text, or `trouble` that says why there is none."""

    example_id: str
    text: str | None
    trouble: str
    attempts: int
    usage: dict[str, int]


class _Trouble(Exception):
    """A try that failed. `again`: whether another may go better. `reached`: whether a server answered."""

    def __init__(self, words: str, *, again: bool, reached: bool = True, headers: Any = None) -> None:
        super().__init__(words)
        self.again, self.reached, self.headers = again, reached, headers


def ask_all(
    settings: JudgeSettings,
    asks: Sequence[Ask],
    on_reply: Callable[[Reply], None],
    should_stop: Callable[[], bool] = lambda: False,
    paused: Callable[[], bool] = lambda: False,
) -> None:
    """Ask everything; `on_reply` is called in this thread, once an Ask, as replies arrive.

    Raises UsageError when OpenAI's own endpoint is asked without a key; ModelError when the key or quota is
    refused, or when nothing answers at all; JobStopped after a stop was asked for and the requests that were
    under way are in. While `paused` says so nothing new is asked.
    """
    if asks:
        asyncio.run(_Judge(settings, on_reply, should_stop, paused).run(asks))


def find_key(settings: JudgeSettings) -> str:
    """The key from the environment; a stand-in for endpoints that need none. Raises UsageError."""
    key = os.environ.get(settings.api_key_env, "").strip()
    if not key and settings.base_url is None:
        raise UsageError(
            f"The judge's key is not there: {settings.api_key_env} is not set",
            "set it, or name an endpoint that needs none with --judge-url",
        )
    return key or _NO_KEY


class _Judge:
    def __init__(
        self,
        settings: JudgeSettings,
        on_reply: Callable[[Reply], None],
        should_stop: Callable[[], bool],
        paused: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._on_reply = on_reply
        self._should_stop = should_stop
        self._paused = paused
        self._key = find_key(settings)
        self._random = Random()
        self._reached = False
        self._stopped = False

    async def run(self, asks: Sequence[Ask]) -> None:
        import openai

        waiting = iter(asks)
        async with openai.AsyncOpenAI(
            base_url=self._settings.base_url,
            api_key=self._key,
            max_retries=0,
            timeout=self._settings.timeout,
        ) as client:
            count = min(self._settings.concurrency, len(asks))
            workers = [asyncio.create_task(self._work(client, waiting)) for _ in range(count)]
            watcher = asyncio.create_task(self._watch())
            try:
                await asyncio.gather(*workers)
            finally:
                for task in (*workers, watcher):
                    task.cancel()
                await asyncio.gather(*workers, watcher, return_exceptions=True)
        if self._stopped:
            raise JobStopped

    async def _watch(self) -> None:
        while not self._stopped:
            self._stopped = self._should_stop()
            await asyncio.sleep(_LOOK)

    async def _work(self, client: Any, waiting: Iterator[Ask]) -> None:
        for ask in waiting:
            while self._paused() and not self._stopped:
                await asyncio.sleep(_LOOK)
            if self._stopped:
                return
            reply = await self._answer(client, ask)
            if reply is None:
                return
            self._on_reply(reply)

    async def _answer(self, client: Any, ask: Ask) -> Reply | None:
        """The reply after at most max_attempts tries; None when a stop came while waiting to try again."""
        attempt = 0
        while True:
            attempt += 1
            try:
                text, usage = await self._try(client, ask)
            except _Trouble as trouble:
                if not trouble.again or attempt >= self._settings.max_attempts:
                    return self._gave_up(ask, trouble, attempt)
                if not await self._sleep(pause(attempt, trouble.headers, self._random)):
                    return None
            else:
                self._reached = True
                return Reply(ask.example_id, redact(text, self._key), "", attempt, usage)

    def _gave_up(self, ask: Ask, trouble: _Trouble, attempts: int) -> Reply:
        if not trouble.reached and not self._reached:
            where = self._settings.base_url or "OpenAI"
            raise ModelError(
                f"The judge at {where} does not answer ({trouble})", "check the URL and that it runs"
            )
        tries = "1 try" if attempts == 1 else f"{attempts} tries"
        return Reply(ask.example_id, None, f"{trouble} (after {tries})", attempts, {})

    async def _sleep(self, seconds: float) -> bool:
        """Wait; False when a stop was asked for meanwhile."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not self._stopped and (left := until - loop.time()) > 0:
            await asyncio.sleep(min(_LOOK, left))
        return not self._stopped

    async def _try(self, client: Any, ask: Ask) -> tuple[str, dict[str, int]]:
        """One request. Raises _Trouble, or ModelError when it ends the whole run."""
        import openai

        try:
            answer = await client.chat.completions.create(
                model=self._settings.model,
                response_format={"type": "json_object"},
                messages=[{"role": "system", "content": ask.prompt}],
            )
        except openai.APITimeoutError as error:
            raise _Trouble(
                f"no answer within {self._settings.timeout:g} s", again=True, reached=False
            ) from error
        except openai.APIStatusError as error:
            raise self._refused(error) from error
        except openai.APIConnectionError as error:
            words = redact(str(error.__cause__ or error), self._key)
            raise _Trouble(words, again=True, reached=False) from error
        except (openai.OpenAIError, ValueError) as error:
            raise _Trouble(f"the answer was not JSON ({type(error).__name__})", again=True) from error
        return _text_of(answer)

    def _refused(self, error: Any) -> Exception:
        """What a status means: the end of the run, another try, or this request only."""
        status = int(error.status_code)
        words = redact(_message_of(error), self._key)
        where = self._settings.base_url or "OpenAI"
        if status == 401:
            return ModelError(
                f"The judge at {where} refuses the key ({words})",
                f"put a valid key into {self._settings.api_key_env} and run the same command again: "
                "the verdicts so far are kept",
            )
        if getattr(error, "code", None) == "insufficient_quota":
            return ModelError(
                f"The quota of the judge at {where} is used up ({words})",
                "top it up and run the same command again: the verdicts so far are kept",
            )
        self._reached = True
        again = status in _RETRIED or status >= 500
        return _Trouble(f"HTTP {status}: {words}", again=again, headers=error.response.headers)


def _message_of(error: Any) -> str:
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return " ".join(str(message or error.message or "no reason given").split())[:300]


def _text_of(answer: Any) -> tuple[str, dict[str, int]]:
    """The text of a completion and its token counts. A proxy's HTML page comes through as a plain string."""
    choices = getattr(answer, "choices", None)
    if not choices:
        raise _Trouble("the answer was no chat completion", again=True)
    message = getattr(choices[0], "message", None)
    text = getattr(message, "content", None)
    usage = getattr(answer, "usage", None)
    counts = {k: getattr(usage, k, None) for k in ("prompt_tokens", "completion_tokens")}
    return text or "", {k: v for k, v in counts.items() if isinstance(v, int)}
