import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import ModelError
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.late import Late
from harness.methods.sparse import Sparse
from harness.models.cross_encoder import PairScorer
from harness.models.encoder import Encoder
from harness.models.late import LateEncoder
from harness.models.ragged import open_ragged
from harness.models.sparse import SparseEncoder
from harness.models.trusted import check_classes
from harness.runtime.context import Context


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Path], Path]:
    return lambda folder: Path(shutil.copytree(folder, tmp_path / f"copy-{folder.name}"))


def configure(file: Path, **values: object) -> None:
    held = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**held, **values}))


def scorer(folder: Path, context: Context, **changed: Any) -> PairScorer:
    return PairScorer(CrossEncoder(model=str(folder), **changed)._pair_settings(), context)


def encoder(folder: Path, context: Context, **changed: Any) -> Encoder:
    return Encoder(Dense(model=str(folder), **changed)._encoder_settings(), context)


NOT_ACTIVATIONS = [
    "torch.hub.load",
    "torch.distributed.init_process_group",
    "torch.multiprocessing.spawn",
    "torch.nn.functional.relu",
    "torch.nn.modules.module.Module",
    "torch.nn.Linear",
    "torch.nn.modules.linear.Linear",
    "torch.nn.modules.activation.torch",
    "torch.nn.modules.linear.Identity.forward",
    "torch.os.abort",
    "os.abort",
    "own.Activation",
]


@pytest.mark.parametrize("path", NOT_ACTIVATIONS)
@pytest.mark.parametrize("place", ["old", "new", "saved"])
def test_a_cross_encoder_that_names_another_callable_as_its_activation_is_refused_and_nothing_is_called(
    path: str, place: str, copied: Callable, tiny_cross_encoder: Path, context: Context
) -> None:
    folder = copied(tiny_cross_encoder)
    if place == "old":
        configure(folder / "config.json", sbert_ce_default_activation_function=path)
    elif place == "new":
        configure(folder / "config.json", sentence_transformers={"activation_fn": path})
    else:
        configure(folder / "config_sentence_transformers.json", activation_fn=path, model_type="CrossEncoder")
    with pytest.raises(ModelError, match="set trust_remote_code=True") as caught:
        scorer(folder, context).scores([("kala", "bero")])
    assert path in str(caught.value)
    assert "json" in str(caught.value)


@pytest.mark.parametrize(
    "path",
    ["torch.nn.modules.activation.Sigmoid", "torch.nn.modules.linear.Identity", "torch.nn.Identity", "torch.nn.Tanh"],
)
def test_torchs_activations_are_allowed(
    path: str, copied: Callable, tiny_cross_encoder: Path, context: Context
) -> None:
    folder = copied(tiny_cross_encoder)
    configure(folder / "config.json", sentence_transformers={"activation_fn": path})
    usual = scorer(tiny_cross_encoder, context).scores([("kala", "bero")])
    assert scorer(folder, context).scores([("kala", "bero")]) == pytest.approx(
        usual, abs=1e-6
    )  # logits, whatever it is


def test_a_dense_layer_with_another_activation_is_refused(
    copied: Callable, tiny_encoder: Path, context: Context
) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense as Layer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    folder = copied(tiny_encoder)
    modules = [Transformer(str(tiny_encoder)), Pooling(32), Layer(32, 4)]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder / "layered"))
    layered = folder / "layered"
    assert encoder(layered, context).encode(["kala"], "query").shape == (1, 4)
    configure(layered / "2_Dense" / "config.json", activation_function="own.Activation")
    # Its library would take Tanh in its place and say so in a log.
    with pytest.raises(ModelError, match=r"own\.Activation.*2_Dense/config\.json"):
        encoder(layered, context).encode(["kala"], "query")


@pytest.mark.parametrize(
    "kind",
    [
        "os.system",
        "own_module.Own",
        "sentence_transformers.base.model.torch",
        "sentence_transformers.util.misc.import_from_string",
        "sentence_transformers.SentenceTransformerTrainingArguments",
        "sentence_transformers.does.not.Exist",
        "sentence_transformers.base.model.nn.Linear",
    ],
)
def test_a_module_that_is_none_of_sentence_transformers_is_refused(
    kind: str, copied: Callable, tiny_encoder: Path, tiny_sparse: Path, tiny_late: Path, context: Context
) -> None:
    def encoded(folder: Path, source: Path) -> object:
        if source == tiny_encoder:
            return encoder(folder, context).encode(["kala"], "query")
        if source == tiny_sparse:
            return open_ragged(SparseEncoder, Sparse(model=str(folder))._settings(), context).encode(["kala"], "query")
        return open_ragged(LateEncoder, Late(model=str(folder))._settings(), context).encode(["kala"], "query")

    for source in (tiny_encoder, tiny_sparse, tiny_late):
        folder = copied(source)
        modules = json.loads((folder / "modules.json").read_text())
        modules[-1]["type"] = kind
        (folder / "modules.json").write_text(json.dumps(modules))
        with pytest.raises(ModelError, match="set trust_remote_code=True") as caught:
            encoded(folder, source)
        assert kind in str(caught.value)


def test_modules_behind_a_router_and_tokenizers_of_word_tables_are_looked_at(
    copied: Callable, routed: dict[str, Path], tmp_path: Path
) -> None:
    folder = copied(routed["both"])
    check_classes("a name", folder, trusted=False)
    file = folder / "router_config.json"
    told = json.loads(file.read_text())
    first = next(iter(told["types"]))
    told["types"][first] = "sentence_transformers.base.model.torch"
    file.write_text(json.dumps(told))
    with pytest.raises(ModelError, match=r"sentence_transformers\.base\.model\.torch"):
        check_classes("a name", folder, trusted=False)
    check_classes("a name", folder, trusted=True)
    words = tmp_path / "words"
    (words / "0_WordEmbeddings").mkdir(parents=True)
    kind = "sentence_transformers.sentence_transformer.modules.WordEmbeddings"
    (words / "modules.json").write_text(json.dumps([{"path": "0_WordEmbeddings", "type": kind}]))
    (words / "0_WordEmbeddings" / "wordembedding_config.json").write_text(json.dumps({"tokenizer_class": "torch.hub"}))
    with pytest.raises(ModelError, match=r"tokenizer torch\.hub"):
        check_classes("a name", words, trusted=False)


def test_old_paths_of_the_librarys_modules_and_those_it_reads_as_its_own_are_allowed(
    copied: Callable, tiny_encoder: Path
) -> None:
    folder = copied(tiny_encoder)
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["type"] = "sentence_transformers.models.Transformer"
    modules[1]["type"] = "sentence_transformers.models.Pooling"
    (folder / "modules.json").write_text(json.dumps([*modules, {"path": "2", "type": "pylate.models.Dense.Dense"}]))
    check_classes("a name", folder, trusted=False)


class Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("place", ["pytorch_model.bin", "2_Dense/pytorch_model.bin"])
@pytest.mark.parametrize("form", ["zip", "pickle"])
def test_weights_that_hold_code_run_none_and_are_refused_in_words(
    place: str, form: str, copied: Callable, tiny_encoder: Path, tmp_path: Path, context: Context
) -> None:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense as Layer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    folder, mark = tmp_path / "layered", tmp_path / "run"
    modules = [Transformer(str(tiny_encoder)), Pooling(32), Layer(32, 4)]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder))
    (folder / place).with_name("model.safetensors").unlink()
    if form == "zip":
        torch.save({"weight": Bomb(mark)}, folder / place)
    else:
        (folder / place).write_bytes(pickle.dumps({"weight": Bomb(mark)}))
    with pytest.raises(ModelError, match="cannot be loaded from") as caught:
        encoder(folder, context).encode(["kala"], "query")
    assert str(folder) in str(caught.value)
    assert not mark.exists()


def test_code_of_the_folder_runs_only_when_it_is_trusted(
    copied: Callable, tiny_encoder: Path, tmp_path: Path, context: Context
) -> None:
    folder, mark = copied(tiny_encoder), tmp_path / "run"
    (folder / "own_pooling.py").write_text(
        f"from pathlib import Path\nfrom sentence_transformers.sentence_transformer.modules import Pooling\n"
        f"Path({str(mark)!r}).touch()\n\nclass Own(Pooling):\n    pass\n"
    )
    modules = json.loads((folder / "modules.json").read_text())
    modules[1]["type"] = "own_pooling.Own"
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ModelError, match=r"own_pooling\.Own"):
        encoder(folder, context).encode(["kala"], "query")
    assert not mark.exists()
    assert encoder(folder, context, trust_remote_code=True).encode(["kala"], "query").shape == (1, 32)
    assert mark.exists()
