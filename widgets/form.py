"""Forms: a line a field, with its help or its error beside it.

Text fields are typed in; a field with `choices` alone is turned with left and right. `f2` lists what a field
can be. The screen that owns the form validates: it gets every change and sets the errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult, RenderResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.events import DescendantFocus
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from t2s_tui.text import clip
from widgets.editors import FieldEdit
from widgets.theme import DIM, FAIL


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field: its name in the request, its label, one line of help, and what it can be.

    With `free` a person types and the choices are suggestions; without, one of the choices is taken.
    """

    name: str
    label: str
    help: str
    choices: tuple[str, ...] = ()
    free: bool = True


class ChoiceBox(Widget, can_focus=True):
    """One of a few words: left and right turn it."""

    DEFAULT_CSS = """
    ChoiceBox { height: 1; background: $surface; padding: 0 1; }
    ChoiceBox:focus { background: $boost; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,space", "turn(1)", "change", key_display="←/→"),
        Binding("left,h", "turn(-1)", "", show=False),
        # With priority: the focus has moved before the next key is looked at, however fast one types.
        Binding("down,enter", "app.focus_next", "next field", priority=True, show=False),
        Binding("up", "app.focus_previous", "", priority=True, show=False),
        Binding("j", "app.focus_next", "", show=False),
        Binding("k", "app.focus_previous", "", show=False),
    ]

    @dataclass
    class Turned(Message):
        """Another choice is taken."""

        box: ChoiceBox
        value: str

    def __init__(self, choices: Sequence[str], value: str = "") -> None:
        super().__init__()
        self._choices = tuple(choices)
        self._value = value

    @property
    def value(self) -> str:
        return self._value

    def set_value(self, value: str) -> None:
        if value != self._value:
            self._value = value
            self.refresh()
            self.post_message(self.Turned(self, value))

    def set_choices(self, choices: Sequence[str]) -> None:
        """What it can be from now on; a value that is no longer there gives way to the first."""
        self._choices = tuple(choices)
        if self._value not in self._choices:
            self.set_value(self._choices[0] if self._choices else "")

    def action_turn(self, by: int) -> None:
        if self._choices:
            at = self._choices.index(self._value) if self._value in self._choices else -by
            self.set_value(self._choices[(at + by) % len(self._choices)])

    def render(self) -> RenderResult:
        word = clip(self._value or "(none)", max(1, self.content_size.width - 4))
        return Text.assemble(("‹ ", DIM), word, (" ›", DIM), no_wrap=True)


class FormField(Horizontal):
    """Label, editor, and beside it the help, or the error in its place."""

    SCOPED_CSS = False  # the width of the screen decides

    DEFAULT_CSS = """
    FormField { height: 1; width: 100%; }
    FormField > .form--label { width: 23; height: 1; padding: 0 1; color: $text-muted; }
    FormField:focus-within > .form--label { color: $foreground; text-style: bold; }
    FormField > FieldEdit, FormField > ChoiceBox { width: 22; }
    .-wide FormField > FieldEdit, .-wide FormField > ChoiceBox { width: 40; }
    FormField > .form--note {
        width: 1fr; height: 1; padding: 0 0 0 1; text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "choices", "what it can be")]

    @dataclass
    class Changed(Message):
        """A person, or the program, changed the field."""

        name: str
        value: str

    @dataclass
    class ChoicesAsked(Message):
        """A list of what the field can be is wanted: the screen has the place for it."""

        field: FormField

    def __init__(self, spec: FieldSpec, value: str = "") -> None:
        super().__init__(id=f"field-{spec.name}")
        self.spec = spec
        self.error = ""
        self._choices = spec.choices
        self.editor: FieldEdit | ChoiceBox = (
            FieldEdit(value) if spec.free else ChoiceBox(spec.choices, value or (spec.choices or ("",))[0])
        )
        self._note = Static(
            Text(spec.help, style=DIM, no_wrap=True, overflow="ellipsis"), classes="form--note"
        )

    def compose(self) -> ComposeResult:
        yield Static(self.spec.label, classes="form--label", markup=False)
        yield self.editor
        yield self._note

    @property
    def value(self) -> str:
        return self.editor.value

    @property
    def choices(self) -> tuple[str, ...]:
        """What `f2` lists."""
        return self._choices

    def set_value(self, value: str) -> None:
        self.editor.set_value(value)

    def set_choices(self, choices: Sequence[str]) -> None:
        self._choices = tuple(choices)
        if isinstance(self.editor, ChoiceBox):
            self.editor.set_choices(choices)

    def action_choices(self) -> None:
        self.post_message(self.ChoicesAsked(self))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._choices) if action == "choices" else super().check_action(action, parameters)

    def set_error(self, error: str) -> None:
        """Show the error beside the field, or with an empty one its help again."""
        if error == self.error:
            return
        self.error = error
        words, style = (f"✗ {error}", FAIL) if error else (self.spec.help, DIM)
        self._note.update(Text(words, style=style))

    def on_field_edit_typed(self, message: FieldEdit.Typed) -> None:
        message.stop()
        self.post_message(self.Changed(self.spec.name, message.value))

    def on_choice_box_turned(self, message: ChoiceBox.Turned) -> None:
        message.stop()
        self.post_message(self.Changed(self.spec.name, message.value))


class Form(VerticalScroll, can_focus=False):
    """Fields under the titles of their groups."""

    DEFAULT_CSS = """
    Form { height: 1fr; width: 100%; scrollbar-size-vertical: 1; }
    Form .form--group { height: 1; padding: 0 1; text-style: bold; margin: 1 0 0 0; }
    """

    @dataclass
    class Entered(Message):
        """The focus is in another field: a place for its whole help or error."""

        field: FormField

    def __init__(
        self, groups: Mapping[str, Sequence[FieldSpec]], values: Mapping[str, str], *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._groups = groups
        self._fields = {
            spec.name: FormField(spec, values.get(spec.name, ""))
            for specs in groups.values()
            for spec in specs
        }

    def compose(self) -> ComposeResult:
        for title, specs in self._groups.items():
            if title:
                yield Static(title, classes="form--group", markup=False)
            for spec in specs:
                yield self._fields[spec.name]

    def __getitem__(self, name: str) -> FormField:
        return self._fields[name]

    @property
    def values(self) -> dict[str, str]:
        """Field name -> what stands in it."""
        return {name: field.value for name, field in self._fields.items()}

    @property
    def errors(self) -> dict[str, str]:
        """Field name -> its error, of those that have one."""
        return {name: field.error for name, field in self._fields.items() if field.error}

    @property
    def focused_field(self) -> FormField | None:
        return next((f for f in self._fields.values() if f.has_focus_within), None)

    def set_values(self, values: Mapping[str, str]) -> None:
        """Fill in several fields; those that the form does not have are left out."""
        for name, value in values.items():
            if name in self._fields:
                self._fields[name].set_value(value)

    def set_errors(self, errors: Mapping[str, str]) -> None:
        """These are the errors now: every other field shows its help again."""
        for name, field in self._fields.items():
            field.set_error(errors.get(name, ""))

    def focus_field(self, name: str) -> None:
        self._fields[name].editor.focus()

    def on_descendant_focus(self, _: DescendantFocus) -> None:
        field = self.focused_field
        if field is not None:
            self.post_message(self.Entered(field))
