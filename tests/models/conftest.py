"""Small random models of the kinds that read a text in more than one way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def another(bert: Path, folder: Path, seed: int, **changed: Any) -> Path:
    """A BERT with other random weights, and its tokenizer."""
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    BertModel(BertConfig.from_pretrained(bert, **changed)).save_pretrained(folder)
    PreTrainedTokenizerFast.from_pretrained(bert).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def routed(tiny_models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Encoders that know their side: a router of two transformers (`both`), one with a table of words for queries
    (`static`), and a transformer that cuts queries at 5 tokens (`cut`).
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Router
    from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding, Transformer
    from tokenizers import Tokenizer

    root, bert = tmp_path_factory.mktemp("routed"), tiny_models[0].parent / "bert"
    other = another(bert, root / "other", 5, max_position_embeddings=40)

    def saved(name: str, *modules: Any) -> Path:
        SentenceTransformer(modules=list(modules), device="cpu").save(str(root / name))
        return root / name

    documents = [Transformer(str(other)), Pooling(32, "cls")]
    both = Router.for_query_document([Transformer(str(bert)), Pooling(32, "mean")], documents)
    words = StaticEmbedding(Tokenizer.from_file(str(bert / "tokenizer.json")), embedding_dim=32)
    static = Router.for_query_document([words], [Transformer(str(other)), Pooling(32, "cls")])
    cut = Transformer(str(bert))
    cut.query_length = 5
    return {
        "both": saved("both", both, Normalize()),
        "static": saved("static", static),
        "cut": saved("cut", cut, Pooling(32, "mean")),
    }


@pytest.fixture(scope="session")
def silent_bert(tiny_models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The random BERT with a tokenizer that adds no special tokens and drops what it does not know."""
    from transformers import BertForMaskedLM, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

    root, bert = tmp_path_factory.mktemp("silent"), tiny_models[0].parent / "bert"
    PreTrainedTokenizerFast.from_pretrained(bert).save_pretrained(root / "bert")
    file = root / "bert" / "tokenizer.json"
    told = json.loads(file.read_text())
    told["post_processor"] = None
    letters = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    vocabulary = {token: i for i, token in enumerate(letters)}
    told["model"] = {"type": "BPE", "vocab": vocabulary, "merges": [], "unk_token": None}
    told["added_tokens"] = [token for token in told["added_tokens"] if token["id"] < 5]
    file.write_text(json.dumps(told))
    BertModel.from_pretrained(bert).save_pretrained(root / "bert")
    for name, kind in (("masked", BertForMaskedLM), ("pairs", BertForSequenceClassification)):
        kind.from_pretrained(bert, **({"num_labels": 1} if name == "pairs" else {})).save_pretrained(root / name)
        PreTrainedTokenizerFast.from_pretrained(root / "bert").save_pretrained(root / name)
    return root / "bert"


@pytest.fixture(scope="session")
def roberta(tiny_models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random RoBERTa of 20 positions, two of which its padding takes, as an encoder whose configuration says 20."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaForSequenceClassification, RobertaModel

    root = tmp_path_factory.mktemp("roberta")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(tiny_models[0].parent / "bert")
    torch.manual_seed(2)
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=20,
        pad_token_id=1,
        type_vocab_size=2,
        num_labels=1,
    )
    for name, kind in (("bert", RobertaModel), ("pairs", RobertaForSequenceClassification)):
        kind(config).save_pretrained(root / name)
        tokenizer.model_max_length = 64
        tokenizer.save_pretrained(root / name)
    modules = [Transformer(str(root / "bert"), max_seq_length=20), Pooling(32, "mean")]
    SentenceTransformer(modules=modules, device="cpu").save(str(root / "encoder"))
    return root / "encoder"
