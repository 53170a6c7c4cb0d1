"""QGen: questions generated from the corpus with in-batch negatives; GPL's baseline without a teacher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from harness.choices.bounds import Count, Positive, Share
from harness.data.dataset import TrainView
from harness.generators import Generator
from harness.generators.extractive import Extractive
from harness.recipes import Need, Recipe
from harness.runtime.context import Context
from harness.training.asked import asked
from harness.training.base import Trainable, contrast
from harness.training.examples import POSITIVE, QUERY, sides
from harness.training.lesson import Lesson
from harness.training.schedule import Budget, Schedule, small

QUESTIONS: Mapping[Budget, int] = {"smoke": 60, "small": 3600, "full": 250_000}
"""`full` is GPL's number."""


@dataclass(frozen=True)
class QGen(Recipe):
    """Multiple-negatives ranking loss on (generated question, its document).

    Source: Ma et al., "Zero-shot Neural Passage Retrieval via Domain-targeted Synthetic Question Generation"
    (2004.14503), as the baseline of Wang et al., GPL (2112.07577), section 4.

    Args:
        generator: makes the questions. `seq2seq` is the paper's; `extractive` needs no model.
        documents: how many documents it makes questions of; None takes about 3,600 questions (`small`) or 250,000
            (`full`), 3 to 50 of a document.
        hide: share of the pairs whose document loses the question's own words, where it contains them.
        noise: share of the questions that get the document of another one, to see what bad questions do.
        scale: factor of the cosine in the softmax.
    """

    generator: Generator = field(default_factory=Extractive)
    documents: Count | None = None
    hide: Share = 0.9
    noise: Share = 0.0
    scale: Positive = 20.0

    needs: ClassVar[frozenset[Need]] = frozenset({"generator"})
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_pool=100),
        "small": small(epochs=1, batch=32, learning_rate=2e-5),
        "full": Schedule(epochs=1, batch=75, learning_rate=2e-5, max_length=350, evaluations=10, dev_pool=100_000),
    }

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        generated = asked(self.generator, view, context, QUESTIONS[self.budget], self.documents, self.noise)
        columns = {QUERY: generated.queries.texts, POSITIVE: generated.documents(view, context, self.hide)}

        def loss(model: Any) -> Any:
            from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

            return MultipleNegativesRankingLoss(model, **contrast(base, self.scale))

        return Lesson(
            columns,
            loss,
            self.schedule(),
            sides=sides(columns),
            facts=generated.facts,
            trained_queries=generated.trained_queries(view),
        )
