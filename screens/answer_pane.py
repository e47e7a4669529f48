"""The answering half of the Generate room: waits for a session's answer, runs its SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from screens.generate_state import Ran, error_words, run_sql, stop_words
from screens.sessions import Answer, Asker, Pending, Question, Waiting, send
from t2s_tui.records import Example
from t2s_tui.text import duration
from widgets.answer import AnswerView
from widgets.frame import Pane
from widgets.theme import DIM, FAIL, WARN

if TYPE_CHECKING:
    from screens.base import WorkbenchScreen

LOOK_SECONDS = 0.5
_FIRST = "Take a row with r, or press e and type a question; then f5 asks the model."

T = TypeVar("T")


class AnswerPane(Pane):
    """`ask` puts a question; what comes back is shown, and `run` runs it."""

    def __init__(self) -> None:
        self._view = AnswerView()
        super().__init__(self._view, title="Answer", id="answer-pane", classes="-detail")
        self._pending: Pending | None = None
        self._asking: str | None = None  # who is asked while the question is on its way
        self._asked = 0  # counts the questions: a late answer to an earlier one is dropped
        self._answer: Answer | None = None
        self._raw = False

    def on_mount(self) -> None:
        self._view.say(_FIRST, DIM)
        self.set_interval(LOOK_SECONDS, self._look)

    @property
    def answer(self) -> Answer | None:
        """What the model answered last, None until then."""
        return self._answer

    @property
    def waiting(self) -> bool:
        """Whether an answer is awaited."""
        return self._asking is not None

    def refuse(self, words: str) -> None:
        """Say why nothing was asked."""
        self._view.say(words, FAIL)

    def clear(self) -> None:
        """Nothing was asked yet."""
        self.cancel()
        self._answer = None
        self._view.say(_FIRST, DIM)
        self._show_answer()
        self._clear_rows()

    def ask(self, asker: Asker, question: Question) -> None:
        """Put the question to a session of that model; a session is started if there is none."""
        self.cancel()
        self._answer = None
        self._show_answer()
        self._clear_rows()
        self._asking = asker.adapter or asker.model
        self._asked += 1
        number, workspace = self._asked, self._room.workspace
        self._view.say(f"asking {self._asking}")

        def sent(pending: Pending | Exception) -> None:
            if isinstance(pending, Exception):
                self._failed(pending)
            elif number != self._asked or self._asking is None:
                pending.withdraw()  # cancelled while it was on its way
            else:
                self._pending = pending
                self._room.bench.read_board()

        self._try("ask", lambda: send(workspace, asker, question), sent)
        self._room.refresh_bindings()

    def cancel(self) -> None:
        """Wait no longer. The session goes on, with the model loaded."""
        pending, self._pending = self._pending, None
        if self._asking is not None:
            self._asking = None
            self._view.say("No longer waiting. The model stays loaded for a while; f5 asks again.", WARN)
            self._room.refresh_bindings()
        if pending is not None:
            self._try("withdraw", pending.withdraw, lambda _: None)

    def run(self, dialect: str, database: str | None) -> None:
        """Run the answer's SQL read-only on the database."""
        if self._answer is None:
            self._view.say_rows("There is no SQL yet: f5 asks for some.", FAIL)
            return
        sql = self._answer.sql
        self._clear_rows()
        self._view.say_rows("running", DIM)
        self._try("run", lambda: run_sql(sql, dialect, database), self._show_ran)

    def toggle_raw(self) -> None:
        """The whole text of the model, or the SQL cut out of it."""
        self._raw = not self._raw
        self._show_answer()

    def toggle_gold(self) -> None:
        self._view.toggle_class("-gold")

    def show_gold(self, example: Example | None) -> None:
        """The gold of the row in question; without one there is none to show."""
        if example is None:
            self._view.remove_class("-gold")
        self._view.show_gold(example.gold if example else "", example.dialect if example else "")

    # -- what comes back ----------------------------------------------------------------------

    @property
    def _room(self) -> WorkbenchScreen:
        return cast("WorkbenchScreen", self.screen)

    def _try(self, what: str, do: Callable[[], T], then: Callable[[T | Exception], None]) -> None:
        """`fetch` where a failure is part of the answer and shown in its place."""

        def tried() -> T | Exception:
            try:
                return do()
            except Exception as error:  # `then` gets it and says it
                return error

        self._room.fetch(what, tried, then)

    def _look(self) -> None:
        pending = self._pending
        if pending is None:
            return

        def looked(found: Answer | Waiting | Exception) -> None:
            if pending is not self._pending:
                return
            if isinstance(found, Waiting):
                elapsed = duration(pending.elapsed)
                self._view.say(f"{found.label}   {elapsed}   esc stops waiting")
            elif isinstance(found, Exception):
                self._failed(found)
            else:
                self._answered(found)

        self._try("look", pending.look, looked)

    def _answered(self, answer: Answer) -> None:
        self._pending, self._asking, self._answer = None, None, answer
        speed = f"{answer.new_tokens} tokens in {answer.seconds:.1f} s"
        self._view.say(f"{speed}   {stop_words(answer.stopped)}", DIM)
        self._show_answer()
        self._room.refresh_bindings()

    def _failed(self, error: Exception) -> None:
        self._pending, self._asking = None, None
        self._view.say(error_words(error), FAIL)
        self._room.refresh_bindings()

    def _show_answer(self) -> None:
        answer = self._answer
        self.pane_title = "Answer   raw text · R SQL" if self._raw and answer else "Answer"
        if answer is None:
            self._view.show_sql("")
        elif self._raw:
            self._view.show_raw(answer.raw)
        elif answer.sql:
            self._view.show_sql(answer.sql)
        else:
            self._view.show_raw("(no SQL in it: R shows the raw text)")

    def _clear_rows(self) -> None:
        self._view.say_rows("")
        self._view.show_rows((), ())

    def _show_ran(self, ran: Ran | Exception) -> None:
        if isinstance(ran, Exception):
            self._view.say_rows(error_words(ran), FAIL)
            return
        translated = self._answer is not None and ran.ran != self._answer.sql
        self._view.say_rows(f"{ran.words}{'   translated to sqlite' if translated else ''}", DIM)
        self._view.show_rows(ran.columns, ran.rows)
