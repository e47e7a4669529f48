"""Which column of a table is what: asked when the names do not tell, with the first rows in view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.pick import pick_for
from t2s_tui.datasets.preview import Preview, check_mapping
from t2s_tui.datasets.source import REQUIRED
from widgets.form import FieldSpec, Form, FormField
from widgets.grid import Column, Grid

NONE = "(none)"
_FIELDS = {
    "db_id": "which database a row is about",
    "context": "the DDL of its tables",
    "question": "what is asked",
    "answer": "the gold SQL",
    "split": "train, eval ... (none: after the file)",
    "hardness": "easy, medium ... (not needed)",
    "evidence": "a hint (not needed)",
}
_LONGEST = 200  # letters of a value that the preview looks at


class MapColumnsScreen(ModalScreen[dict[str, str] | None]):
    """A field for each of our columns, the guess in it. Closes with our column -> theirs, or None."""

    DEFAULT_CSS = """
    MapColumnsScreen { align: center middle; }
    MapColumnsScreen > Vertical {
        width: 100; max-width: 98%; height: auto; max-height: 96%;
        background: $surface; border: round $primary; padding: 0 1;
    }
    MapColumnsScreen .map--title { text-style: bold; height: 1; }
    MapColumnsScreen Form { height: auto; max-height: 9; margin: 1 0; }
    MapColumnsScreen FormField > .form--label { width: 11; }
    MapColumnsScreen FormField > ChoiceBox { width: 26; }
    MapColumnsScreen Grid { background: $surface; height: 4; }
    MapColumnsScreen .map--keys { color: $text-muted; height: 1; }
    """
    AUTO_FOCUS = "ChoiceBox"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "take", "add", priority=True),
        Binding("escape", "dismiss", "back", priority=True),
    ]

    def __init__(self, preview: Preview) -> None:
        super().__init__()
        self._preview = preview
        choices = (NONE, *preview.columns)
        fields = [FieldSpec(name, name, help, choices, free=False) for name, help in _FIELDS.items()]
        self._form = Form({"": fields}, {name: preview.guess.get(name, NONE) for name in _FIELDS})

    def compose(self) -> ComposeResult:
        with Vertical():
            title = f"{self._preview.file.name}: which column is what?"
            yield Static(title, classes="map--title", markup=False)
            yield self._form
            yield Grid([Column(name) for name in REQUIRED], empty="The table has no rows.")
            yield Static("f5 add  ←/→ change  ↑/↓ move  f2 all columns  esc back", classes="map--keys")

    def on_mount(self) -> None:
        self.query_one(Grid).can_focus = False
        self._show()

    @property
    def _chosen(self) -> dict[str, str]:
        return {name: value for name, value in self._form.values.items() if value != NONE}

    def _show(self) -> None:
        """The first rows as they would be read, and what is wrong beside its field."""
        chosen, rows = self._chosen, self._preview.rows

        def cells(at: int) -> Sequence[str]:
            return [str(rows[at].get(chosen.get(name, ""), ""))[:_LONGEST] for name in REQUIRED]

        self.query_one(Grid).show(len(rows), cells)
        self._form.set_errors(check_mapping(chosen, self._preview.columns))

    def on_form_field_changed(self, message: FormField.Changed) -> None:
        self._show()

    def on_form_field_choices_asked(self, message: FormField.ChoicesAsked) -> None:
        pick_for(message.field)

    def action_take(self) -> None:
        """Close with the mapping when nothing is wrong with it."""
        if self._form.errors:
            self._form.focus_field(next(iter(self._form.errors)))
        else:
            self.dismiss(self._chosen)
