import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import ModelError, Unavailable
from harness.models.files import deciding_files, has_own_code, module_folders, weight_files
from harness.models.resolve import resolve
from harness.runtime.context import Context

TEXTS = ["kala bero", "a longer text of several words"]


@pytest.fixture(scope="module")
def layered(tiny_models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder as LaBSE is laid out: the transformer's weights in both forms, a dense layer's in the old one only."""
    import torch
    from safetensors.torch import load_file
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    folder = tmp_path_factory.mktemp("layered") / "model"
    torch.manual_seed(3)
    modules = [Transformer(str(tiny_models[0].parent / "bert")), Pooling(32, "mean"), Dense(32, 16), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder))
    dense = folder / "2_Dense"
    torch.save(load_file(dense / "model.safetensors"), dense / "pytorch_model.bin")
    (dense / "model.safetensors").unlink()
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    return folder


@pytest.fixture
def copy(layered: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(layered, tmp_path / "copy"))


def sha(folder: Path, context: Context) -> str:
    return resolve(str(folder), context).sha


def put(file: Path, content: str = "one") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")


def rewritten(file: Path) -> None:
    raw = bytearray(file.read_bytes() or b"x")
    raw[-1] ^= 1
    file.write_bytes(raw)


def test_every_file_that_the_library_reads_of_a_real_folder_changes_the_hash(copy: Path, context: Context) -> None:
    ignored = []
    for file in sorted(f for f in copy.rglob("*") if f.is_file()):
        before, whole = sha(copy, context), file.read_bytes()
        rewritten(file)
        if sha(copy, context) == before:
            ignored.append(file.relative_to(copy).as_posix())
        file.write_bytes(whole)
    assert ignored == ["README.md", "pytorch_model.bin"]


def test_weights_of_a_dense_layer_in_the_old_form_change_the_hash_and_are_counted(copy: Path, context: Context) -> None:
    import torch

    before = resolve(str(copy), context)
    dense = copy / "2_Dense" / "pytorch_model.bin"
    torch.save({name: value * -1 for name, value in torch.load(dense, weights_only=True).items()}, dense)
    after = resolve(str(copy), context)
    assert after.sha != before.sha
    assert after.weights == [copy / "2_Dense" / "pytorch_model.bin", copy / "model.safetensors"]
    assert after.model_bytes == sum(f.stat().st_size for f in after.weights)
    assert after.parameters == 0  # of a file of the old form they are not counted


def test_what_is_left_out_moves_no_vector(copy: Path) -> None:
    from sentence_transformers import SentenceTransformer

    before = SentenceTransformer(str(copy), device="cpu").encode(TEXTS)
    used = set(deciding_files(copy))
    for file in [f for f in copy.rglob("*") if f.is_file() and f not in used]:
        file.write_bytes(b"damaged")
    for name in (
        "onnx/model.onnx",
        "openvino/openvino_model.bin",
        "tf_model.h5",
        "openvino_model.xml",
        "training_args.bin",
    ):
        put(copy / name, "damaged")
    assert set(deciding_files(copy)) == used
    assert np.array_equal(SentenceTransformer(str(copy), device="cpu").encode(TEXTS), before)


@pytest.mark.parametrize(
    "name",
    [
        "chat_template.jinja",
        "additional_chat_templates/query.jinja",
        "sentencepiece.bpe.model",
        "spiece.model",
        "merges.txt",
        "bpe.codes",
        "cl100k.tiktoken",
        "added_tokens.json",
        "preprocessor_config.json",
        "adapter_model.bin",
        "adapter_model.safetensors",
        "modeling_own.py",
        "artifact.metadata",
        "2_Dense/extra.bin",
        "3_New/model.safetensors",
        "query_0_Transformer/config.json",
        "a_form_of_the_future.xyz",
    ],
)
def test_a_new_and_a_changed_file_of_any_other_kind_changes_the_hash(name: str, copy: Path, context: Context) -> None:
    before = sha(copy, context)
    put(copy / name)
    with_it = sha(copy, context)
    put(copy / name, "two")
    assert len({before, with_it, sha(copy, context)}) == 3


@pytest.mark.parametrize(
    "name",
    [
        *(
            "README.md",
            "docs/notes.md",
            "picture.PNG",
            "eval/similarity_evaluation_results.csv",
            "LICENSE",
            ".gitattributes",
        ),
        *(
            ".git/HEAD",
            ".cache/huggingface/download/config.json.metadata",
            "runs/one/events.out.tfevents.1",
            "optimizer.pt",
        ),
        *(
            "rng_state_0.pth",
            "trainer_state.json",
            "training_args.bin",
            "data_config.json",
            "flax_model.msgpack",
            "rust_model.ot",
        ),
        *(
            "onnx/model.onnx",
            "onnx/config.json",
            "openvino/openvino_model.bin",
            "openvino_model.xml",
            "model.onnx",
            "m.gguf",
        ),
        *("pytorch_model-00001-of-00002.bin", "pytorch_model.bin.bak.bin", "taught.json.gz"),
    ],
)
def test_documents_logs_and_forms_that_are_not_loaded_leave_the_hash(name: str, copy: Path, context: Context) -> None:
    before = sha(copy, context)
    put(copy / name)
    assert sha(copy, context) == before


def test_old_weights_count_where_nothing_newer_is_loaded_from_the_same_folder(copy: Path, context: Context) -> None:
    (copy / "model.safetensors").unlink()
    before = sha(copy, context)
    rewritten(copy / "pytorch_model.bin")
    assert sha(copy, context) != before


def test_weights_that_a_configuration_names_itself_count(copy: Path, context: Context) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "transformers_weights": "pytorch_model.bin"}))
    before = sha(copy, context)
    rewritten(copy / "pytorch_model.bin")
    assert sha(copy, context) != before


def test_shards_in_sub_folders_and_their_index_count_and_the_old_form_next_to_them_does_not(
    copy: Path, context: Context
) -> None:
    (copy / "model.safetensors").rename(copy / "whole.safetensors")
    put(copy / "shards" / "model-00001-of-00001.safetensors")
    put(copy / "model.safetensors.index.json", '{"weight_map": {"a": "shards/model-00001-of-00001.safetensors"}}')
    before = sha(copy, context)
    rewritten(copy / "pytorch_model.bin")
    assert sha(copy, context) == before
    put(copy / "shards" / "model-00001-of-00001.safetensors", "two")
    changed = sha(copy, context)
    put(copy / "model.safetensors.index.json", "{}")
    assert len({before, changed, sha(copy, context)}) == 3


def test_a_module_in_a_folder_with_the_name_of_another_run_time_counts(copy: Path, context: Context) -> None:
    modules = json.loads((copy / "modules.json").read_text())
    modules[2]["path"] = "onnx/2_Dense"
    (copy / "modules.json").write_text(json.dumps(modules))
    shutil.move(copy / "2_Dense", copy / "onnx" / "2_Dense")
    before = sha(copy, context)
    rewritten(copy / "onnx" / "2_Dense" / "pytorch_model.bin")
    assert sha(copy, context) != before


def test_files_and_folders_behind_links_count_as_in_a_hub_cache(copy: Path, tmp_path: Path, context: Context) -> None:
    before = sha(copy, context)
    (tmp_path / "blobs").mkdir()
    for name in ("model.safetensors", "config.json"):
        (copy / name).rename(tmp_path / "blobs" / name)
        (copy / name).symlink_to(tmp_path / "blobs" / name)
    (copy / "2_Dense").rename(tmp_path / "blobs" / "dense")
    (copy / "2_Dense").symlink_to(tmp_path / "blobs" / "dense")
    (copy / "above").symlink_to(copy)  # a circle ends
    assert sha(copy, context) == before
    rewritten(tmp_path / "blobs" / "dense" / "pytorch_model.bin")
    changed = sha(copy, context)
    rewritten(tmp_path / "blobs" / "model.safetensors")
    assert len({before, changed, sha(copy, context)}) == 3


def test_modules_behind_a_router_are_found(tmp_path: Path) -> None:
    put(
        tmp_path / "modules.json",
        json.dumps([{"path": "0_Router", "type": "sentence_transformers.base.modules.Router"}]),
    )
    types = {"query_0_T": "sentence_transformers.base.modules.Transformer", "document_0_T": "other.Class"}
    put(tmp_path / "0_Router" / "router_config.json", json.dumps({"types": types, "structure": {}}))
    assert set(module_folders(tmp_path)) == {"0_Router", "0_Router/query_0_T", "0_Router/document_0_T"}
    assert has_own_code(tmp_path)


def test_of_a_folder_with_code_of_its_own_every_file_counts_but_documents(copy: Path, context: Context) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "modeling_own.Model"}}))
    before = sha(copy, context)
    put(copy / "onnx" / "model.onnx")
    put(copy / "README.md", "changed")
    after = sha(copy, context)
    put(copy / "README.md", "again")
    assert before != after == sha(copy, context)


def test_the_model_that_an_adapter_is_for_counts(layered: Path, copy: Path, tmp_path: Path, context: Context) -> None:
    base = Path(shutil.copytree(layered, tmp_path / "base"))
    put(copy / "adapter_config.json", json.dumps({"base_model_name_or_path": str(base)}))
    before = sha(copy, context)
    rewritten(base / "model.safetensors")
    assert sha(copy, context) != before


def test_an_adapter_whose_model_is_not_here_is_unavailable_and_one_for_itself_is_refused(
    copy: Path, context: Context
) -> None:
    put(copy / "adapter_config.json", json.dumps({"base_model_name_or_path": "someone/absent"}))
    with pytest.raises(Unavailable, match="someone/absent"):
        sha(copy, context)
    put(copy / "adapter_config.json", json.dumps({"base_model_name_or_path": str(copy)}))
    with pytest.raises(ModelError, match="move it elsewhere"):
        sha(copy, context)


@pytest.mark.parametrize("setting", ["tokenizer_name_or_path", "processor_name"])
def test_a_tokenizer_in_another_folder_counts(setting: str, copy: Path, tmp_path: Path, context: Context) -> None:
    other = tmp_path / "tokenizer"
    other.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(copy / name, other / name)
    file = copy / "sentence_bert_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), setting: str(other)}))
    before = sha(copy, context)
    rewritten(other / "tokenizer.json")
    assert sha(copy, context) != before
    shutil.rmtree(other)
    with pytest.raises(ModelError, match=f"as its {setting}, but there is no such folder. Create it"):
        sha(copy, context)


def test_a_file_elsewhere_that_a_loader_is_told_to_read_counts(copy: Path, tmp_path: Path, context: Context) -> None:
    put(tmp_path / "other" / "vocab.txt")
    put(
        copy / "sentence_bert_config.json",
        json.dumps({"tokenizer_args": {"vocab_file": str(tmp_path / "other" / "vocab.txt")}}),
    )
    before = sha(copy, context)
    put(tmp_path / "other" / "vocab.txt", "two")
    assert sha(copy, context) != before


@pytest.mark.parametrize(
    ("part", "told", "file"),
    [
        ("model_args", {"use_safetensors": False}, "pytorch_model.bin"),
        ("model_kwargs", {"use_safetensors": False}, "pytorch_model.bin"),
        ("model_args", {"variant": "fp16"}, "pytorch_model.fp16.bin"),
        ("model_kwargs", {"gguf_file": "model.gguf"}, "model.gguf"),
        ("config_args", {"transformers_weights": "pytorch_model.bin"}, "pytorch_model.bin"),
    ],
)
def test_weights_that_a_module_tells_its_loader_to_take_count(
    part: str, told: dict[str, object], file: str, copy: Path, context: Context
) -> None:
    put(copy / "sentence_bert_config.json", json.dumps({part: told}))
    (copy / file).touch()
    before = sha(copy, context)
    rewritten(copy / file)
    assert sha(copy, context) != before


def test_settings_that_choose_no_file_leave_the_weights_that_are_loaded(copy: Path, context: Context) -> None:
    put(
        copy / "sentence_bert_config.json",
        json.dumps({"model_args": {"dtype": "float32"}, "tokenizer_args": {"use_fast": True}}),
    )
    before = sha(copy, context)
    rewritten(copy / "pytorch_model.bin")
    assert sha(copy, context) == before


def test_code_of_another_repository_counts(
    copy: Path, tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = tmp_path / "hub" / "models--someone--code" / "snapshots" / ("0" * 40)
    put(snapshot / "modeling_own.py", "one = 1")
    put(snapshot.parent.parent / "refs" / "main", "0" * 40)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    config = json.loads((copy / "config.json").read_text())
    own = {**config, "auto_map": {"AutoModel": "someone/code--modeling_own.Model"}}
    (copy / "config.json").write_text(json.dumps(own))
    before = sha(copy, context)
    put(snapshot / "modeling_own.py", "one = 2")
    assert sha(copy, context) != before


def test_weight_files_are_those_that_are_loaded(copy: Path) -> None:
    assert [f.name for f in weight_files(copy)] == ["pytorch_model.bin", "model.safetensors"]


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", "null", '{"a": 1}', "[" * 100_000])
def test_configurations_that_cannot_be_read_still_have_a_hash(content: str, copy: Path, context: Context) -> None:
    put(copy / "modules.json", content)
    put(copy / "2_Dense" / "config.json", content)
    put(copy / "adapter_config.json", content)
    assert len(sha(copy, context)) == 32
