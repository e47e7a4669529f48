"""An adapter goes to a Hub (on loopback) with a card, under its base's Hub id, and without a path of here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from t2s_tui.records import TrainingRun
from t2s_tui.workspace import Workspace
from tests.fixtures.hub_server import Hub

TOKEN = "hf_not_a_real_one"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with the finished adapter of one run."""
    made = Workspace.open(tmp_path / "ws")
    adapter = made.root / "runs" / "tuned" / "adapter"
    adapter.mkdir(parents=True)
    config = {"base_model_name_or_path": str(made.models_dir / "smollm2"), "r": 16}
    (adapter / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    (adapter / "adapter_model.safetensors").write_bytes(bytes(range(256)))
    (adapter / "README.md").write_text("[More Information Needed]", encoding="utf-8")
    run = TrainingRun(
        "tuned", "sample", "train", "smollm2", {"epochs": 2.0, "lora_r": 16}, "0001", str(adapter), {}, 0.0
    )
    with made.store() as store:
        store.runs.put(run)
    return made


def push(
    workspace: Workspace, hub: Hub | None, *more: str, token: str = TOKEN
) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
    environment |= {
        "HF_ENDPOINT": hub.url if hub else "http://127.0.0.1:9",
        "HF_HOME": str(workspace.root / "hf"),
    }
    environment |= {"HF_TOKEN": token} if token else {}
    command = [sys.executable, "-m", "t2s_tui", "models", "push", "tuned", "--to", "me/sql", *more]
    command += ["--workspace", str(workspace.root), "--json"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_an_adapter_arrives_with_its_card_and_without_local_paths(workspace: Workspace) -> None:
    with Hub() as hub:
        done = push(workspace, hub)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["repo"] == "me/sql"
    assert hub.private is True
    assert hub.tokens == {f"Bearer {TOKEN}"}
    assert set(hub.files) == {"README.md", "adapter_config.json", "adapter_model.safetensors"}
    assert hub.files["adapter_model.safetensors"] == bytes(range(256))
    card = hub.files["README.md"].decode()
    assert "base_model: HuggingFaceTB/SmolLM2-135M-Instruct" in card
    assert '"lora_r": 16' in card
    assert str(workspace.root) not in "".join(
        hub.files[n].decode() for n in ("README.md", "adapter_config.json")
    )
    assert not [p for p in workspace.root.rglob("*") if p.is_file() and TOKEN.encode() in p.read_bytes()]


def test_a_refusal_and_a_dead_hub_are_one_sentence_each(workspace: Workspace) -> None:
    with Hub(refuse=403) as hub:
        refused = push(workspace, hub)
    assert refused.returncode == 1
    assert "HTTP 403" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert TOKEN not in refused.stderr
    dead = push(workspace, None)
    assert dead.returncode == 1
    assert "cannot be reached" in dead.stderr
    assert "Traceback" not in dead.stderr


def test_without_a_token_nothing_is_sent(workspace: Workspace) -> None:
    with Hub() as hub:
        done = push(workspace, hub, token="")
    assert done.returncode == 2
    assert "HF_TOKEN" in done.stderr
    assert not hub.tokens


def test_a_base_that_is_a_folder_needs_its_hub_id(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "config.json").write_text("{}", encoding="utf-8")
    with workspace.store() as store:
        store.runs.put(replace(store.runs.get("tuned"), model=str(tmp_path / "base")))
    with Hub() as hub:
        refused = push(workspace, hub)
        named = push(workspace, hub, "--base", "owner/base", "--public")
    assert refused.returncode == 2
    assert "--base" in refused.stderr
    assert named.returncode == 0, named.stderr
    assert hub.private is False
    assert json.loads(hub.files["adapter_config.json"])["base_model_name_or_path"] == "owner/base"
