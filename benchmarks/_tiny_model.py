"""An encoder of next to no work, made on the spot: what encoding takes beside the model shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synthetic import syllables


def tiny_encoder(folder: Path) -> Path:
    """Writes a random BERT of one layer and 32 dimensions whose word pieces are the syllables of synthetic
    collections.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, pre_tokenizers, processors
    from tokenizers.models import WordPiece
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    if (folder / "modules.json").exists():
        return folder
    names = {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    pieces = [*names.values(), *syllables(), *(f"##{syllable}" for syllable in syllables())]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokens = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokens.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    ends = [(piece, vocabulary[piece]) for piece in ("[CLS]", "[SEP]")]
    tokens.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    made: Any = PreTrainedTokenizerFast  # untyped
    tokenizer = made(tokenizer_object=tokens, model_max_length=256, **names)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=256,
    )
    model = folder.with_name(f"{folder.name}-bert")
    BertModel(config).save_pretrained(model)
    tokenizer.save_pretrained(model)
    SentenceTransformer(modules=[Transformer(str(model)), Pooling(32, "mean")], device="cpu").save(str(folder))
    return folder
