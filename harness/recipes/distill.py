"""Distillation: an encoder learns a teacher's scores of gold queries' documents and of mined ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Len

from harness.choices.bounds import Count, Positive
from harness.data.dataset import TrainView
from harness.methods import Method
from harness.recipes import Need, Recipe
from harness.recipes._teacher import local_recipes, local_teacher
from harness.runtime.context import Context
from harness.training.base import Trainable, contrast
from harness.training.candidates import scores_of_any
from harness.training.distillation import taught
from harness.training.examples import sides
from harness.training.from_gold import FromGold
from harness.training.labels import try_teacher
from harness.training.lesson import Lesson
from harness.training.margins import fitted_line, margin_loss, scale_of
from harness.training.schedule import Budget, Schedule, small


@dataclass(frozen=True)
class Distill(FromGold):
    """The student's scores of a query's relevant document and its mined ones follow those of a teacher: any row, also
    one that only searches, such as a hybrid.

    Source: for `kl` the divergence of two softmaxes, Hinton et al. (1503.02531), over candidates as in RocketQAv2 (Ren
    et al., 2110.07367, section 3.2); for `margin_mse` Hofstätter et al. (2010.02666, eq. 3). Judgements only choose the
    queries and one document of each: where the teacher errs, the student learns the error.

    Args:
        teacher: None trains a cross-encoder from the encoder's weights, on the corpus and then on the gold pairs.
        loss: `kl` or `margin_mse`.
        temperature: by which the teacher's scores are divided; None takes their deviation within a query.
        scale: of `kl`, factor of the student's cosines in its softmax.
    """

    teacher: Method | None = None
    loss: Literal["kl", "margin_mse"] = "kl"
    temperature: Positive | None = None
    scale: Positive = 20.0
    negatives: Count = 4
    ranks: Annotated[tuple[Count, ...], Len(2, 2)] | None = (1, 50)

    needs: ClassVar[frozenset[Need]] = frozenset({"train labels", "teacher"})
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_queries=10, dev_pool=100),
        "small": small(epochs=6, batch=16, learning_rate=5e-5),
        "full": Schedule(epochs=10, batch=32, learning_rate=2e-5, max_length=256, evaluations=10, dev_pool=100_000),
    }

    def helpers(self) -> Iterator[Recipe]:
        """See `Recipe.helpers`; the teacher that is trained if none is named is one."""
        yield from super().helpers()
        if self.teacher is None:
            yield from self._teacher()

    def _teacher(self) -> tuple[Recipe, ...]:
        return local_recipes(self, gold=True, queries=self.queries)

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        teacher = self.teacher or local_teacher(base, self._teacher())
        schedule = self.schedule()
        trial = try_teacher(
            teacher, base.untrained, base.first_stages, view, schedule, context, score=scores_of_any
        )
        mined = self.mined(base, view, context)
        learnt = taught(teacher, mined, view, context, self.temperature)
        columns = mined.triplets(view)
        facts = {**mined.facts, "teacher": {**trial.facts, **learnt.facts}}
        if self.loss == "kl":
            loss, labels = self._divergence(base), learnt.labels()
        else:
            own = taught(base.untrained, mined, view, context, temperature=1.0).scores
            margins, before = (scores[:, :1] - scores[:, 1:] for scores in (learnt.scores, own))
            line = fitted_line(margins, scale_of(base) * before)
            loss, labels = margin_loss(base), line(margins).tolist()
            facts["teacher"] |= line.facts
        return Lesson(
            columns,
            loss,
            schedule,
            labels=labels,
            sides=sides(columns),
            order="random",
            facts=facts,
            notes=trial.notes,
            trained_queries=mined.gold.trained_queries(view),
        )

    def _divergence(self, base: Trainable) -> Any:
        settings = contrast(base, self.scale)

        def build(model: Any) -> Any:
            from sentence_transformers.sentence_transformer.losses import DistillKLDivLoss
            from sentence_transformers.util import pairwise_cos_sim, pairwise_dot_score

            score, scale = pairwise_cos_sim if base.cosine else pairwise_dot_score, settings["scale"]
            return DistillKLDivLoss(model, similarity_fct=lambda a, b: scale * score(a, b))

        return build
