"""Where the judge is and how hard it may be asked. Importable without `openai`."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class JudgeSettings(BaseModel):
    """The judge of one evaluation. The key itself is never here: only the name of its variable is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str | None = Field(None, description="OpenAI-compatible base URL; empty means OpenAI's own")
    model: str = Field(min_length=1, description="a model of that endpoint")
    prompt: str = Field("reference", min_length=1, description="which prompt asks")
    prompt_text: str | None = Field(None, description="the text of a prompt of one's own, as it was then")
    concurrency: int = Field(8, ge=1, le=1000, description="requests at the same time")
    max_attempts: int = Field(6, ge=1, le=50, description="tries a request before it counts as missing")
    timeout: float = Field(60.0, gt=0, le=3600, description="seconds that one try may take")
    api_key_env: str = Field("OPENAI_API_KEY", min_length=1, description="the variable that holds the key")
    key_command: str | None = Field(None, description="a command that prints the key, instead of a variable")
    requests_per_minute: float | None = Field(
        None, gt=0, description="the endpoint's limit, where it is known"
    )
    tokens_per_minute: float | None = Field(None, gt=0, description="the endpoint's limit, where it is known")
    route: Literal["live", "batch"] = Field(
        "live", description="live: answers come at once; batch: within 24 h, at half the price"
    )
    batch_tokens: int | None = Field(
        None, gt=0, description="tokens that the account may have waiting in batches at once"
    )
    budget: float | None = Field(None, gt=0, description="USD that the run may cost at most")
    reuse: bool = Field(True, description="answer from the journal what was asked before")
    structured: Literal["auto", "schema", "json", "text"] = Field(
        "auto", description="how the answer's form is asked for; auto: as the prompt needs it"
    )
    reasoning: bool | None = Field(
        None, description="whether the model thinks before it answers; empty: by its name"
    )
    temperature: float | None = Field(None, ge=0, le=2, description="not sent while empty")
    max_tokens: int | None = Field(None, ge=1, description="of an answer; not sent while empty")
    seed: int | None = Field(None, description="not sent while empty")

    @field_validator("base_url")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if not value:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("write it as http://host:port/v1")
        if parts.username or parts.password:
            raise ValueError("put the key into the environment, not into the URL")
        return value.rstrip("/")

    @property
    def loopback(self) -> bool:
        """Whether the endpoint is on this machine, where no key is needed."""
        host = urlsplit(self.base_url or "").hostname or ""
        return host in ("localhost", "::1") or host.startswith("127.")
