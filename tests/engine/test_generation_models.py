"""Which model a word means, and what is said when it means none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from t2s_tui.errors import ModelError
from t2s_tui.generation.models import BUNDLED, ModelKind, list_models, resolve_model
from t2s_tui.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


@pytest.mark.parametrize(
    ("spec", "kind", "short"),
    [
        ("smollm2", ModelKind.BUNDLED, "smollm2"),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", ModelKind.HUB, "SmolLM2-135M-Instruct"),
        ("gpt2", ModelKind.HUB, "gpt2"),
        ("http://127.0.0.1:8000/v1#qwen", ModelKind.ENDPOINT, "qwen"),
        ("https://host/v1/#org/some model", ModelKind.ENDPOINT, "some-model"),
    ],
)
def test_a_word_is_a_model(workspace: Workspace, spec: str, kind: ModelKind, short: str) -> None:
    ref = resolve_model(spec, workspace)
    assert (ref.kind, ref.spec, ref.short_name) == (kind, spec, short)


def test_an_endpoint_has_its_address_and_its_model(workspace: Workspace) -> None:
    ref = resolve_model("http://127.0.0.1:8000/v1/#org/qwen", workspace)
    assert (ref.base_url, ref.model) == ("http://127.0.0.1:8000/v1", "org/qwen")


def test_paths(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "나의 모델"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    weights = tmp_path / "w.gguf"
    weights.write_bytes(b"GGUF")
    only_gguf = tmp_path / "only"
    only_gguf.mkdir()
    (only_gguf / "x.gguf").write_bytes(b"GGUF")
    assert resolve_model(str(folder), workspace).kind is ModelKind.FOLDER
    assert resolve_model(str(weights), workspace).path == weights
    assert resolve_model(str(only_gguf), workspace).path == only_gguf / "x.gguf"
    monkeypatch.chdir(tmp_path)
    assert resolve_model("w.gguf", workspace).path == weights
    assert resolve_model("./나의 모델", workspace).path == folder


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("/nowhere/at/all", "There is no model at /nowhere/at/all"),
        ("missing.gguf", "There is no model at "),
        ("http://127.0.0.1:8000/v1", "does not say which model answers"),
        ("two words", "names no model"),
        ("", "names no model"),
        ("a/b/c", "names no model"),
    ],
)
def test_what_is_no_model_is_one_sentence(workspace: Workspace, spec: str, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        resolve_model(spec, workspace)
    assert said in str(caught.value)
    assert caught.value.next_step


def test_a_folder_without_a_model(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not a model"):
        resolve_model(str(tmp_path), workspace)


def test_what_is_there(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    for name, architecture in (("org--chat", "LlamaForCausalLM"), ("org--bert", "BertModel")):
        snapshot = tmp_path / "hub" / f"models--{name}" / "snapshots" / "0"
        snapshot.mkdir(parents=True)
        (snapshot / "config.json").write_text(json.dumps({"architectures": [architecture]}))
    for name, complete in (("mine", True), ("half", False)):
        folder = workspace.models_dir / name
        folder.mkdir()
        if complete:
            (folder / "COMPLETE").write_text("{}")
    assert [ref.spec for ref in list_models(workspace)] == [BUNDLED, "mine", "org/chat"]
    assert resolve_model("mine", workspace).path == workspace.models_dir / "mine"
    assert resolve_model("half", workspace).kind is ModelKind.HUB
