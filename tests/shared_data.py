"""Where the tests find the real data that is never committed: beside the checkout, or nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared(name: str) -> Path:
    """The path of a shared file, such as `ko_text2sql/test.csv`; skips the test where it is absent."""
    path = _ROOT / name
    if not path.exists():
        pytest.skip(f"the shared data {name} is not on this machine (looked in ../shared/data)")
    return path
