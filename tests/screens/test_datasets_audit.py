"""Auditing from the Datasets room: the form, the job with its progress and stop, the summary, worst first."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from screens.audit_form import FormErrors, read_form
from screens.audit_summary import summary_head, summary_lines
from screens.datasets import DatasetsScreen
from screens.row_detail import RowDetail
from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.audit.request import AuditRequest
from t2s_tui.datasets.audit.run import audit_dataset
from t2s_tui.datasets.audit.table import read_audit
from t2s_tui.datasets.splits import split_by_database
from t2s_tui.progress import Quiet
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace
from tests.dataset_files import row, write
from tests.screens.support import bench, job_folder, on_screen, pressed, screen_text, settled, until
from tests.screens.test_datasets_rows import numbers, opened
from widgets.grid import Grid

ROWS = [
    row(db_id="a", question="모든 플레이어의 이름을 알려줘", split="train"),
    row(db_id="a", question="플레이어의 수를 세어 보여줘", answer="SELECT FROM WHERE", split="train"),
    row(db_id="b", question="모든 플레이어의 이름을 알려줘", answer="SELECT nick FROM players", split="eval"),
    row(db_id="c", question="이름이 긴 플레이어는?", answer="SELECT MAX(name) FROM players", split="eval"),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    opened = Workspace.open(tmp_path / "workspace")
    add_dataset(opened, str(write(tmp_path / "game.jsonl", ROWS)), dialect="sqlite")
    return opened


@pytest.fixture
def audited(workspace: Workspace) -> Workspace:
    audit_dataset(workspace, AuditRequest(dataset="game", run_golds=False, processes=0), Quiet())
    return workspace


def test_the_form_says_what_is_wrong_beside_its_field() -> None:
    assert read_form("game", {"run_golds": "no", "max_rows": "50"}) == AuditRequest(
        dataset="game", run_golds=False, max_rows=50
    )
    with pytest.raises(FormErrors) as caught:
        read_form("game", {"max_rows": "many", "block_size": "512"})
    assert caught.value.errors == {
        "max_rows": "a whole number, 1 or more",
        "tokenizer": "a block size counts tokens: whose?",
    }
    with pytest.raises(FormErrors, match="max_rows"):
        read_form("game", {"max_rows": "99999999"})


def test_each_line_of_the_summary_names_the_filter_of_its_rows(audited: Workspace) -> None:
    audit = read_audit(audited.dataset_dir("game"))
    assert audit is not None
    lines = {line.query: line for line in summary_lines(audit.summary) if line.query}
    assert lines["finding:gold-syntax"].rows == 1
    assert lines["finding:leak-question"].rows == 2
    assert lines["agg:1"].rows == 1
    assert "ends" not in summary_head("game", audit.summary, True)
    assert "as they were" in summary_head("game", audit.summary, False)


async def test_an_audit_runs_as_a_job_and_its_findings_are_read(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45), notifications=True) as pilot:
        await settled(pilot)
        assert "not audited" in screen_text(app)
        await pressed(pilot, "A", "right")  # the golds are not run
        await pressed(pilot, "f5")
        await on_screen(pilot, "audit of game")
        assert "A stops it" in screen_text(app)
        await on_screen(pilot, "rows have findings: v shows them", seconds=60)
        await on_screen(pilot, "with findings")
        await until(pilot, lambda: "audit of game" not in screen_text(app))
        await pressed(pilot, "v")
        await on_screen(pilot, "the gold SQL does not parse")
        await pressed(pilot, "enter")  # on the worst finding
        await on_screen(pilot, "1 of 4")
        screen = app.screen
        assert isinstance(screen, DatasetsScreen)
        assert numbers(screen) == [2]
        assert "finding:gold-syntax" in screen_text(app)


async def test_worst_rows_come_first_with_their_findings(audited: Workspace) -> None:
    app = bench(audited, start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot, "w")
        await on_screen(pilot, "worst first ↓")
        assert numbers(screen)[0] == 3  # its column is unknown, and train has its question
        assert "findings" in screen_text(app).splitlines()[3]
        shown = screen.query_one(RowDetail).plain
        assert "▲ unknown-column" in shown
        assert "▲ leak-question" in shown
        await pressed(pilot, "slash", *"finding:leak agg:0", "enter")
        await on_screen(pilot, "2 of 4")
        assert set(numbers(screen)) == {1, 3}
        await pressed(pilot, "S")
        await on_screen(pilot, "worst first ↑")


async def test_an_audit_of_rows_that_changed_counts_no_more(audited: Workspace) -> None:
    split_by_database(audited, "game", ["c"])
    app = bench(audited, start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "rows changed")
        await pressed(pilot, "v")
        await on_screen(pilot, "of the rows as they were: audit again")
        await pressed(pilot, "enter")  # their rows are not to be had
        assert "as they were" in screen_text(app)
        await pressed(pilot, "escape")
        screen = await opened(pilot, "slash", *"finding:leak", "enter")
        await on_screen(pilot, "needs an audit of this dataset")
        assert screen.query_one("#rows", Grid).count == 0


async def test_a_running_audit_is_seen_and_asked_to_stop(workspace: Workspace) -> None:
    view = job_folder(
        workspace,
        "aud-1",
        RunState.RUNNING,
        kind="audit",
        title="audit game",
        request={"dataset": "game"},
        done=2,
        total=4,
        label="look at each row",
        started_at=time.time() - 5,
    )
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45), notifications=True) as pilot:
        await on_screen(pilot, "audit of game  look at each row  2/4")
        await pressed(pilot, "A")
        await on_screen(pilot, "was asked to stop")
        assert "stop" in (Path(view.job.folder) / "control.jsonl").read_text()
        assert "audit game" in screen_text(app)


async def test_the_summary_of_what_was_never_audited_says_what_to_do(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        await pressed(pilot, "v")
        await on_screen(pilot, "has not been audited")


async def test_a_audits_where_nothing_is_added(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, "a")
        await on_screen(pilot, "Audit game")
        await pressed(pilot, *["down"] * 4, "x", "f5")
        await on_screen(pilot, "✗ a whole number, 1 or more")
        await pressed(pilot, "escape", "escape", "a")
        await on_screen(pilot, "Add a dataset")


async def test_a_damaged_audit_does_not_keep_the_rows(audited: Workspace) -> None:
    (audited.dataset_dir("game") / "audit.arrow").write_bytes(b"no Arrow")
    app = bench(audited, start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "not audited")
        screen = await opened(pilot)
        assert numbers(screen) == [1, 2, 3, 4]
