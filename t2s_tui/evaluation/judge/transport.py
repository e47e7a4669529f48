"""One request to an OpenAI-compatible endpoint, and what its failure means.

`openai` is imported inside: only workers may load it. Its own retries are off: the dispatcher's honour
Retry-After, notice a stop, and know what ends the whole run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from t2s_tui.evaluation.judge.answers import Answer, read_completion
from t2s_tui.evaluation.judge.backoff import redact
from t2s_tui.evaluation.judge.dialect import Dialect
from t2s_tui.evaluation.judge.refusals import ends_run, never_fits, words_of
from t2s_tui.evaluation.judge.settings import JudgeSettings

OPENAI = "https://api.openai.com/v1"
_RETRIED = (408, 409, 425, 429)
RATE_LIMIT, SERVER, NETWORK, REQUEST, ANSWER = "rate limit", "server", "network", "request", "answer"
FORM = "form"  # the endpoint does not take the request in this form, and is asked in another

__all__ = ["Answer", "Transport", "Trouble"]


class Trouble(Exception):
    """A try that failed. `kind` is its class; `again`: whether another try may go better; `reached`: whether
    a server answered at all; `headers` of its answer."""

    def __init__(
        self,
        words: str,
        kind: str,
        *,
        again: bool,
        reached: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(words)
        self.kind, self.again, self.reached, self.headers = kind, again, reached, headers or {}


class Transport:
    """The client of one endpoint. Use it in an `async with`."""

    def __init__(self, settings: JudgeSettings, key: str) -> None:
        import openai

        self._settings, self._key = settings, key
        self._dialect = Dialect()
        self._client = openai.AsyncOpenAI(
            base_url=settings.base_url or OPENAI, api_key=key, max_retries=0, timeout=settings.timeout
        )

    async def __aenter__(self) -> Transport:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.close()

    @property
    def learned(self) -> str:
        """What of a request the endpoint does not take, in words; empty where it takes all."""
        return self._dialect.learned

    async def ask(self, body: Mapping[str, Any]) -> Answer:
        """One try. Raises Trouble, or ModelError when it ends the whole run."""
        import openai

        sent = self._dialect.spoken(body)
        try:
            # The client's own time-out starts over with every byte: a slow drip would never end.
            async with asyncio.timeout(self._settings.timeout):
                # As an extra body it goes as it is: the client would look every message over, at a sixth
                # of what a request costs here.
                raw = await self._client.chat.completions.with_raw_response.create(
                    model=sent["model"], messages=[], extra_body=sent
                )
                content = raw.content
        except (openai.APITimeoutError, TimeoutError) as error:
            words = f"no answer within {self._settings.timeout:g} s"
            raise Trouble(words, NETWORK, again=True, reached=False) from error
        except openai.APIStatusError as error:
            raise self._refused(sent, error) from error
        except openai.APIConnectionError as error:
            words = redact(str(error.__cause__ or error), self._key)
            raise Trouble(words, NETWORK, again=True, reached=False) from error
        except (openai.OpenAIError, ValueError) as error:
            words = f"the answer could not be read ({type(error).__name__})"
            raise Trouble(words, ANSWER, again=True) from error
        headers = {k.lower(): v for k, v in raw.headers.items()}
        try:
            return read_completion(content, headers, self._key)
        except ValueError as error:
            raise Trouble(redact(str(error), self._key), ANSWER, again=True, headers=headers) from error

    def _refused(self, sent: Mapping[str, Any], error: Any) -> Exception:
        """What a status means: the end of the run, another form, another try, or this request only."""
        status = int(error.status_code)
        said = words_of(error)
        words = redact(said, self._key)
        where = self._settings.base_url or "OpenAI"
        if (end := ends_run(status, error.body, words, where, self._settings)) is not None:
            return end
        headers = {k.lower(): v for k, v in error.response.headers.items()}
        words = f"HTTP {status}: {words}"
        if self._dialect.learn(sent, status, said):
            return Trouble(words, FORM, again=True, headers=headers)
        if status == 429 and never_fits(said):
            return Trouble(words, REQUEST, again=False, headers=headers)
        kind = RATE_LIMIT if status == 429 else SERVER if status >= 500 else REQUEST
        again = status in _RETRIED or status >= 500
        return Trouble(words, kind, again=again, headers=headers)
