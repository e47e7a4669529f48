"""Where the judge's key comes from: a variable, or a command that prints it. It is never written down."""

from __future__ import annotations

import os
import shlex
import subprocess

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.judge.settings import JudgeSettings

_NO_KEY = "not-needed"
_SECONDS = 60.0


def find_key(settings: JudgeSettings) -> str:
    """The key; a stand-in for endpoints that need none. Raises UsageError."""
    if settings.key_command:
        return _from_command(settings.key_command)
    key = os.environ.get(settings.api_key_env, "").strip()
    if not key and settings.base_url is None:
        raise UsageError(
            f"The judge's key is not there: {settings.api_key_env} is not set",
            "set it, or name an endpoint that needs none with --judge-url",
        )
    return key or _NO_KEY


def _from_command(command: str) -> str:
    """What the command prints. Its output is in no error: it may hold half a key."""
    why = "it printed nothing"
    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, timeout=_SECONDS, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode:
            why = f"it ended with code {done.returncode}"
        elif key := done.stdout.strip():
            return key
    except subprocess.TimeoutExpired:
        why = f"it took more than {_SECONDS:g} s"
    except (OSError, ValueError) as error:
        why = str(error)
    raise UsageError(f"The key command gave no key ({why})", "run it in a shell and see what it prints")
