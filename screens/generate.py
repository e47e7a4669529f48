"""Generate: ask a model for SQL, and run what it answers."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer

from screens.answer_pane import AnswerPane
from screens.base import WorkbenchScreen
from screens.batch import BatchScreen
from screens.generate_state import Draft, Known, find_example, load_draft, read_known, save_draft
from screens.pick import pick_example, pick_for, pick_word
from screens.sessions import Asker, Question, free_device
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.jobs.board import JobView
from t2s_tui.records import Example
from widgets.ask_pane import REST, AskPane
from widgets.form import FormField

SAVE_SECONDS = 1.0  # after the last key: a hang-up loses no more than that


class GenerateScreen(WorkbenchScreen):
    """Model, question and DDL on the left; the answer, its rows and the gold on the right."""

    ROOM = "Generate"
    CSS_PATH = "generate.tcss"
    AUTO_FOCUS = REST
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "ask", "ask", priority=True),
        Binding("f6", "run", "run the SQL", priority=True),
        Binding("x", "run", "", show=False),
        Binding("r", "row", "take a row"),
        Binding("e", "edit", "edit the question"),
        Binding("m", "model", "model", show=False),
        Binding("R", "raw", "raw text"),
        Binding("t", "gold", "gold"),
        Binding("B", "batch", "answer a whole split"),
        Binding("c", "copy", "copy the SQL", show=False),
        Binding("U", "unload", "unload the model", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._known = Known()
        self._restored = False
        self._taken: set[str] = set()  # fields that got a value before the draft was read: they keep it
        self._saving: Timer | None = None
        self._example: Example | None = None
        self._dataset = ""

    def compose_body(self) -> ComposeResult:
        yield AskPane(Draft().values)
        yield AnswerPane()

    @property
    def ask(self) -> AskPane:
        """The asking half."""
        return self.query_one(AskPane)

    @property
    def answering(self) -> AnswerPane:
        """The answering half."""
        return self.query_one(AnswerPane)

    # -- what there is to choose from ---------------------------------------------------------

    def refresh_room(self) -> None:
        self.fetch("known", lambda: read_known(self.workspace), self._show_known)

    def jobs_changed(self, changed: list[JobView]) -> None:
        if any(view.job.kind == "train" and view.status.state.ended for view in changed):
            self.refresh_room()

    def _show_known(self, known: Known) -> None:
        self._known = known
        self.ask.set_choices(known.models, known.adapters, known.prompts, known.dialects)
        if not self._restored:
            self.fetch("draft", lambda: load_draft(self.workspace), self._restore)

    def _restore(self, draft: Draft) -> None:
        self._restored = True
        self.ask.fill({name: value for name, value in draft.values.items() if name not in self._taken})
        if draft.example and self._example is None:
            self._fetch_example(draft.dataset, draft.example, keep_text=True)

    def on_ask_pane_changed(self, message: AskPane.Changed) -> None:
        if not self._restored:
            self._taken.add(message.name)
            return
        if self._saving is not None:
            self._saving.stop()
        self._saving = self.set_timer(SAVE_SECONDS, self._save)
        run = self._known.run(self.ask.values["adapter"]) if message.name == "adapter" else None
        if run is not None:  # an adapter belongs to its model, and was trained with a prompt
            self.ask.fill({"model": run.model, "prompt": str(run.recipe.get("prompt", "book"))})

    def _save(self) -> None:
        row = {"dataset": self._dataset, "example": self._example.id} if self._example else {}
        draft = Draft(**self.ask.values, **row)
        self.fetch("save", lambda: save_draft(self.workspace, draft), lambda _: None)

    def on_form_field_choices_asked(self, message: FormField.ChoicesAsked) -> None:
        pick_for(message.field)

    # -- taking a row -------------------------------------------------------------------------

    def take_example(self, dataset: str, example_id: str) -> None:
        """Show a row of a dataset, ready to be asked. For other rooms."""
        self._fetch_example(dataset, example_id)

    def take_adapter(self, run: str) -> None:
        """Choose the adapter of a finished run, with its model. For other rooms."""
        self._taken |= {"adapter", "model", "prompt"}

        def then(known: Known) -> None:
            self._show_known(known)
            found = known.run(run)
            if found is not None:
                prompt = str(found.recipe.get("prompt", "book"))
                self.ask.fill({"adapter": run, "model": found.model, "prompt": prompt})

        self.fetch("known", lambda: read_known(self.workspace), then)

    def _fetch_example(self, dataset: str, example_id: str, keep_text: bool = False) -> None:
        def then(example: Example) -> None:
            self._take(dataset, example, keep_text)

        self.fetch("example", lambda: find_example(self.workspace, dataset, example_id), then)

    def _take(self, dataset: str, example: Example, keep_text: bool = False) -> None:
        self._example, self._dataset = example, dataset
        if not keep_text:
            self._taken |= {"question", "ddl", "dialect"}
            self.ask.fill({"question": example.question, "ddl": example.ddl, "dialect": example.dialect})
            self.answering.clear()
        self.ask.pane_title = f"Ask   #{example.number} of {dataset} · {example.db_id}"
        self.show_where(f"{dataset} · {example.split} · #{example.number}")
        self.answering.show_gold(example)
        self.refresh_bindings()

    def action_row(self) -> None:
        """Choose a row of a dataset, of the one there is or of one of several."""
        names = [dataset.name for dataset in self._known.datasets]
        if not names:
            self.notify("Add a dataset first: press 2, then a.", markup=False)
        elif len(names) == 1:
            self._pick_row(names[0])
        else:
            self.app.push_screen(pick_word("Of which dataset?", names, self._dataset), self._pick_row)

    def _pick_row(self, dataset: str | None) -> None:
        if dataset is None:
            return

        def take(example: Example | None) -> None:
            if example is not None:
                self._take(dataset, example)

        def show(rows: list[Example]) -> None:
            at = self._example.number - 1 if self._example and self._dataset == dataset else 0
            self.app.push_screen(pick_example(f"A row of {dataset}", rows, at), take)

        self.fetch("rows", lambda: list(open_examples(self.workspace, dataset)), show)

    # -- asking and running -------------------------------------------------------------------

    def action_ask(self) -> None:
        """Ask the model in its session, which is started if need be."""
        values = self.ask.values
        if not values["question"].strip():
            self.answering.refuse("There is no question: take a row with r, or press e and type one.")
        elif not values["model"]:
            self.answering.refuse("There is no model: press m and choose one.")
        else:
            adapter = values["adapter"] if self._known.run(values["adapter"]) else None
            asker = Asker(values["model"], adapter, values["prompt"])
            self.answering.ask(asker, Question(values["ddl"], values["question"], values["dialect"]))
        self._to_answer()

    def _to_answer(self) -> None:
        """Where there is room for one pane, show the answer's."""
        if self.has_class("-narrow"):
            self.open_detail()

    def action_run(self) -> None:
        """Run the answer on the database of the row."""
        database = self._example.database if self._example else None
        self.answering.run(self.ask.values["dialect"], database)
        self._to_answer()

    def action_edit(self) -> None:
        self.close_detail()
        self.ask.question.focus()

    def action_model(self) -> None:
        pick_for(self.ask.form["model"])

    def action_raw(self) -> None:
        self.answering.toggle_raw()
        self._to_answer()

    def action_gold(self) -> None:
        self.answering.toggle_gold()
        self._to_answer()

    def action_copy(self) -> None:
        if self.answering.answer is not None:
            self.bench.copy(self.answering.answer.sql, "SQL")

    def action_unload(self) -> None:
        """Stop the sessions: the memory and the device are free for other work."""

        def then(count: int) -> None:
            words = "The model is unloaded." if count else "No model is loaded."
            self.notify(words, markup=False)
            self.bench.read_board()

        self.fetch("unload", lambda: free_device(self.workspace), then)

    def action_batch(self) -> None:
        self.app.push_screen(
            BatchScreen(self.workspace, self._known, self.ask.values, self._dataset), self._submitted
        )

    def _submitted(self, name: str | None) -> None:
        if name is not None:
            self.notify(f"{name}: started. 7 shows it, 5 its answers as they come.", markup=False)
            self.bench.read_board()

    # -- back ---------------------------------------------------------------------------------

    def close_detail(self) -> None:
        self.remove_class("-in-detail")
        self.query_one(REST).focus()
        self.refresh_bindings()

    def can_go_back(self) -> bool:
        return super().can_go_back() or (self.is_mounted and self.answering.waiting)

    def action_back(self) -> None:
        """Stop waiting, then unzoom or go back to the question."""
        if self.answering.waiting:
            self.answering.cancel()
        else:
            super().action_back()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("run", "raw", "copy"):
            return self.is_mounted and self.answering.answer is not None
        if action == "gold":
            return self._example is not None
        return super().check_action(action, parameters)
