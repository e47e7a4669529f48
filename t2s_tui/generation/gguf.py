"""A GGUF file as a normal local model, converted once into the workspace.

A model that transformers loads from GGUF stays flagged as quantised: it neither saves nor trains
(TRAPS 23). So its weights are dequantised, the quantisation config is dropped, the model is rebuilt and the
state dict loaded into it, and that is saved as float32 safetensors with the tokenizer.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from t2s_tui.errors import ModelError
from t2s_tui.generation.models import BUNDLED, COMPLETE, ModelKind, ModelRef
from t2s_tui.workspace import Workspace

#: struct formats of the scalar types of GGUF metadata (docs/gguf.md of ggml); 8 is a string, 9 an array.
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


def converted(ref: ModelRef, workspace: Workspace) -> Path:
    """The folder of the converted model, made now if it is not there yet.

    Two processes that want it at once make it once: the second waits. Raises ModelError when the file
    cannot be read or the result cannot be written.
    """
    assert ref.path is not None
    target = workspace.models_dir / _name(ref)
    if (target / COMPLETE).exists():
        return target
    with _locked(workspace.models_dir / f".{target.name}.lock"):
        if not (target / COMPLETE).exists():
            _convert_atomically(ref.path, target)
    return target


def _name(ref: ModelRef) -> str:
    """`smollm2`, or the file's name and a hash of what tells this version of it from another."""
    assert ref.path is not None
    if ref.kind is ModelKind.BUNDLED:
        return BUNDLED
    try:
        seen = ref.path.stat()
    except OSError as error:
        raise ModelError(f"{ref.path} cannot be read ({error.strerror})", "check the path") from error
    key = f"{ref.path.resolve()}\0{seen.st_size}\0{seen.st_mtime_ns}"
    return f"{ref.short_name}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the file; the kernel frees it when the process dies."""
    try:
        with path.open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise ModelError(
            f"The model could not be written to {path.parent} ({error.strerror or error})",
            "free some space or check the permissions, then try again",
        ) from error


def _convert_atomically(source: Path, target: Path) -> None:
    scratch = target.with_name(f".{target.name}.making")
    for leftover in (scratch, target):  # of a process that died on the way
        if leftover.exists():
            shutil.rmtree(leftover)
    scratch.mkdir(parents=True)
    try:
        convert(source, scratch)
        marker = {"source": source.name, "bytes": source.stat().st_size}
        (scratch / COMPLETE).write_text(json.dumps(marker) + "\n", encoding="utf-8")
        for path in scratch.iterdir():
            path.chmod(0o644)
        _sync(scratch)
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def convert(source: Path, folder: Path) -> None:
    """Write the GGUF file `source` as a transformers model with its tokenizer into the empty `folder`.

    Raises ModelError when the file is not one that transformers can read.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    try:
        loaded = AutoModelForCausalLM.from_pretrained(
            source.parent, gguf_file=source.name, dtype=torch.float32, **_unpacked()
        )
        config = loaded.config
        if hasattr(config, "quantization_config"):
            del config.quantization_config
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        model.load_state_dict(loaded.state_dict())
        model.generation_config = loaded.generation_config
        tokenizer = _tokenizer(source)
    except (ValueError, KeyError, TypeError, struct.error, ImportError, RuntimeError) as error:
        raise ModelError(
            f"{source} cannot be read as a GGUF model ({_first_line(error)})",
            "download the file again, or use the model's safetensors form",
        ) from error
    del loaded
    try:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    except SafetensorError as error:  # its own word for a full disk
        raise OSError(_first_line(error)) from error


def _unpacked() -> dict[str, Any]:
    """From transformers 5.2x on weights may stay packed in GGUF blocks: ask for plain ones."""
    try:
        from transformers import GgufConfig
    except ImportError:
        return {}
    return {"quantization_config": GgufConfig(dequantize=True)}


def _tokenizer(source: Path) -> Any:
    """The tokenizer of the file, with the digit splitting that transformers forgets.

    llama.cpp's pre-tokenizer `smollm` cuts every digit off by itself before the GPT-2 pattern
    (llama-vocab.cpp; the Hub's tokenizer.json of SmolLM2 has the same). transformers' conversion keeps the
    GPT-2 pattern alone, which cuts runs of spaces before a digit differently than in the model's training.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    if metadata_text(source, "tokenizer.ggml.pre") == "smollm":
        from tokenizers import pre_tokenizers

        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
    return tokenizer


def metadata_text(source: Path, key: str) -> str | None:
    """One text of a GGUF file's metadata, None when it has none of that key. Raises ValueError if no GGUF."""
    with source.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ValueError("it does not begin with GGUF")
        _, _, count = struct.unpack("<IQQ", file.read(20))
        for _ in range(count):
            name = _text(file)
            (kind,) = struct.unpack("<I", file.read(4))
            value = _value(file, kind)
            if name == key:
                return value if isinstance(value, str) else None
    return None


def _value(file: IO[bytes], kind: int) -> Any:
    if kind == _STRING:
        return _text(file)
    if kind == _ARRAY:
        item, length = struct.unpack("<IQ", file.read(12))
        if item in _SCALARS:
            file.seek(struct.calcsize("<" + _SCALARS[item]) * length, os.SEEK_CUR)
        else:
            for _ in range(length):
                _value(file, item)
        return None
    if kind not in _SCALARS:
        raise ValueError(f"metadata of unknown type {kind}")
    form = "<" + _SCALARS[kind]
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _text(file: IO[bytes]) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    return file.read(length).decode("utf-8", "replace")


def _sync(folder: Path) -> None:
    for path in (*folder.iterdir(), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
