"""A workspace with two prediction sets over the sample's game questions, judged by the real metrics."""

from __future__ import annotations

import time
from pathlib import Path

from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.evaluation.exact import judge_exact
from t2s_tui.evaluation.execution import Execution
from t2s_tui.evaluation.judged import Pair
from t2s_tui.records import Example, Outcome, Prediction, PredictionSet, Verdict
from t2s_tui.workspace import Workspace

ROWS = 6
JUDGED = {"model": "judge-1", "rationale": "it counts the same"}
BROKEN = "SELECT nickname FROM players WHERE nickname = 'x"  # the literal is never closed


def answers_of(examples: list[Example]) -> dict[str, list[str]]:
    """What the two models wrote: the base one right only on the last row, the tuned one wrong on 1 and 2."""
    gold = [e.gold.rstrip("; ") for e in examples]
    return {
        "base": [BROKEN, "SELECT no_such_column FROM players", "", "SELECT 1", "SELECT 2", gold[5]],
        "tuned": [gold[0] + " LIMIT 0", BROKEN, *gold[2:]],
    }


def reviewed_workspace(root: Path, *, judged: bool = True) -> tuple[Workspace, list[Example]]:
    """The workspace and the examples of the two sets `base` and `tuned` (the newer one)."""
    workspace = Workspace.open(root)
    add_dataset(workspace, "sample-ko")
    examples = open_examples(workspace, "sample-ko").split("eval")[:ROWS]
    for at, (name, answers) in enumerate(answers_of(examples).items()):
        made = PredictionSet(
            name, "sample-ko", "eval", "smollm2", None, "book", {}, ROWS, "", time.time() - 100 + at
        )
        with workspace.store() as store:
            store.predictions.put_set(made)
            store.predictions.add(
                Prediction(name, e.id, f"{sql};\n### and more", sql, 90, 20, "statement", 0.1)
                for e, sql in zip(examples, answers, strict=True)
            )
            if judged:
                store.verdicts.add(verdicts_of(name, examples, answers))
    return workspace, examples


def verdicts_of(name: str, examples: list[Example], answers: list[str]) -> list[Verdict]:
    """The words of exact match and of execution accuracy on the sample's own database."""
    found = []
    with Execution() as execution:
        for example, sql in zip(examples, answers, strict=True):
            assert example.database is not None
            pair = Pair(example.gold, sql, example.dialect, example.ddl, Path(example.database))
            for metric, word in (("exact", judge_exact(pair)), ("execution", execution.judge(pair))):
                found.append(Verdict(name, example.id, metric, word.outcome, word.why, word.evidence))
    return found


def judge_says(workspace: Workspace, name: str, example_id: str, outcome: Outcome) -> None:
    """A judge's word, as its client stores it."""
    with workspace.store() as store:
        store.verdicts.add([Verdict(name, example_id, "judge", outcome, JUDGED["rationale"], JUDGED)])


#: What the equivalence engine keeps of a refutation: a player without a character is lost by the inner join.
REFUTED = {
    "engine": "sqlite 3.45.0",
    "class": "data",
    "databases": 40,
    "database": 3,
    "coverage": 0.97,
    "mutants": {"made": 36, "killed": 35},
    "seed": 42,
    "strict": {"outcome": "fail", "why": "0 rows where gold has 1"},
    "realistic": {"outcome": "fail", "why": "0 rows where gold has 1"},
    "counterexample": {
        "ddl": [
            "CREATE TABLE players (player_id INTEGER PRIMARY KEY, username TEXT)",
            "CREATE TABLE characters (character_id INTEGER PRIMARY KEY, player_id INTEGER)",
        ],
        "inserts": [
            "INSERT INTO players VALUES (1, '클랜없음'), (2, 'b')",
            "INSERT INTO characters VALUES (5, 2)",
        ],
        "tables": [
            {
                "name": "players",
                "columns": ["player_id", "username"],
                "rows": [[1, "클랜없음"], [2, "b"]],
                "marked": [0],
            },
            {"name": "characters", "columns": ["character_id", "player_id"], "rows": [[5, 2]], "marked": []},
        ],
        "gold": {"columns": ["username", "n"], "rows": [["클랜없음", 0], ["b", 1]]},
        "pred": {"columns": ["username", "n"], "rows": [["b", 1]]},
    },
}
JOINED = (
    "SELECT p.username, COUNT(c.character_id) AS n FROM players AS p {} JOIN characters AS c "
    "ON c.player_id = p.player_id GROUP BY p.username"
)


def refuted(workspace: Workspace, name: str, example_id: str) -> None:
    """The words of equivalence and of the normalised match, the latter with what is wrong."""
    faults = {"faults": ["join type", "missing join"]}
    said = [
        Verdict(name, example_id, "equivalence", Outcome.FAIL, "they differ on 2 rows", REFUTED),
        Verdict(name, example_id, "normalized", Outcome.FAIL, "differs in FROM", faults),
    ]
    with workspace.store() as store:
        store.verdicts.add(said)
