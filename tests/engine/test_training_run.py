"""A whole training on a tiny model: what it says, that a resumed one is the same, that it learns to stop."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from t2s_tui.datasets.add import add_dataset
from t2s_tui.errors import JobStopped, NotFound, TrainingError, UsageError
from t2s_tui.generation.decode import generate_batches
from t2s_tui.generation.loading import load_model
from t2s_tui.generation.models import resolve_model
from t2s_tui.generation.request import GenerateRequest
from t2s_tui.generation.run import generate
from t2s_tui.prompts.encode import encode_prompt
from t2s_tui.prompts.templates import load_template
from t2s_tui.records import TrainingRun
from t2s_tui.training.plan import estimate
from t2s_tui.training.recipes import Recipe
from t2s_tui.training.request import TrainRequest
from t2s_tui.training.run import train
from tests.model_support import Listener, Room, one_core, room, tiny_model

__all__ = ["one_core", "room", "tiny_model"]

RECIPE = Recipe(
    prompt="short",
    learning_rate=1e-2,
    batch_size=2,
    gradient_accumulation=2,
    epochs=4,
    block_size=200,
    lora_dropout=0.1,
    precision="fp32",
    checkpoint_every=3,
)


def request(room: Room, run: str = "r", **changes: Any) -> TrainRequest:
    return TrainRequest(run=run, dataset="tiny", model=room.model, recipe=RECIPE.changed(changes))


def losses(progress: Listener) -> list[float]:
    return [e["loss"] for e in progress.of("train")]


def stored(room: Room, run: str = "r") -> TrainingRun:
    with room.workspace.store() as store:
        return store.runs.get(run)


def test_a_training_says_every_step_and_leaves_an_adapter(room: Room) -> None:
    progress = Listener()
    summary = train(room.workspace, request(room), progress)
    plan = estimate(room.workspace, request(room))
    steps = progress.of("train")
    assert len(steps) == plan.steps == summary["steps"] == 8
    assert [e["done"] for e in steps] == list(range(1, 9))
    assert {e["total"] for e in steps} == {8}
    for name in ("loss", "lr", "epoch", "grad_norm", "memory_mb", "tokens_per_second", "eta_seconds"):
        assert all(math.isfinite(e[name]) for e in steps), name
    assert steps[-1]["epoch"] == pytest.approx(4)
    assert steps[-1]["eta_seconds"] == 0
    assert max(e["lr"] for e in steps) <= RECIPE.learning_rate
    assert summary["loss"] < losses(progress)[0]
    assert (plan.examples, plan.scored_tokens) == (summary["examples"], summary["scored_tokens"])
    assert [e["step"] for e in progress.said("checkpoint")] == [3, 6, 8]
    run = stored(room)
    assert run.recipe == RECIPE.model_dump(mode="json")
    assert run.summary["device"] == "cpu"
    assert run.adapter_path is not None
    folder = Path(run.adapter_path)
    assert (folder / "adapter_model.safetensors").exists()
    assert list(folder.parent.glob("checkpoint-*")) == []
    # A run that is done is not trained again.
    assert train(room.workspace, request(room), Listener())["adapter"] == str(folder)


@pytest.mark.parametrize("share", [False, True])
def test_a_stopped_training_goes_on_with_the_losses_of_an_uninterrupted_one(room: Room, share: bool) -> None:
    whole = Listener()
    train(room.workspace, request(room, "whole", share_beginnings=share), whole)
    first, second = Listener(stop_after=4), Listener()
    with pytest.raises(JobStopped):
        train(room.workspace, request(room, share_beginnings=share), first)
    assert [e["step"] for e in first.said("checkpoint")] == [3, 5]  # the stop is heard after the fifth step
    assert stored(room).adapter_path is None
    summary = train(room.workspace, request(room, share_beginnings=share), second)
    assert second.said("note")[0]["text"] == "going on from checkpoint-5"
    assert losses(first) + losses(second) == losses(whole)
    assert summary["loss"] == stored(room, "whole").summary["loss"]
    assert weights(room, "r") == weights(room, "whole")


def weights(room: Room, run: str) -> bytes:
    return (room.workspace.run_dir(run) / "adapter" / "adapter_model.safetensors").read_bytes()


def test_after_a_kill_the_last_whole_checkpoint_is_used(room: Room) -> None:
    whole = Listener()
    train(room.workspace, request(room, "whole"), whole)
    with pytest.raises(JobStopped):
        train(room.workspace, request(room), Listener(stop_after=4))
    newest = room.workspace.run_dir("r") / "checkpoint-5"
    (newest / "optimizer.pt").write_bytes(b"cut off")
    half = room.workspace.run_dir("r") / "checkpoint-7"
    shutil.copytree(newest, half)
    (half / "COMPLETE").unlink()
    second = Listener()
    train(room.workspace, request(room), second)
    said = [e["text"] for e in second.said("warning")]
    assert said == [
        "checkpoint-7 is not used: it was not finished",
        "checkpoint-5 is not used: optimizer.pt is missing or cut off",
    ]
    assert losses(second) == losses(whole)[3:]


def test_gradient_accumulation_is_the_large_batch(room: Room) -> None:
    plain = {"lora_dropout": 0.0, "epochs": 2}
    first, second = Listener(), Listener()
    train(room.workspace, request(room, "a", batch_size=8, gradient_accumulation=1, **plain), first)
    train(room.workspace, request(room, "b", batch_size=1, gradient_accumulation=8, **plain), second)
    assert losses(first) == pytest.approx(losses(second), rel=1e-4)
    assert [e["grad_norm"] for e in first.of("train")] == pytest.approx(
        [e["grad_norm"] for e in second.of("train")], rel=1e-3
    )


def test_a_checkpoint_can_be_asked_for(room: Room) -> None:
    class Asks(Listener):
        asked = 0

        def checkpoint_requested(self) -> bool:
            self.asked += 1
            return self.asked == 2

    progress = Asks()
    train(room.workspace, request(room, checkpoint_every=100), progress)
    assert [e["step"] for e in progress.said("checkpoint")] == [2, 8]


def test_the_model_learns_to_stop(room: Room) -> None:
    """Before training EOS is not the greedy choice after an answer, after a few steps it is (TRAPS 13)."""
    import torch

    train(
        room.workspace,
        request(room, epochs=30, gradient_accumulation=1, lora_dropout=0.0),
        Listener(),
    )
    run = stored(room)
    ref = resolve_model(room.model, room.workspace)
    template = load_template("short", room.workspace)
    adapter = Path(run.adapter_path or "")
    before = load_model(ref, room.workspace)
    after = load_model(ref, room.workspace, adapter=adapter)
    ddl, question, gold = "CREATE TABLE t (a INT);", "how many train", "SELECT COUNT(*) FROM t;"
    prompt = encode_prompt(before.tokenizer, template, ddl, question)
    ids = prompt + before.tokenizer.encode(gold, add_special_tokens=False)
    eos = before.tokenizer.eos_token_id
    with torch.inference_mode():
        choices = [
            m.model(input_ids=torch.tensor([ids])).logits[0, -1].argmax().item() for m in (before, after)
        ]
    assert choices[0] != eos
    assert choices[1] == eos
    ends = [
        batch[0].stopped
        for m in (before, after)
        for batch in generate_batches(m, [prompt], max_new_tokens=60, stop_at_statement=False)
    ]
    assert ends == ["length", "eos"]
    summary = generate(
        room.workspace,
        GenerateRequest(
            name="p",
            dataset="tiny",
            split="train",
            model=room.model,
            adapter="r",
            prompt="short",
            max_new_tokens=60,
        ),
        Listener(),
    )
    assert summary["total"] == 8


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"dataset": "none"}, NotFound, "none"),
        ({"split": "none"}, UsageError, "no split"),
        ({"model": "http://127.0.0.1:1/v1#m"}, UsageError, "endpoint"),
        ({"run": "a/b"}, UsageError, "name"),
        ({"recipe": RECIPE.changed({"quantization": "nf4"})}, UsageError, "NF4 needs a CUDA GPU"),
        ({"recipe": RECIPE.changed({"precision": "fp16"})}, UsageError, "fp16 needs a CUDA GPU"),
        ({"recipe": RECIPE.changed({"prompt": "none"})}, NotFound, "no prompt"),
    ],
)
def test_a_wrong_request_is_said_before_anything_is_made(
    room: Room, changes: dict[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        train(room.workspace, request(room).model_copy(update=changes), Listener())
    with room.workspace.store() as store:
        assert store.runs.all() == []


def test_a_run_is_of_one_request(room: Room) -> None:
    with pytest.raises(JobStopped):
        train(room.workspace, request(room), Listener(stop_after=2))
    with pytest.raises(UsageError, match="another recipe, model or dataset"):
        train(room.workspace, request(room, epochs=5), Listener())


def test_rows_that_do_not_fit_are_cut_or_left_out_and_said(room: Room) -> None:
    progress = Listener()
    train(room.workspace, request(room, block_size=64, epochs=1), progress)
    said = progress.said("warning")[0]["text"]
    assert "longer than 64 tokens" in said
    plan = estimate(room.workspace, request(room, block_size=64))
    assert 0 < plan.examples < 8
    assert plan.examples + plan.dropped_rows == 8
    assert plan.longest_row <= 64


def test_none_fits(room: Room, tmp_path: Path) -> None:
    source = tmp_path / "long.csv"
    source.write_text(
        "db_id,context,question,answer\nd,CREATE TABLE t (a INT);,q," + "SELECT 1 + " * 40 + "1\n"
    )
    add_dataset(room.workspace, str(source), name="long", dialect="sqlite")
    wrong = request(room, block_size=64).model_copy(update={"dataset": "long"})
    with pytest.raises((TrainingError, UsageError)) as caught:
        train(room.workspace, wrong, Listener())
    assert caught.value.next_step


def test_a_loss_that_is_no_number_ends_it(room: Room) -> None:
    progress = Listener()
    with pytest.raises(TrainingError, match="no number any more"):
        train(
            room.workspace,
            request(room, learning_rate=1.0, epochs=100, max_grad_norm=1000.0, lora_alpha=4096, lora_r=1),
            progress,
        )
