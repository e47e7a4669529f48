"""The event log: whole lines only, sequence numbers that go on, readers that never see a half."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s_tui.jobs.control import ControlTail, request
from t2s_tui.jobs.events import EventLog, EventTail, plain
from t2s_tui.jobs.folder import tail_lines


def test_readers_get_events_in_order_and_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = EventTail(path)
    assert tail.read() == []
    log = EventLog(path)
    log.append("step", {"done": 1, "label": "질문"})
    log.append("note", {"text": "line\nbreak"})
    assert [(e["seq"], e["kind"]) for e in tail.read()] == [(1, "step"), (2, "note")]
    assert tail.read() == []
    log.append("note", {"text": "more"})
    assert [e["text"] for e in tail.read()] == ["more"]


def test_an_unfinished_last_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    whole, half = '{"seq":1,"kind":"a"}\n', '{"seq":2,"ki'
    path.write_text(whole + half)
    tail = EventTail(path)
    assert [e["seq"] for e in tail.read()] == [1]
    assert tail.read() == []
    with path.open("a") as file:
        file.write('nd":"b"}\n')
    assert [e["kind"] for e in tail.read()] == ["b"]


def test_a_new_writer_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    EventLog(path).append("a", {})
    tail = EventTail(path)
    assert len(tail.read()) == 1
    with path.open("a") as file:
        file.write('{"seq":2,"kind":"torn')
    assert tail.read() == []
    assert EventLog(path).append("b", {})["seq"] == 2
    assert [(e["seq"], e["kind"]) for e in tail.read()] == [(2, "b")]
    assert tail.skipped == 0


def test_a_line_longer_than_a_chunk_is_read_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.append("small", {})
    log.append("large", {"text": "x" * 3_000_000})
    assert EventLog(path).seq == 2
    tail = EventTail(path)
    kinds = []
    while events := tail.read():
        kinds += [e["kind"] for e in events]
    assert kinds == ["small", "large"]


def test_a_long_log_comes_in_pieces_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    for number in range(30):
        log.append("big", {"number": number, "text": "y" * 100_000})
    tail = EventTail(path)
    first = tail.read()
    assert 0 < len(first) < 30
    assert tail.behind
    rest = []
    while events := tail.read():
        rest += events
    assert [e["number"] for e in first + rest] == list(range(30))
    assert not tail.behind


def test_a_line_that_is_no_event_is_skipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"seq":1}\nrubbish\n[1]\n{"seq":2}\n')
    tail = EventTail(path)
    assert [e["seq"] for e in tail.read()] == [1, 2]
    assert tail.skipped == 2


def test_numbers_without_a_word_in_json_are_null(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    event = EventLog(tmp_path / "e").append(
        "step", {"loss": float("nan"), "lr": numpy.float32(0.5), "n": numpy.int64(3), "path": Path("a")}
    )
    assert (event["loss"], event["lr"], event["n"], event["path"]) == (None, 0.5, 3, "a")
    assert json.loads((tmp_path / "e").read_text()) == event


def test_reserved_names_cannot_be_overwritten(tmp_path: Path) -> None:
    event = EventLog(tmp_path / "e").append("step", {"seq": 99, "kind": "x", "done": 1})
    assert (event["seq"], event["kind"], event["done"]) == (1, "step", 1)


def test_a_full_disk_is_an_error_and_uses_no_number(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    (tmp_path / "events.jsonl").symlink_to("/dev/full")
    log = EventLog(tmp_path / "events.jsonl")
    with pytest.raises(OSError, match="No space left"):
        log.append("a", {})
    assert log.seq == 0


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), st.lists))
def test_plain_is_always_json(value: object) -> None:
    json.dumps(plain(value), allow_nan=False)


def test_requests_before_the_last_start_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "control.jsonl"
    request(path, "start")
    request(path, "stop", grace=5.0)
    assert ControlTail(path, 20.0).read().stop_at is not None
    request(path, "start")
    control = ControlTail(path, 20.0)
    assert control.read().stop_at is None
    request(path, "checkpoint")
    assert control.read().checkpoints == 1


def test_a_second_stop_shortens_the_grace_only(tmp_path: Path) -> None:
    path = tmp_path / "control.jsonl"
    control = ControlTail(path, 20.0)
    request(path, "stop", grace=100.0)
    asked = control.read()
    first = asked.deadline
    request(path, "stop", grace=5.0)
    second = control.read().deadline
    request(path, "stop", grace=500.0)
    assert first is not None
    assert second is not None
    assert second < first
    assert control.read().deadline == second


def test_the_tail_of_a_log(tmp_path: Path) -> None:
    assert tail_lines(tmp_path / "none") == []
    path = tmp_path / "output.log"
    path.write_text("".join(f"line {n} 가\n" for n in range(10_000)))
    assert tail_lines(path, 2) == ["line 9998 가", "line 9999 가"]
    assert len(tail_lines(path, 20)) == 20
