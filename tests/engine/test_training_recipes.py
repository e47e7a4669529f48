"""Recipes: the presets of the issue, and errors a form can show."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2s_tui.errors import FieldError, NotFound, UsageError
from t2s_tui.training.recipes import (
    FIELD_HELP,
    Recipe,
    list_presets,
    load_preset,
    load_recipe,
    recipe_errors,
)


def test_book_is_the_reference_recipe() -> None:
    book = load_preset("book")
    assert (book.learning_rate, book.batch_size, book.gradient_accumulation, book.epochs) == (2e-4, 8, 8, 1)
    assert (book.block_size, book.warmup_ratio, book.weight_decay) == (1024, 0.1, 0.01)
    assert (book.lora_r, book.lora_alpha, book.lora_dropout) == (16, 32, 0.05)
    assert (book.prompt, book.quantization, book.precision) == ("book", "auto", "auto")
    assert book.effective_batch == 64
    assert book == Recipe()  # a recipe file without a field means the reference


def test_demo_is_for_the_english_sample_on_a_cpu() -> None:
    demo = load_preset("demo")
    assert (demo.prompt, demo.quantization) == ("book-en", "none")
    assert (demo.lora_r, demo.lora_alpha) == (16, 32)
    assert list_presets() == ["book", "demo"]


def test_every_field_has_a_line_of_help() -> None:
    assert set(FIELD_HELP) == set(Recipe.model_fields)
    assert all(text and "\n" not in text for text in FIELD_HELP.values())


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("learning_rate", "0", "learning_rate must be more than 0"),
        ("learning_rate", "fast", "learning_rate must be a number, not fast"),
        ("batch_size", "2.5", "batch_size must be a whole number, not 2.5"),
        ("batch_size", "0", "batch_size must be at least 1"),
        ("batch_size", "", "batch_size must not be empty"),
        ("lora_dropout", "1", "lora_dropout must be less than 1"),
        ("epochs", "101", "epochs must be at most 100"),
        ("lr_scheduler", "square", "lr_scheduler must be 'linear', 'cosine' or 'constant'"),
        ("share_beginnings", "perhaps", "share_beginnings must be true or false"),
        ("loss", "1", "has no field 'loss'"),
    ],
)
def test_what_is_wrong_is_said_of_its_field(field: str, value: str, said: str) -> None:
    with pytest.raises(FieldError) as caught:
        load_preset("book").changed({field: value})
    assert caught.value.field == field
    assert said in str(caught.value)
    assert caught.value.exit_code == 2
    assert list(recipe_errors({field: value})) == [field]


def test_changes_are_read_from_text() -> None:
    changed = load_preset("book").changed({"epochs": "0.5", "max_rows": "100", "learning_rate": "1e-3"})
    assert (changed.epochs, changed.max_rows, changed.learning_rate) == (0.5, 100, 1e-3)
    assert changed.changed({"max_rows": " "}).max_rows is None
    assert recipe_errors({"epochs": "2", "max_rows": ""}) == {}


def test_a_recipe_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('epochs = 3\nprompt = "chat"\n')
    assert load_recipe(path) == Recipe(epochs=3, prompt="chat")
    path.write_text("epochs = ")
    with pytest.raises(UsageError, match="is not TOML"):
        load_recipe(path)
    with pytest.raises(UsageError, match="cannot be read"):
        load_recipe(tmp_path / "none.toml")
    path.write_text("epochs = 0\n")
    with pytest.raises(FieldError):
        load_recipe(path)
    with pytest.raises(NotFound, match="book, demo"):
        load_preset("none")
