"""From a template and an example to token ids, the same in training and in generation.

Prompt and answer are tokenised apart and joined (TRAPS 14): one string of both could be cut into tokens
across their border, which never happens when the model generates. No torch here: the tokenizer is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from t2s_tui.errors import ModelError
from t2s_tui.prompts.shrink import shrinkings
from t2s_tui.prompts.templates import PromptTemplate, render_messages, render_text
from t2s_tui.records import Example


class Tokenizer(Protocol):
    """What is used of a `transformers` tokenizer."""

    bos_token_id: Any
    eos_token_id: Any
    chat_template: Any

    def encode(self, text: str, *, add_special_tokens: bool = ...) -> Any: ...

    def apply_chat_template(self, conversation: Any, *args: Any, **kwargs: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Encoded:
    """A training row. `input_ids[answer_start:]` is the answer and its EOS: what is scored."""

    input_ids: list[int]
    answer_start: int
    ddl_cut: bool


def encode_prompt(tokenizer: Tokenizer, template: PromptTemplate, ddl: str, question: str) -> list[int]:
    """The ids after which the answer begins, with exactly the special tokens the model expects.

    Raises ModelError when a chat template is asked for and the model has none.
    """
    if template.kind == "chat":
        text = _chat_text(tokenizer, render_messages(template, ddl, question))
        # The model's chat template writes its special tokens itself: adding them again doubles the BOS.
        ids = _ids(tokenizer, text, special=False)
    else:
        ids = _ids(tokenizer, render_text(template, ddl, question), special=True)
        # Some tokenizers end every text with EOS, after which a model has nothing more to say.
        while ids and ids[-1] == tokenizer.eos_token_id:
            ids.pop()
    while tokenizer.bos_token_id is not None and ids[:2] == [tokenizer.bos_token_id] * 2:
        ids.pop(0)
    return ids


def encode_answer(tokenizer: Tokenizer, sql: str) -> list[int]:
    """The ids of the SQL and the EOS after it. Raises ModelError when the tokenizer has no EOS."""
    if tokenizer.eos_token_id is None:
        raise ModelError(
            "The model's tokenizer has no end-of-sequence token, so it cannot learn to stop",
            "choose another model, or set eos_token in its tokenizer_config.json",
        )
    return [*_ids(tokenizer, sql.strip(), special=False), int(tokenizer.eos_token_id)]


def encode_example(
    tokenizer: Tokenizer, template: PromptTemplate, example: Example, block_size: int
) -> Encoded | None:
    """The example in at most `block_size` tokens, None when it cannot be made to fit.

    The answer and its EOS are never cut: the DDL is made smaller (see `shrink`) as far as needed.
    """
    answer = encode_answer(tokenizer, example.gold)
    room = block_size - len(answer)
    prompt = encode_prompt(tokenizer, template, example.ddl, example.question)
    if len(prompt) <= room:
        return Encoded(prompt + answer, len(prompt), ddl_cut=False)
    forms = shrinkings(example.ddl, example.question, example.gold)
    shrunk = _first_fitting(tokenizer, template, example.question, forms, room)
    return Encoded(shrunk + answer, len(shrunk), ddl_cut=True) if shrunk is not None else None


def _first_fitting(
    tokenizer: Tokenizer, template: PromptTemplate, question: str, forms: Sequence[str], room: int
) -> list[int] | None:
    """The prompt with the longest of ever shorter DDLs that has room, by bisection; None when none has."""
    best: list[int] | None = None
    low, high = 0, len(forms)
    while low < high:
        middle = (low + high) // 2
        ids = encode_prompt(tokenizer, template, forms[middle], question)
        if len(ids) <= room:
            best, high = ids, middle
        else:
            low = middle + 1
    return best


def _ids(tokenizer: Tokenizer, text: str, *, special: bool) -> list[int]:
    return [int(token) for token in tokenizer.encode(text, add_special_tokens=special)]


def _chat_text(tokenizer: Tokenizer, messages: list[dict[str, str]]) -> str:
    from jinja2.exceptions import TemplateError

    if not tokenizer.chat_template:
        raise ModelError("The model has no chat template", "use a text prompt such as `book` or `book-en`")
    try:
        return _applied(tokenizer, messages)
    except TemplateError:
        # Some models (Gemma) know no system message: its text then leads the user's.
        folded = "\n\n".join(message["content"] for message in messages)
        return _applied(tokenizer, [{"role": "user", "content": folded}])


def _applied(tokenizer: Tokenizer, messages: list[dict[str, str]]) -> str:
    # enable_thinking: models that think aloud by default (Qwen3) answer at once; others ignore it.
    return str(
        tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
    )
