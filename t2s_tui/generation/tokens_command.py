"""`python -m t2s_tui.generation.tokens_command WORKSPACE`: a row as the tokens that a model is trained on.

Tokenising needs transformers, which the process that draws never imports: it asks this one, a JSON line a
question, {"model", "prompt", "ddl", "question", "gold"}, and gets a JSON line an answer, `Tokens` as JSON or
{"error", "next_step"}. It lives as long as its stdin is open and keeps the tokenizers it has loaded.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Tokens:
    """A prompt and its answer, cut at the borders of the tokens.

    A piece is (text, how many tokens it is made of): letters of which no single token is a whole one, as
    Hangul often is, come as one piece. The answer ends with EOS; it alone is scored in training.
    """

    prompt: list[tuple[str, int]]
    answer: list[tuple[str, int]]
    prompt_tokens: int
    answer_tokens: int


def pieces(tokenizer: Any, ids: Sequence[int]) -> list[tuple[str, int]]:
    """The ids as texts, each with the number of tokens it took; joined they are the text."""
    found: list[tuple[str, int]] = []
    waiting: list[int] = []
    for token in ids:
        waiting.append(int(token))
        text = str(tokenizer.decode(waiting, skip_special_tokens=False, clean_up_tokenization_spaces=False))
        if "�" in text and len(waiting) < 8:
            continue
        found.append((text, len(waiting)))
        waiting = []
    if waiting:
        found.append((str(tokenizer.decode(waiting)), len(waiting)))
    return found


class Cutter:
    """Cuts rows into tokens, loading each tokenizer once."""

    def __init__(self, workspace: Path) -> None:
        from t2s_tui.workspace import Workspace

        self._workspace = Workspace(workspace)
        self._tokenizers: dict[str, Any] = {}

    def cut(self, model: str, prompt: str, ddl: str, question: str, gold: str) -> Tokens:
        """The tokens of a row. Raises ModelError, NotFound or DataError, as training on it would."""
        from t2s_tui.generation.loading import load_tokenizer
        from t2s_tui.generation.models import resolve_model
        from t2s_tui.prompts.encode import encode_answer, encode_prompt
        from t2s_tui.prompts.templates import load_template

        template = load_template(prompt, self._workspace)
        if model not in self._tokenizers:
            self._tokenizers[model] = load_tokenizer(resolve_model(model, self._workspace), self._workspace)
        tokenizer = self._tokenizers[model]
        before = encode_prompt(tokenizer, template, ddl, question)
        answer = encode_answer(tokenizer, gold)
        return Tokens(pieces(tokenizer, before), pieces(tokenizer, answer), len(before), len(answer))


def main(arguments: list[str]) -> int:
    """Answer until stdin ends."""
    from t2s_tui.errors import T2SError

    cutter = Cutter(Path(arguments[0]))
    for line in sys.stdin:
        try:
            answer: dict[str, Any] = asdict(cutter.cut(**json.loads(line)))
        except T2SError as error:
            answer = {"error": error.cause, "next_step": error.next_step}
        print(json.dumps(answer, ensure_ascii=False), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
