"""What is made of a dataset in its room: other splits and files, from the form to what is said at the end."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from screens.datasets import DatasetsScreen
from screens.evaluate_form_state import FormErrors
from screens.export_form import read_export, usual_place
from screens.split_form import read_split
from t2s_tui.app import T2SApp
from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.datasets.export_request import ExportRequest
from t2s_tui.datasets.marks import read_marks
from t2s_tui.datasets.split_request import SplitRequest
from t2s_tui.records import Dataset, RunState
from t2s_tui.workspace import Workspace
from tests.dataset_files import row, write
from tests.screens.support import bench, job_folder, on_screen, pressed, screen_text, settled, until
from tests.screens.test_datasets_rows import opened
from widgets.form import Form

ROWS = [
    row(db_id=db_id, question=f"{db_id} 클랜의 {n}번째 이름을 보여줘", split="train")
    for db_id in "abcd"
    for n in range(3)
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    opened = Workspace.open(tmp_path / "workspace")
    add_dataset(opened, str(write(tmp_path / "game.jsonl", ROWS)), dialect="sqlite")
    return opened


def dataset_of(workspace: Workspace) -> Dataset:
    with workspace.store() as store:
        return store.datasets.get("game")


def place(app: T2SApp) -> str:
    """Where the export form would write to."""
    return app.screen.query_one(Form)["to"].value


def test_the_split_form_says_what_is_wrong_beside_its_field(workspace: Workspace, tmp_path: Path) -> None:
    game = dataset_of(workspace)
    ratio = {"by": "by ratio", "weights": "train=3, dev=1", "seed": "7", "allow_leak": "yes"}
    assert read_split(game, "abcd", ratio) == SplitRequest(
        dataset="game", by="ratio", weights={"train": 3, "dev": 1}, seed=7, allow_leak=True
    )
    for values, wrong in (
        (ratio | {"weights": "train"}, {"weights": "'train' is not SPLIT=SHARE"}),
        (ratio | {"weights": "train=1"}, {"weights": "two splits at least: train=0.8,dev=0.2"}),
        (
            ratio | {"weights": "a=1,b=0", "seed": "x"},
            {"weights": "every share is more than 0", "seed": "a whole number"},
        ),
        ({"by": "hold out", "holdout": ""}, {"holdout": "name one at least (f2)"}),
        ({"by": "hold out", "holdout": "a, z"}, {"holdout": "there is no database z"}),
        ({"by": "by list", "listed": str(tmp_path / "no")}, {"listed": "there is no such file"}),
    ):
        with pytest.raises(FormErrors) as caught:
            read_split(game, "abcd", values)
        assert caught.value.errors == wrong
    listed = tmp_path / "list.txt"
    listed.write_text("db:a eval\n")
    assert read_split(
        game, "abcd", {"by": "by list", "listed": str(listed), "rest": "train"}
    ) == SplitRequest(dataset="game", by="list", listed=listed, rest="train")


def test_the_export_form_says_what_is_wrong_beside_its_field(workspace: Workspace, tmp_path: Path) -> None:
    game = dataset_of(workspace)
    to = tmp_path / "out.jsonl"
    values = {"form": "jsonl", "to": str(to), "split": "train", "query": "db:a", "prompt": "book"}
    assert read_export(game, values) == ExportRequest(
        dataset="game", to=to, form="jsonl", split="train", query="db:a"
    )
    for changed, wrong in (
        ({"to": ""}, {"to": "name a file"}),
        ({"to": "/nowhere/at/all"}, {"to": "there is no such folder"}),
        ({"to": str(tmp_path)}, {"to": "that is a folder"}),
        ({"form": "spider", "to": str(tmp_path)}, {"to": "a folder that is not there yet"}),
        ({"query": "colour:red"}, {"query": "The filter has no field 'colour'"}),
    ):
        with pytest.raises(FormErrors) as caught:
            read_export(game, values | changed)
        assert caught.value.errors == wrong
    assert usual_place("game", "messages", Path("/d")) == "/d/game.jsonl"
    assert usual_place("game", "text-csv", Path("/d")) == "/d/game-text.csv"
    assert usual_place("game", "spider", Path("/d")) == "/d/game-spider"


async def test_rows_are_dealt_out_anew_and_keep_their_marks(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await opened(pilot, "x", "d")
        await on_screen(pilot, "Split game   now train 12")
        assert "with commas" not in screen_text(app)  # only the fields of the way that is chosen
        await pressed(pilot, "right")
        await on_screen(pilot, "become the split eval")
        await pressed(pilot, "down", *"b,z", "f5")
        await on_screen(pilot, "✗ there is no database z")
        await pressed(pilot, "backspace", "backspace", "f2")
        await on_screen(pilot, "One database more")
        await pressed(pilot, *"d", "enter")
        await on_screen(pilot, "b, d")
        await pressed(pilot, "f5")
        await on_screen(pilot, "train 6 · eval 6", seconds=60)
        assert isinstance(app.screen, DatasetsScreen)
        assert dataset_of(workspace).splits == {"train": 6, "eval": 6}
        await on_screen(pilot, "1 marked")
        assert screen._marked == {0}
    kept = dataset_of(workspace)
    assert read_marks(workspace.dataset_dir("game"), kept.fingerprint) == {0}


async def test_the_rows_that_the_filter_leaves_are_written_to_a_file(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45), notifications=True) as pilot:
        await opened(pilot, "slash", *"db:b", "enter", "x", "e")
        await on_screen(pilot, "Export game   12 rows")
        assert place(app) == str(here / "game.csv")
        await pressed(pilot, "right", "right")  # jsonl
        assert place(app) == str(here / "game.jsonl")
        await pressed(pilot, "f5")
        await on_screen(pilot, "Wrote 3 rows to", seconds=60)
        written = (here / "game.jsonl").read_text("utf-8").splitlines()
        assert {json.loads(line)["db_id"] for line in written} == {"b"}
        # Again, with what is marked: the file is there, and that is asked about.
        await pressed(pilot, "e", "right", "right", "down", "down", "down", "end", *" is:marked", "f5")
        await on_screen(pilot, "Replace game.jsonl?")
        await pressed(pilot, "y")
        await until(pilot, lambda: (here / "game.jsonl").read_text("utf-8").count("\n") == 1, seconds=60)
    assert len(open_examples(workspace, "game")) == 12


async def test_work_on_a_dataset_is_seen_and_stopped_and_no_second_one_begins(workspace: Workspace) -> None:
    view = job_folder(
        workspace,
        "exp-1",
        RunState.RUNNING,
        kind="export",
        title="export game",
        request={"dataset": "game"},
        done=2,
        total=4,
        label="write the rows",
        started_at=time.time() - 5,
    )
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45), notifications=True) as pilot:
        await on_screen(pilot, "export of game  write the rows  2/4")
        await settled(pilot)
        await pressed(pilot, "d")
        assert "Split game" not in screen_text(app)
        await pressed(pilot, "A")
        await on_screen(pilot, "The export was asked to stop")
        assert "stop" in (Path(view.job.folder) / "control.jsonl").read_text()
