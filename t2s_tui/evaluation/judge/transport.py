"""One request to an OpenAI-compatible endpoint, and what its failure means.

`openai` is imported inside: only workers may load it. Its own retries are off: the dispatcher's honour
Retry-After, notice a stop, and know what ends the whole run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from t2s_tui.errors import ModelError
from t2s_tui.evaluation.judge.backoff import redact
from t2s_tui.evaluation.judge.settings import JudgeSettings

_RETRIED = (408, 409, 425, 429)
RATE_LIMIT, SERVER, NETWORK, REQUEST, ANSWER = "rate limit", "server", "network", "request", "answer"


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


@dataclass(frozen=True, slots=True)
class Answer:
    """A completion: its text, its whole JSON without any key in it, and the headers."""

    text: str
    raw: Mapping[str, Any]
    headers: Mapping[str, str]


class Transport:
    """The client of one endpoint. Use it in an `async with`."""

    def __init__(self, settings: JudgeSettings, key: str) -> None:
        import openai

        self._settings, self._key = settings, key
        self._format = True  # whether the endpoint takes response_format
        self._client = openai.AsyncOpenAI(
            base_url=settings.base_url, api_key=key, max_retries=0, timeout=settings.timeout
        )

    async def __aenter__(self) -> Transport:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.close()

    async def ask(self, body: Mapping[str, Any]) -> Answer:
        """One try. Raises Trouble, or ModelError when it ends the whole run."""
        import openai

        sent = dict(body) if self._format else {k: v for k, v in body.items() if k != "response_format"}
        try:
            raw = await self._client.chat.completions.with_raw_response.create(**sent)
            answer = raw.parse()
        except openai.APITimeoutError as error:
            words = f"no answer within {self._settings.timeout:g} s"
            raise Trouble(words, NETWORK, again=True, reached=False) from error
        except openai.APIStatusError as error:
            if (
                "response_format" in sent
                and error.status_code == 400
                and "response_format" in str(error.message)
            ):
                self._format = False  # an endpoint without JSON mode: its plain text is read instead
                return await self.ask(body)
            raise self._refused(error) from error
        except openai.APIConnectionError as error:
            words = redact(str(error.__cause__ or error), self._key)
            raise Trouble(words, NETWORK, again=True, reached=False) from error
        except (openai.OpenAIError, ValueError) as error:
            words = f"the answer was not JSON ({type(error).__name__})"
            raise Trouble(words, ANSWER, again=True) from error
        return self._answer(answer, {k.lower(): v for k, v in raw.headers.items()})

    def _answer(self, answer: Any, headers: Mapping[str, str]) -> Answer:
        """A proxy's HTML page comes through as a plain string, a broken completion without choices."""
        choices = getattr(answer, "choices", None)
        if not choices:
            raise Trouble("the answer was no chat completion", ANSWER, again=True, headers=headers)
        text = getattr(getattr(choices[0], "message", None), "content", None)
        raw = json.loads(redact(answer.model_dump_json(exclude_none=True), self._key))
        return Answer(redact(text or "", self._key), raw, headers)

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
        kind = RATE_LIMIT if status == 429 else SERVER if status >= 500 else REQUEST
        headers = {k.lower(): v for k, v in error.response.headers.items()}
        again = status in _RETRIED or status >= 500
        return Trouble(f"HTTP {status}: {words}", kind, again=again, headers=headers)


def _message_of(error: Any) -> str:
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return " ".join(str(message or error.message or "no reason given").split())[:300]
