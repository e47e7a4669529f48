"""What a model is asked: who answers, the question, and the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.message import Message
from textual.widgets import Static

from widgets.editors import Editor
from widgets.form import FieldSpec, Form, FormField
from widgets.frame import Pane

#: Where the focus rests while nobody types: letters are keys there.
REST = "#field-adapter ChoiceBox"

_SPECS = (
    FieldSpec("model", "model", "Hub id, folder, .gguf, smollm2, or http://host:port/v1#name"),
    FieldSpec("adapter", "adapter", "a finished run, or none", ("none",), free=False),
    FieldSpec("prompt", "prompt", "how the question is put", ("book",), free=False),
    FieldSpec("dialect", "dialect", "of the SQL", ("sqlite",), free=False),
)


class AskPane(Pane):
    """A small form over two editors. `values` and `fill` speak of all of it."""

    SCOPED_CSS = False  # the width of the screen decides

    DEFAULT_CSS = """
    AskPane Form { height: auto; }
    AskPane .ask--label { height: 1; padding: 0 1; color: $text-muted; margin-top: 1; width: 100%; }
    AskPane #question { height: 4; }
    AskPane #ddl { height: 1fr; min-height: 3; }
    AskPane FormField > .form--label { width: 10; }
    .-wide AskPane FormField > FieldEdit, .-wide AskPane FormField > ChoiceBox { width: 26; }
    """

    @dataclass
    class Changed(Message):
        """`name` is the field, `question` or `ddl`."""

        name: str

    def __init__(self, values: Mapping[str, str]) -> None:
        self.form = Form({"": _SPECS}, values)
        self.question = Editor(
            placeholder="the question: e, then type; esc leaves", leave_to=REST, id="question"
        )
        self.ddl = Editor(placeholder="CREATE TABLE ...", leave_to=REST, id="ddl")
        super().__init__(
            self.form,
            Static("question", classes="ask--label", markup=False),
            self.question,
            Static("DDL", classes="ask--label", markup=False),
            self.ddl,
            title="Ask",
            id="ask",
            classes="-list",
        )

    @property
    def values(self) -> dict[str, str]:
        """model, adapter, prompt, dialect, question, ddl."""
        return {**self.form.values, "question": self.question.value, "ddl": self.ddl.value}

    def fill(self, values: Mapping[str, str]) -> None:
        """Put these values in their places; what is not named stays."""
        for editor in (self.question, self.ddl):
            value = values.get(editor.id or "")
            if value is not None and value != editor.text:
                editor.text = value
        self.form.set_values(values)

    def set_choices(
        self, models: Sequence[str], adapters: Sequence[str], prompts: Sequence[str], dialects: Sequence[str]
    ) -> None:
        """What there is to choose from, now."""
        self.form["model"].set_choices(models)
        for name, words in (("adapter", adapters), ("prompt", prompts), ("dialect", dialects)):
            self.form[name].set_choices(words)

    def on_form_field_changed(self, message: FormField.Changed) -> None:
        message.stop()
        self.post_message(self.Changed(message.name))

    def on_editor_typed(self, message: Editor.Typed) -> None:
        message.stop()
        self.post_message(self.Changed(message.editor.id or ""))
