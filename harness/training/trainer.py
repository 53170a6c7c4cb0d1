"""sentence-transformers' trainers, with what the loop adds to them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.base.errors import ModelError
from harness.models.sides import Side, model_depends_on_side
from harness.runtime.progress import Advance
from harness.training import adapters
from harness.training.batches import sampler
from harness.training.callbacks import METRIC, Measure, clipped, clock, evaluator, progress_bar
from harness.training.checkpoints import State, last_checkpoint
from harness.training.dataset import dataset_of
from harness.training.lesson import Lesson

if TYPE_CHECKING:
    import torch

LOSS = "loss.pt"
LOGGED = 100
"""The loss is recorded at about so many points."""


@dataclass(frozen=True)
class TrainingRun:
    """One training run.

    Args:
        lesson: examples, loss, schedule.
        prompts: side → what is put before a text.
        probe: measures the model on dev; None without.
        checkpoints: a folder of this run only.
        steps: optimiser steps.
        bf16: whether it uses bf16 autocast.
        seed: of the order of the examples and of dropout.
        name: of the recipe, for messages.
    """

    lesson: Lesson
    prompts: dict[Side, str]
    probe: Measure | None
    checkpoints: Path
    steps: int
    bf16: bool
    seed: int
    name: str


def trainer_of(model: Any, loss: torch.nn.Module, job: TrainingRun, state: State, advance: Advance) -> Any:
    """A trainer that is ready to run."""
    from transformers import EarlyStoppingCallback

    base, kind = _library(model)
    lesson = job.lesson
    callbacks: list[Any] = [progress_bar(advance), clock(state), clipped(_parameters(model, loss))]
    if job.probe is not None:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=lesson.schedule.patience))
    arguments = _arguments(job, model.device.type, prompted=prompted(model))
    if not prompted(model):
        pair_prompt = model.prompts.get(model.default_prompt_name or "", "")
        if pair_prompt:
            arguments["prompts"] = pair_prompt
    elif model_depends_on_side(model):  # which column is of which side
        arguments["router_mapping"] = dict(lesson.sides)
    trainer = _checked(base, loss, job, state)(
        model=model,
        args=kind(**arguments),
        train_dataset=dataset_of(lesson),
        loss=loss,
        evaluator=evaluator(job.probe) if job.probe is not None else None,
        callbacks=callbacks,
    )
    for callback in list(trainer.callback_handler.callbacks):
        if type(callback).__name__ in ("PrinterCallback", "ProgressCallback"):
            trainer.remove_callback(callback)
    return trainer


def _library(model: Any) -> tuple[Any, Any]:
    """The trainer for a kind of model, and the class of its arguments."""
    import sentence_transformers as library

    for name in ("CrossEncoder", "SparseEncoder", "MultiVectorEncoder", "SentenceTransformer"):
        if isinstance(model, getattr(library, name)):
            return getattr(library, f"{name}Trainer"), getattr(library, f"{name}TrainingArguments")
    raise TypeError(f"{type(model).__name__} is not a model of sentence-transformers")


def prompted(model: Any) -> bool:
    """Whether texts of a side may have a prompt; a cross-encoder reads pairs."""
    from sentence_transformers import CrossEncoder

    return not isinstance(model, CrossEncoder)


def _arguments(job: TrainingRun, device: str, *, prompted: bool) -> dict[str, Any]:
    """The trainer's arguments."""
    from sentence_transformers.sentence_transformer.training_args import BatchSamplers

    schedule = job.lesson.schedule
    every = schedule.every(job.steps)
    prompts: dict[str, Any] = {}
    if prompted:
        by_column = {column: job.prompts[side] for column, side in job.lesson.sides.items() if job.prompts[side]}
        prompts = {"prompts": by_column} if by_column else {}
    decay = "constant_with_warmup" if schedule.decay == "constant" else schedule.decay
    return {
        "output_dir": str(job.checkpoints),
        "max_steps": job.steps,
        "per_device_train_batch_size": schedule.batch,
        "gradient_accumulation_steps": schedule.accumulate,
        "learning_rate": schedule.learning_rate,
        "learning_rate_mapping": dict(job.lesson.learning_rates),
        "warmup_steps": round(schedule.warmup * job.steps),
        "lr_scheduler_type": decay,
        "optim": {"adamw": "adamw_torch_fused", "rmsprop": "rmsprop"}[schedule.optimiser],
        "weight_decay": schedule.weight_decay,
        "bf16": job.bf16,
        "use_cpu": device == "cpu",
        "seed": job.seed,
        "eval_strategy": "steps" if job.probe is not None else "no",
        "eval_steps": every,
        "save_strategy": "steps",
        "save_steps": every,
        "save_total_limit": 2,
        "load_best_model_at_end": job.probe is not None,
        "restore_callback_states_from_checkpoint": True,  # else a resumed run has its full patience again
        "max_grad_norm": 0.0,  # `callbacks.clipped` clips
        "metric_for_best_model": f"eval_{METRIC}",
        "greater_is_better": True,
        "batch_sampler": BatchSamplers.NO_DUPLICATES if job.lesson.order == "distinct" else BatchSamplers.BATCH_SAMPLER,
        "logging_steps": max(1, job.steps // LOGGED),
        "logging_nan_inf_filter": False,
        "disable_tqdm": True,
        "report_to": "none",
        "dataloader_pin_memory": device == "cuda",
        **prompts,
    }


def _checked(base: Any, loss: Any, job: TrainingRun, state: State) -> Any:
    """The trainer's class, with a check of the loss, batches in the requested order, and the loss's own weights in its
    checkpoints.
    """
    import torch

    class Checked(base):  # type: ignore[misc]
        def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
            return None  # `harness.training.card` writes it

        def training_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            state.seen += _size(inputs)
            return super().training_step(model, inputs, *args, **kwargs)

        def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
            result = super().compute_loss(*args, **kwargs)
            value = result[0] if isinstance(result, tuple) else result
            _check_loss(value, job, self.state.global_step)
            return result

        def get_batch_sampler(self, dataset: Any, batch_size: int, drop_last: bool, *args: Any, **kwargs: Any) -> Any:
            own = sampler(job.lesson, batch_size, job.seed)
            return own or super().get_batch_sampler(dataset, batch_size, drop_last, *args, **kwargs)

        def _load_from_checkpoint(self, checkpoint_path: str) -> None:
            if adapters.is_adapted(self.model):
                adapters.load(self.model, Path(checkpoint_path))
            else:
                super()._load_from_checkpoint(checkpoint_path)
            _load_own_weights(loss, Path(checkpoint_path))

        def _load_best_model(self) -> None:
            # The parent only logs an error and takes the last weights for the best.
            self._load_from_checkpoint(str(job.checkpoints / f"checkpoint-{self.state.best_global_step}"))

        def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
            if not all(torch.isfinite(p.detach()).all() for p in {*self.model.parameters(), *loss.parameters()}):
                raise ModelError(_no_number(job, f"weights are not numbers after step {self.state.global_step}"))
            state.stop()
            super()._save(output_dir, state_dict)
            adapters.save(self.model, Path(output_dir or job.checkpoints))
            own = _own_weights(loss, self.model)
            if own:  # a second tower, a learnt temperature: the trainer saves only the model
                torch.save(own, Path(output_dir or job.checkpoints) / LOSS)
            state.save(Path(output_dir or job.checkpoints))
            state.start(saved=True)

    return Checked


def run(trainer: Any, last: Path | None, advance: Advance) -> None:
    """Trains from the last checkpoint; that of a finished run is loaded and not trained further."""
    from transformers import TrainerState

    if last is None:
        trainer.train()
        return
    trainer_state = TrainerState.load_from_json(str(last / "trainer_state.json"))
    control = (trainer_state.stateful_callbacks or {}).get("TrainerControl", {})
    if not control.get("args", {}).get("should_training_stop"):
        trainer.train(resume_from_checkpoint=str(last))
        return
    trainer.state = trainer_state  # the parent would do one more step before it notices the end
    advance(int(trainer_state.global_step))
    trainer._load_from_checkpoint(str(last))
    if trainer.args.load_best_model_at_end:
        trainer._load_best_model()


def _check_loss(loss: Any, job: TrainingRun, step: int) -> None:
    if not loss.detach().isfinite().all():
        raise ModelError(_no_number(job, f"the loss is not a number at step {step + 1}"))


def _size(inputs: Any) -> int:
    """Examples in a batch: the length of its first column."""
    import torch

    return next(len(v) for v in inputs.values() if isinstance(v, list) or (isinstance(v, torch.Tensor) and v.dim() > 0))


def _no_number(job: TrainingRun, what: str) -> str:
    checkpoint = last_checkpoint(job.checkpoints)
    where = f"the last good checkpoint is {checkpoint}" if checkpoint else "no checkpoint was reached before"
    return f'{job.name}: {what} of {job.steps}; {where}. Lower learning_rate, or set precision="fp32".'


def _parameters(model: Any, loss: Any) -> list[Any]:
    """The parameters of the model and the loss, each once."""
    return list(dict.fromkeys((*model.parameters(), *loss.parameters())))


def _load_own_weights(loss: Any, checkpoint: Path) -> None:
    """Sets the weights of a loss that a checkpoint has."""
    import torch

    if (checkpoint / LOSS).is_file():
        loss.load_state_dict(torch.load(checkpoint / LOSS, weights_only=True), strict=False)


def _own_weights(loss: Any, model: Any) -> dict[str, Any]:
    """The weights of a loss that are not the model's."""
    shared = {id(p) for p in (*model.parameters(), *model.buffers())}
    return {name: value for name, value in loss.state_dict(keep_vars=True).items() if id(value) not in shared}
