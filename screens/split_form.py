"""Deal the rows of a dataset out to splits. What is wrong stands beside its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.evaluate_form_state import FormErrors
from screens.pick import pick_for, pick_word
from t2s_tui.datasets.split_request import SplitRequest, read_names, read_weights
from t2s_tui.errors import UsageError
from t2s_tui.records import Dataset
from widgets.form import FieldSpec, Form, FormField

#: What a person calls a way to split -> its name in the request, its own fields, what it does.
WAYS: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "by ratio": (
        "ratio",
        ("weights", "seed", "allow_leak"),
        "Whole databases go to the splits, hardness alike in each. The same seed gives the same rows "
        "on any machine.",
    ),
    "hold out": (
        "holdout",
        ("holdout",),
        "The rows of these databases become the split eval, all others train.",
    ),
    "by list": (
        "list",
        ("listed", "rest", "allow_leak"),
        "A line of the file is `ID SPLIT`, or `db:DB_ID SPLIT` for all rows of a database.",
    ),
}
_YES_NO = ("no", "yes")


def read_split(dataset: Dataset, databases: Sequence[str], values: Mapping[str, str]) -> SplitRequest:
    """The request that the fields ask for. Raises FormErrors with a word for each field that is wrong.

    `databases` are those that the dataset has, none where they are too many to be known here.
    """
    by, fields, _ = WAYS[values["by"]]
    asked: dict[str, Any] = {"dataset": dataset.name, "by": by}
    errors: dict[str, str] = {}
    for name in fields:
        try:
            asked[name] = _READ[name](values.get(name, "").strip())
        except (UsageError, ValueError) as error:
            errors[name] = error.cause if isinstance(error, UsageError) else str(error)
    if by == "holdout" and "holdout" not in errors:
        lacking = [name for name in asked["holdout"] if name not in databases]
        if lacking and databases:
            errors["holdout"] = f"there is no database {lacking[0]}"
    if errors:
        raise FormErrors(errors)
    return SplitRequest(**{name: value for name, value in asked.items() if value is not None})


def _weights(text: str) -> dict[str, float]:
    weights = read_weights(text)
    if len(weights) < 2:
        raise ValueError("two splits at least: train=0.8,dev=0.2")
    if any(not 0 < share < float("inf") for share in weights.values()):
        raise ValueError("every share is more than 0")
    return weights


def _holdout(text: str) -> tuple[str, ...]:
    if not (names := read_names(text)):
        raise ValueError("name one at least (f2)")
    return names


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("a whole number")
    return int(text)


def _listed(text: str) -> Path:
    path = Path(text).expanduser()
    if not text or not path.is_file():
        raise ValueError("there is no such file" if text else "name a file")
    return path.absolute()


_READ: Mapping[str, Any] = {
    "weights": _weights,
    "holdout": _holdout,
    "listed": _listed,
    "rest": lambda text: text or None,
    "seed": _seed,
    "allow_leak": lambda text: text == "yes",
}


class SplitForm(ModalScreen[SplitRequest | None]):
    """How one dataset is split. `f5` starts it; it goes on when this closes."""

    DEFAULT_CSS = """
    SplitForm { align: center middle; }
    SplitForm > Vertical {
        width: 78; max-width: 98%; height: auto; background: $surface; border: round $primary; padding: 0 1;
    }
    SplitForm #split-title { text-style: bold; height: 1; }
    SplitForm Form { height: auto; max-height: 14; }
    SplitForm FormField > .form--label { width: 13; }
    SplitForm FormField > FieldEdit, SplitForm FormField > ChoiceBox { width: 32; }
    SplitForm .split--line { height: auto; color: $text-muted; margin-top: 1; }
    """
    AUTO_FOCUS = "ChoiceBox"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "start", "split", priority=True),
        Binding("escape", "dismiss", "close", priority=True),
    ]

    def __init__(self, dataset: Dataset, databases: Sequence[str]) -> None:
        super().__init__()
        self._dataset, self._databases = dataset, databases
        fields = (
            FieldSpec("by", "how", "", tuple(WAYS), free=False),
            FieldSpec("weights", "shares", "of the rows, split=share"),
            FieldSpec("holdout", "databases", "with commas (f2)", tuple(databases)),
            FieldSpec("listed", "list", "a file"),
            FieldSpec("rest", "all others", "their split; empty: all are listed"),
            FieldSpec("seed", "seed", "another one deals anew"),
            FieldSpec("allow_leak", "tear apart", "one database, if need be", _YES_NO, free=False),
        )
        first = {"weights": "train=0.8,dev=0.1,test=0.1", "seed": "42"}
        self._form = Form({"": fields}, {"by": next(iter(WAYS)), "allow_leak": "no", **first})

    def compose(self) -> ComposeResult:
        splits = " · ".join(f"{name} {rows:,}" for name, rows in self._dataset.splits.items())
        with Vertical():
            yield Static(f"Split {self._dataset.name}   now {splits}", id="split-title", markup=False)
            yield self._form
            yield Static("", id="split-word", classes="split--line", markup=False)
            yield Static("f5 split  ←/→ change  ↑/↓ move  f2 choices  esc close", classes="split--line")

    def on_mount(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """Only the fields of the way that is chosen, and what it does."""
        _, wanted, words = WAYS[self._form["by"].value]
        for _, fields, _ in WAYS.values():
            for name in fields:
                self._form[name].display = name in wanted
        self.query_one("#split-word", Static).update(
            f"{words} The rows keep their order, ids and marks; an audit must be made again."
        )

    def on_form_field_changed(self, message: FormField.Changed) -> None:
        self._form[message.name].set_error("")
        if message.name == "by":
            self._fit()

    def on_form_field_choices_asked(self, message: FormField.ChoicesAsked) -> None:
        field = message.field
        if field.spec.name != "holdout":
            pick_for(field)
            return
        there = read_names(field.value)

        def add(name: str | None) -> None:
            if name is not None:
                field.set_value(", ".join(dict.fromkeys([*there, name])))

        self.app.push_screen(pick_word("One database more", field.choices), add)

    def action_start(self) -> None:
        """Close with the request, or say beside the fields what is wrong."""
        try:
            request = read_split(self._dataset, self._databases, self._form.values)
        except FormErrors as error:
            self._form.set_errors(error.errors)
            self._form.focus_field(next(iter(error.errors)))
            return
        self.dismiss(request)
