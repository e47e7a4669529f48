"""The sample data that ships with the package, with English or Korean questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from t2s_tui import samples
from t2s_tui.datasets.files import read_table
from t2s_tui.datasets.source import OpenSource, RawItem, RawRow, ReadOptions, RowProblem
from t2s_tui.errors import DataError, UsageError

_QUESTION_COLUMN = {"sample": "question", "sample-ko": "question_ko"}


class SampleFormat:
    """`sample` and `sample-ko`: the same rows, asked in English and in Korean."""

    name = "sample"
    summary = "the sample data that ships with t2s-tui: `sample` in English, `sample-ko` in Korean"

    def recognises(self, source: str) -> bool:
        return source in _QUESTION_COLUMN

    def open(self, source: str, options: ReadOptions) -> OpenSource:
        if source not in _QUESTION_COLUMN:
            raise UsageError(f"There is no sample data {source!r}", f"use {' or '.join(_QUESTION_COLUMN)}")
        if not samples.SAMPLE_FILE.is_file():
            raise DataError(f"The sample data {samples.SAMPLE_FILE} is not there", "install t2s-tui again")
        rows = _rows(samples.SAMPLE_FILE, _QUESTION_COLUMN[source])
        return OpenSource(name=source, label=source, rows=rows, license="MIT")


def _rows(path: Path, question: str) -> Iterator[RawItem]:
    for item in read_table(path).rows:
        if isinstance(item, RowProblem):
            yield item
            continue
        line, values = item
        values["question"] = values.get(question)
        values["database"] = str(samples.database_path(str(values.get("db_id"))))
        yield RawRow(values, str(path), line, split="train")
