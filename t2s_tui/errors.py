"""One exception family: what went wrong in one sentence, and what to do next."""

from __future__ import annotations


class T2SError(Exception):
    """A failure that a person can understand.

    `str(error)` is one sentence with the cause and the next step. `exit_code` is what a headless
    command ends with: 1 when the work failed, 2 when the call was wrong.
    """

    exit_code = 1

    def __init__(self, cause: str, next_step: str = "") -> None:
        self.cause = cause.rstrip(".")
        self.next_step = next_step.rstrip(".")
        super().__init__(f"{self.cause}: {self.next_step}." if next_step else f"{self.cause}.")


class UsageError(T2SError):
    """The call was wrong: an unknown name, a missing column, a bad value."""

    exit_code = 2


class FieldError(UsageError):
    """A value of a form or recipe is wrong. `field` says which one, so a form can show it beside it."""

    def __init__(self, field: str, cause: str, next_step: str = "") -> None:
        self.field = field
        super().__init__(cause, next_step)


class NotFound(UsageError):
    """A dataset, run, prediction set or job of that name does not exist."""


class WorkspaceError(T2SError):
    """The workspace cannot be opened or written."""


class DataError(T2SError):
    """A source file or database cannot be used."""


class ModelError(T2SError):
    """A model or endpoint cannot be loaded or does not answer."""


class TrainingError(T2SError):
    """Training cannot start or go on."""


class JobError(T2SError):
    """A job cannot be started, stopped or resumed."""


class JobStopped(Exception):
    """Raised inside a worker to unwind after a requested stop. Not an error: what is done is kept."""
