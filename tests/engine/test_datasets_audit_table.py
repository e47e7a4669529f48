"""Audit results on disk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from t2s_tui.datasets.audit.findings import KINDS, WEIGHTS, AuditedRow, Finding
from t2s_tui.datasets.audit.table import FILE_NAME, VERSION, read_audit, write_audit
from t2s_tui.errors import DataError


def audited(number: int) -> AuditedRow:
    found = Finding("gold-fails", "gold", f"no such column: 이름{number}")
    return AuditedRow(
        number,
        (found, Finding("leak-gold", "eval 7", "the same"), found) if number % 3 else (),
        worst=number / 7,
        hardness="hard",
        joins=number % 4,
        nesting=1,
        aggregates=2,
        question_language="ko",
        ddl_language="en",
        tokens=-1 if number % 2 else number,
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    rows = [audited(n) for n in range(1, 2345)]
    write_audit(tmp_path, iter(rows), fingerprint="f" * 16, summary={"rows": 2344, "말": ["ko"]})
    table = read_audit(tmp_path)
    assert table is not None
    assert len(table) == 2344
    assert list(table) == rows
    assert table[1999] == rows[1999]
    assert table.rows(2340, 9999) == rows[2340:]
    assert table.summary == {"rows": 2344, "말": ["ko"]}
    assert table.is_of("f" * 16)
    assert not table.is_of("0" * 16)
    # The layout that the screens and other tools read.
    assert table.arrow["kinds"][1].as_py() == "gold-fails leak-gold"
    assert table.arrow["kinds"][2].as_py() == ""
    assert json.loads(table.arrow["findings"][0].as_py())[1] == {
        "kind": "leak-gold",
        "where": "eval 7",
        "detail": "the same",
    }
    assert table.arrow.schema.metadata[b"version"] == VERSION.encode()


def test_no_audit_and_a_damaged_one(tmp_path: Path) -> None:
    assert read_audit(tmp_path) is None
    for damage in (b"", b"nothing of the kind" * 100):
        (tmp_path / FILE_NAME).write_bytes(damage)
        with pytest.raises(DataError, match="audit the dataset again"):
            read_audit(tmp_path)


def test_a_failed_audit_leaves_the_last_one(tmp_path: Path) -> None:
    write_audit(tmp_path, [audited(1)], fingerprint="a", summary={})

    def failing():  # type: ignore[no-untyped-def]
        yield replace(audited(1), number=9)
        raise KeyError("gone")

    with pytest.raises(KeyError):
        write_audit(tmp_path, failing(), fingerprint="b", summary={})
    table = read_audit(tmp_path)
    assert table is not None
    assert table.fingerprint == "a"
    assert [p.name for p in tmp_path.iterdir()] == [FILE_NAME]


def test_every_kind_has_words_and_a_weight() -> None:
    assert KINDS.keys() == WEIGHTS.keys()
    assert sorted(WEIGHTS.values(), reverse=True) == [WEIGHTS[kind] for kind in KINDS]
