"""What follows from what the machine can do. The GPU itself is not needed: only its description."""

from __future__ import annotations

import pytest

from t2s_tui.errors import UsageError
from t2s_tui.generation.device import Capability, capability, compute_precision, nf4_config, wants_nf4

CPU, AMX = Capability(), Capability(amx=True)
TURING, AMPERE = Capability(cuda=7), Capability(cuda=8)


def test_nf4_is_the_default_on_cuda_only() -> None:
    assert [wants_nf4("auto", able) for able in (CPU, AMX, TURING, AMPERE)] == [False, False, True, True]
    assert not wants_nf4("none", AMPERE)
    assert wants_nf4("nf4", TURING)


def test_nf4_without_cuda_is_one_sentence_and_a_wrong_call() -> None:
    with pytest.raises(UsageError) as caught:
        wants_nf4("nf4", CPU)
    assert caught.value.exit_code == 2
    assert str(caught.value).count(".") == 1
    assert "CUDA" in str(caught.value)


def test_the_quantisation_is_that_of_the_issue() -> None:
    import torch

    for able, dtype in ((AMPERE, torch.bfloat16), (TURING, torch.float16)):
        config = nf4_config(able)
        assert config.load_in_4bit
        assert config.bnb_4bit_quant_type == "nf4"
        assert config.bnb_4bit_use_double_quant
        assert config.bnb_4bit_compute_dtype is dtype


def test_the_precision_is_what_the_hardware_multiplies() -> None:
    found = [compute_precision("auto", able) for able in (CPU, AMX, TURING, AMPERE)]
    assert found == ["fp32", "bf16", "fp16", "bf16"]
    assert compute_precision("fp32", AMPERE) == "fp32"
    for asked, able in (("fp16", CPU), ("bf16", TURING)):
        with pytest.raises(UsageError):
            compute_precision(asked, able)  # type: ignore[arg-type]


def test_a_gpu_can_be_hidden_and_not_be_wished_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setenv("T2S_TUI_DEVICE", "cpu")
    assert capability().device == "cpu"
    if not torch.cuda.is_available():
        monkeypatch.setenv("T2S_TUI_DEVICE", "cuda")
        with pytest.raises(UsageError, match="no CUDA GPU"):
            capability()
