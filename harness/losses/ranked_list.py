"""Ranked list loss: relevant documents within one radius of their query, all others beyond a larger one, the nearest
first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt
from annotated_types import Interval

from harness.base.errors import HarnessError, SettingError
from harness.choices.bounds import Count, Positive, Share, WholeNumber
from harness.losses import Loss
from harness.losses._columns import NO_DOCUMENT as NO_DOCUMENT
from harness.losses._columns import counting, encoded, non_trivial_share
from harness.losses._curve import curve

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

HARDEST_ONLY = 1e6
"""The largest temperature: beyond it the nearest negative has all the weight anyhow, and float32 would overflow."""


@dataclass(frozen=True)
class RankedList(Loss):
    """Ranked list loss, for the retrieval of texts.

    Source: Wang, Hua, Kodirov, Hu, Garnier and Robertson, "Ranked List Loss for Deep Metric Learning" (CVPR 2019,
    arXiv:1903.03238), section 3; the balance of the two halves is that of the journal version (TPAMI). With d the
    Euclidean distance of unit vectors, and for each query P* its relevant documents with d > α − m and N* the others
    with d < α:

        L_P = mean over P* of d − (α − m)        w = exp(T · (α − d)) / Σ over N* of exp(T · (α − d))
        L_N = Σ over N* of w · (α − d)           L = mean over all queries of (1 − λ) · L_P + λ · L_N

    An empty P* or N* adds 0. The weights are constants: no gradient flows through them, as in the authors' release,
    which scales the gradient of each pair (pytorch-metric-learning differentiates them too); queries weigh alike, as in
    the paper (in the release by the sum of their weights). Every document of the batch is compared with every query; in
    the paper each image is also a query, here no document is.

    Labels: (Q, C + R) whole numbers. The first C name the documents of the columns, so that one document in several
    places counts once for a query; the first `positives` of them are relevant, the rest mined. The R =
    `other_positives` more name relevant documents that are in none of the row's columns. A document that is relevant
    for a query by any of these is so anywhere in the batch. −1 is no document. A text that is no document, or one
    that the batch has already, is not encoded.

    Args:
        alpha: α, how far away the others must be, 0 to 2; `scaled_alpha` finds one for an encoder. 1.2 is a cosine of
            .28.
        margin: m, how much nearer the relevant must be: their radius is α − m.
        temperature: T; 0 weighs all of N* alike, 1e6 (the limit) sees only the nearest.
        balance: λ, the share of the others in the loss, 0 to 1; 0.5 is half of the conference version's L_P + L_N.
        query_gradient_only: whether documents are constants. In the authors' release each pair moves only its query,
            but there every item is a query in turn; here the documents' side of the pair would move nothing.
        positives: how many columns after the query's are relevant documents.
        other_positives: how many numbers at the end of a label are further relevant documents.
    """

    alpha: Annotated[float, Interval(gt=0, le=2)] = 1.2
    margin: Positive = 0.4
    temperature: Annotated[float, Interval(ge=0, le=HARDEST_ONLY)] = 10.0
    balance: Share = 0.5
    query_gradient_only: bool = False
    positives: Count = 1
    other_positives: WholeNumber = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.margin >= self.alpha:
            raise SettingError(f"ranked_list: margin must be below alpha ({self.alpha}), not {self.margin}")

    def build(self, model: SentenceTransformer) -> torch.nn.Module:
        """See `Loss.build`; the labels are described above.

        Raises:
            HarnessError: in `forward`, labels of another shape or kind, or fewer columns than `positives`.
        """
        return _module(self, model)


def ranked_list_loss(
    distances: torch.Tensor,
    positive: torch.Tensor,
    valid: torch.Tensor,
    alpha: float,
    margin: float,
    temperature: float,
    balance: float,
) -> torch.Tensor:
    """The loss of Q queries over D documents, from their distances; the formula is that of `RankedList`.

    Args:
        distances: (Q, D), computed with in float32 at least.
        positive: (Q, D) booleans, whether the document is relevant for the query.
        valid: (Q, D) booleans, whether it counts for the query at all.
        alpha: α.
        margin: m.
        temperature: T.
        balance: λ.

    Returns:
        A scalar, float64 where the distances are and float32 else. It always has a
        gradient; that is 0 if no document is on the wrong side of its radius.
    """
    import torch

    kind = torch.promote_types(distances.dtype, torch.float32)
    masked = distances.to(kind).masked_fill(~valid, alpha)
    too_far = (masked - (alpha - margin)).relu() * (valid & positive)
    too_near = (alpha - masked).relu() * (valid & ~positive)
    with torch.no_grad():
        logits = (temperature * too_near).masked_fill(too_near == 0, torch.finfo(kind).min)
        # Softmax subtracts the maximum: no exponent is above 0, and an empty N* gives finite weights.
        weights = torch.softmax(logits, dim=1)
    of_positives = too_far.sum(dim=1) / (too_far > 0).sum(dim=1).clamp(min=1)
    of_negatives = (weights * too_near).sum(dim=1)
    return ((1 - balance) * of_positives + balance * of_negatives).mean()


def unit_distances(queries: torch.Tensor, documents: torch.Tensor) -> torch.Tensor:
    """Euclidean distances of the vectors scaled to length 1, √(2 − 2cos), with a finite gradient where two coincide.

    Args:
        queries: (Q, dimension); computed with in float32 at least, under autocast too.
        documents: (D, dimension).

    Returns:
        (Q, D), from √ε (3e-4 in float32), where the gradient is 0, to 2.
    """
    import torch
    from torch.nn.functional import normalize

    kind = torch.promote_types(queries.dtype, torch.float32)
    with torch.autocast(queries.device.type, enabled=False):
        cosines = normalize(queries.to(kind), dim=1) @ normalize(documents.to(kind), dim=1).T
        return (2 - 2 * cosines).clamp(min=torch.finfo(kind).eps).sqrt()


def scaled_alpha(distances: npt.ArrayLike, quantile: float = 0.5) -> float:
    """An α that fits an encoder: the distance within which this share of sampled (query, irrelevant document) pairs
    lies.

    The paper's 1.2 suits vectors spread over the sphere, unrelated ones about √2 apart. Encoders of the e5 and bge kind
    keep cosines within about .6 to .9, distances of .9 to .45: every negative would be inside 1.2, and N* would leave
    none out. At the median it leaves out half of them at the start. The margin goes with α: the paper's is a third of
    it.

    Args:
        distances: of sampled negatives, any shape, from 0 to 2: √(2 − 2cos).
        quantile: between 0 and 1; higher pushes more of the negatives away.

    Raises:
        SettingError: a quantile out of range.
        HarnessError: no distances, distances that unit vectors cannot have, or an α of 0.
    """
    if not 0 <= quantile <= 1:
        raise SettingError(f"scaled_alpha: quantile must be between 0 and 1, not {quantile}")
    sample = np.asarray(distances, dtype=np.float64).ravel()
    if not (len(sample) and (sample >= 0).all() and (sample <= 2 + 1e-3).all()):
        bounds = f", from {sample.min():.4g} to {sample.max():.4g}" if len(sample) else ""
        raise HarnessError(
            f"scaled_alpha needs distances from 0 to 2 of at least one negative; it got {len(sample)}{bounds}. "
            "Give √(2 − 2cos) of unit vectors."
        )
    alpha = min(2.0, float(np.quantile(sample, quantile)))
    if alpha == 0:
        raise HarnessError(
            "scaled_alpha: the sampled negatives have their queries' own vectors. Train another encoder."
        )
    return alpha


def _module(settings: RankedList, model: SentenceTransformer) -> torch.nn.Module:
    import torch

    class RankedListLoss(torch.nn.Module):
        """What `RankedList.build` returns."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model
            self.non_trivial = curve()

        def forward(self, sentence_features: Iterable[dict[str, torch.Tensor]], labels: torch.Tensor) -> torch.Tensor:
            queries, *columns = sentence_features
            vectors = [self.model(queries)["sentence_embedding"]]
            _check(labels, len(vectors[0]), len(columns), settings)
            counts = counting(labels[:, : len(columns)])
            with torch.set_grad_enabled(torch.is_grad_enabled() and not settings.query_gradient_only):
                for column, is_new in zip(columns, counts.T, strict=True):
                    vectors.append(encoded(self.model, column, is_new, like=vectors[0]))
            return self.compute_loss_from_embeddings(vectors, labels)

        def compute_loss_from_embeddings(self, embeddings: list[torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
            queries, *columns = embeddings
            _check(labels, len(queries), len(columns), settings)
            labels = labels.to(queries.device)
            documents = torch.cat(columns)  # column by column, and so are their numbers
            numbers = labels[:, : len(columns)].T.reshape(-1)
            own = torch.cat([labels[:, : settings.positives], labels[:, len(columns) :]], dim=1)
            positive = (own[:, :, None] == numbers).any(dim=1)
            valid = counting(labels[:, : len(columns)]).T.reshape(-1).expand_as(positive)
            distances = unit_distances(queries, documents.detach() if settings.query_gradient_only else documents)
            self.non_trivial.add(non_trivial_share(distances, positive, valid, settings.alpha, settings.margin))
            return ranked_list_loss(
                distances, positive, valid, settings.alpha, settings.margin, settings.temperature, settings.balance
            )

        def get_config_dict(self) -> dict[str, Any]:
            return settings.settings()

    return RankedListLoss()


def _check(labels: torch.Tensor | None, queries: int, columns: int, settings: RankedList) -> None:
    """Raises HarnessError if labels or columns do not match the settings."""
    if columns < settings.positives:
        raise HarnessError(
            f"ranked_list: the batch has {columns} columns of documents, but positives={settings.positives}. "
            "Give a column for each relevant document, after the queries' column."
        )
    shape = (queries, columns + settings.other_positives)
    given = "none" if labels is None else f"{tuple(labels.shape)} of {labels.dtype}"
    if labels is None or labels.shape != shape or labels.is_floating_point() or labels.is_complex():
        raise HarnessError(
            f"ranked_list: labels must be whole numbers of shape {shape}: for each of {queries} queries the numbers of "
            f"its {columns} documents and of {settings.other_positives} other relevant ones (other_positives), −1 for "
            f"none. It got {given}. Add a column `label` with such a list in every row to the training data."
        )
