import shutil
from pathlib import Path

import pytest

from harness.base.errors import ModelError, SettingError
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.models.cross_encoder import PairScorer
from harness.models.encoder import Encoder
from harness.models.loading import dtype_of, loader_options, memory_advice, opening
from harness.models.resolve import resolve
from harness.runtime.context import Context


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", b""),
        ("model.safetensors", b"no weights"),
        ("model.safetensors", None),
        ("tokenizer.json", b"{"),
        ("config.json", b'{"model_type": "of the future"}'),
        ("config.json", b"[]"),
        ("modules.json", b"{"),
        ("modules.json", b'[{"idx": 0}]'),
        ("1_Pooling/config.json", b"{}"),
    ],
)
def test_a_damaged_folder_is_a_model_error_that_names_it(
    name: str, content: bytes | None, tiny_encoder: Path, tmp_path: Path, context: Context
) -> None:
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "copy"))
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match="cannot be loaded from") as caught:
        Encoder(Dense(model=str(folder))._encoder_settings(), context).encode(["kala"], "query")
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_cross_encoder_is_a_model_error(tiny_cross_encoder: Path, tmp_path: Path, context: Context) -> None:
    folder = Path(shutil.copytree(tiny_cross_encoder, tmp_path / "copy"))
    (folder / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="cannot be loaded from"):
        PairScorer(CrossEncoder(model=str(folder))._pair_settings(), context).scores([("kala", "bero")])


def test_our_own_errors_and_a_lack_of_memory_pass_through_or_are_told_as_such(
    tiny_encoder: Path, context: Context
) -> None:
    folder = resolve(str(tiny_encoder), context)
    with pytest.raises(SettingError, match="ours"), opening(folder, trusted=False):
        raise SettingError("ours")
    with pytest.raises(MemoryError), opening(folder, trusted=False):
        raise MemoryError
    with pytest.raises(ModelError, match="ran out of memory"), opening(folder, trusted=False):
        raise RuntimeError("CUDA out of memory. Tried to allocate")
    with pytest.raises(ModelError, match=r"\(KeyError: 'a'\)"), opening(folder, trusted=False):
        raise KeyError("a")
    with pytest.raises(ModelError, match=r"\(OSError: \)"), opening(folder, trusted=False):
        raise OSError


def test_models_are_opened_from_the_folder_alone() -> None:
    import torch

    options = loader_options("cpu", "bf16", trusted=False)
    assert (options["local_files_only"], options["trust_remote_code"]) == (True, False)
    assert options["model_kwargs"] == {"dtype": torch.bfloat16}
    assert [dtype_of(p) for p in ("fp32", "fp16")] == [torch.float32, torch.float16]


@pytest.mark.parametrize(
    "told", ["CUDA out of memory. Tried to allocate 2 GiB", "DefaultCPUAllocator: not enough memory"]
)
def test_running_out_of_memory_is_a_model_error_that_says_what_to_lower(told: str) -> None:
    with (
        pytest.raises(ModelError, match="some/model ran out of memory: lower --batch-tokens"),
        memory_advice("some/model"),
    ):
        raise RuntimeError(told)


def test_any_other_error_of_a_model_passes_through() -> None:
    with pytest.raises(RuntimeError, match="shapes do not match"), memory_advice("some/model"):
        raise RuntimeError("shapes do not match")
