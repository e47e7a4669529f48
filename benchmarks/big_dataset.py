"""A dataset of any size, of our own making: the same rows at every call."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

from t2s_tui.datasets.catalogue import write_examples
from t2s_tui.records import Dataset, Example
from t2s_tui.workspace import Workspace

NAME = "big"
DATABASES = 200
_THINGS = ("player", "clan", "item", "quest", "order", "store", "doctor", "flight", "student", "singer")
_KOREAN = ("플레이어", "클랜", "아이템", "퀘스트", "주문", "매장", "의사", "항공편", "학생", "가수")
_ASKED = ("의 이름을 모두 보여줘", "별 수를 세어줘", "가 가장 많은 곳은 어디야?", "마다 평균 값을 구해줘")


def make_workspace(root: Path, rows: int) -> Workspace:
    """A workspace at `root` with one dataset of that many rows; one that is there already is kept."""
    workspace = Workspace.open(root)
    with workspace.store() as store:
        if store.datasets.find(NAME) is not None:
            return workspace
        written = write_examples(workspace.dataset_dir(NAME), _examples(rows))
        store.datasets.put(
            Dataset(NAME, "benchmark", "made", "sqlite", written.fingerprint, written.splits, 0, time.time())
        )
    return workspace


def _examples(rows: int) -> Iterator[Example]:
    pick = random.Random(42)
    schemas = [_schema(at) for at in range(DATABASES)]
    for at in range(rows):
        which = pick.randrange(DATABASES)
        thing, korean, limit = pick.choice(_THINGS), pick.choice(_KOREAN), pick.randrange(100_000)
        other = pick.choice(_THINGS)
        question = f"{korean}{pick.choice(_ASKED)} ({limit}보다 큰 것, {'로그인 ' * (at % 997 == 5)}{other})"
        gold = (
            f"SELECT a.name, COUNT(*) FROM {thing}_{which} AS a "
            f"JOIN {other}_{which} AS b ON a.id = b.{thing}_id "
            f"WHERE a.value > {limit} GROUP BY a.name ORDER BY COUNT(*) DESC"
        )
        yield Example(
            id=f"{at:012x}",
            number=at + 1,
            split="eval" if at % 10 == 9 else "train",
            db_id=f"db_{which}",
            question=question,
            ddl=schemas[which],
            gold=gold,
            dialect="sqlite",
            database=None,
            origin=f"made.jsonl:{at + 1}",
            hardness=("easy", "medium", "hard", "extra")[at % 4],
        )


def _schema(which: int) -> str:
    return "\n".join(
        f"CREATE TABLE {thing}_{which} (\n  id INTEGER PRIMARY KEY,\n  name TEXT NOT NULL, -- {korean} 이름\n"
        f"  value INTEGER,\n  {_THINGS[at - 1]}_id INTEGER REFERENCES {_THINGS[at - 1]}_{which}(id)\n);"
        for at, (thing, korean) in enumerate(zip(_THINGS, _KOREAN, strict=True))
    )
