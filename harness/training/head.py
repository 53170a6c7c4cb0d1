"""A first layer of term logits for an encoder that has none, so that SPLADE can start from it.

A masked language model's head is dense → GELU → layer norm → product with the word embeddings + bias. An encoder that
was fine-tuned for vectors comes without one, and a random one ignores the text: all terms would be active, and
a few hundred gold pairs are too few to learn otherwise. This one is computed from unlabelled texts in closed form: a
ridge regression from each token's last hidden state to its own word embedding, whitened, so that a token's own term has
the highest logit; the bias is a threshold that lets few others through. Training begins with the text's own words, as
BM25 does, and learns weights and expansion.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.base.errors import ModelError

HEADS = (
    ("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm"),  # BERT
    ("lm_head.dense", "lm_head.layer_norm"),  # RoBERTa, MPNet
    ("vocab_transform", "vocab_layer_norm"),  # DistilBERT
)
RIDGE = 1e-3
"""Of the mean variance of what is regressed on."""
ACTIVE = 8
"""Terms that a token makes active, on average."""
OWN = 2.0
"""The logit that half of the tokens give their own term at least."""
LINEAR = 4.0
"""GELU is the identity this far above 0; the layer norm takes the shift out again."""


def fit_head(model: Any, texts: Sequence[str]) -> dict[str, float]:
    """Sets the head of a sparse encoder whose logits are random; its word embeddings stay as they are.

    Args:
        model: a sentence-transformers `SparseEncoder` of a masked language model, its head tied to the word embeddings.
        texts: unlabelled.

    Returns:
        `tokens`: how many it was fitted on, `own`: the share whose own term has the highest logit, `active`: active
            terms per token.

    Raises:
        ModelError: a head of another form.
    """
    import torch

    language = model.transformers_model
    dense, norm = _parts(language)
    with torch.no_grad():
        hidden, ids = _tokens(model, language, texts)
        embeddings = language.get_input_embeddings().weight.double()
        weight, shift = _regressed(hidden, _whitened(embeddings)[ids], ids)
        scale = LINEAR / 2 / float((hidden @ weight.T + shift).abs().max())
        dense.weight.copy_(scale * weight)
        dense.bias.copy_(scale * shift + LINEAR)
        norm.weight.fill_(1.0)
        norm.bias.zero_()
        output = language.get_output_embeddings()
        bias = output.bias if output.bias is not None else language.lm_head.bias
        bias.zero_()
        sample = torch.linspace(0, len(ids) - 1, min(len(ids), 1024)).long()
        normal = _normalised(torch.nn.functional.gelu(dense(hidden[sample].float())))
        logits = normal @ embeddings.float().T
        # Scale and bias move the threshold to 0 and the median logit of a token's own term to `OWN`.
        own = logits.gather(1, ids[sample][:, None]).ravel()
        most = min(ACTIVE + 1, logits.shape[1])
        threshold = float(logits.topk(most, dim=1).values[:, -1].mean())
        factor = OWN / max(float(own.median()) - threshold, 1e-3)
        norm.weight.fill_(factor)
        bias.fill_(-factor * threshold)
        active = float((logits > threshold).sum(1).float().mean())
        highest = float((logits.argmax(1) == ids[sample]).float().mean())
    return {"tokens": len(ids), "own": round(highest, 4), "active": round(active, 2)}


def _parts(language: Any) -> tuple[Any, Any]:
    for names in HEADS:
        try:
            dense, norm = (language.get_submodule(name) for name in names)
        except AttributeError:
            continue
        return dense, norm
    raise ModelError(
        f"{type(language).__name__} has no layer of logits that could be made for it; name a masked language model, "
        "or an encoder of the BERT, RoBERTa, MPNet or DistilBERT kind."
    )


def _tokens(model: Any, language: Any, texts: Sequence[str]) -> tuple[Any, Any]:
    """(T, H) last hidden states in double precision and (T,) ids of the texts' tokens, special ones left out."""
    import torch

    special = torch.tensor(sorted(model.tokenizer.all_special_ids))
    hidden, ids = [], []
    for start in range(0, len(texts), 16):
        tokenized = model.preprocess(list(texts[start : start + 16]))
        names = {"input_ids", "attention_mask", "token_type_ids"} & tokenized.keys()
        features = {name: tokenized[name].to(model.device) for name in names}
        states = language.base_model(**features)[0]
        is_text = features["attention_mask"].bool() & ~torch.isin(features["input_ids"], special.to(model.device))
        hidden.append(states[is_text].double())
        ids.append(features["input_ids"][is_text])
    return torch.cat(hidden), torch.cat(ids)


def _whitened(embeddings: Any) -> Any:
    """(V, H) embeddings times the inverse of their second moment: the product with an embedding is highest for its
    own.
    """
    import torch

    moment = embeddings.T @ embeddings / len(embeddings)
    moment += 1e-6 * moment.diagonal().mean() * torch.eye(len(moment), dtype=moment.dtype, device=moment.device)
    return torch.linalg.solve(moment, embeddings.T).T


def _regressed(inputs: Any, targets: Any, ids: Any) -> tuple[Any, Any]:
    """(H, H) weight and (H,) shift of a ridge regression in which each distinct term counts once, however often it
    occurs.
    """
    import torch

    _, place, count = torch.unique(ids, return_inverse=True, return_counts=True)
    share = (1.0 / count.double())[place][:, None]
    total = share.sum()
    middle, aim = (inputs * share).sum(0) / total, (targets * share).sum(0) / total
    centred = inputs - middle
    moment = centred.T @ (share * centred) / total
    moment += RIDGE * moment.diagonal().mean() * torch.eye(len(moment), dtype=moment.dtype, device=moment.device)
    weight = torch.linalg.solve(moment, centred.T @ (share * (targets - aim)) / total).T
    return weight, aim - weight @ middle


def _normalised(values: Any) -> Any:
    import torch

    return torch.nn.functional.layer_norm(values, values.shape[-1:])


def sampled(texts: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    """At most so many of the texts, drawn without replacement, in their order."""
    rows = sorted(rng.permutation(len(texts))[:count].tolist())
    return [texts[row] for row in rows]
