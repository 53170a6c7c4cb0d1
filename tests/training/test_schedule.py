import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import SettingError
from harness.training.schedule import Schedule

counts = st.integers(1, 500)


@given(
    examples=st.integers(1, 10**6),
    epochs=st.floats(0.01, 20),
    steps=st.none() | st.integers(1, 10**5),
    batch=counts,
    accumulate=st.integers(1, 8),
    evaluations=st.integers(1, 60),
)
def test_the_evaluations_divide_the_steps_evenly(
    examples: int, epochs: float, steps: int | None, batch: int, accumulate: int, evaluations: int
) -> None:
    schedule = Schedule(epochs=epochs, steps=steps, batch=batch, accumulate=accumulate, evaluations=evaluations)
    asked = steps or max(1, math.ceil(epochs * examples / (batch * accumulate)))
    total = schedule.total(examples)
    every = schedule.every(total)
    assert total % every == 0
    assert total // every <= evaluations
    assert asked <= total < asked + every
    assert every == schedule.every(asked), "the distance is that of the steps asked for"


@pytest.mark.parametrize(
    ("settings", "total", "every"),
    [
        ({"epochs": 2, "batch": 10, "evaluations": 4}, 20, 5),
        ({"epochs": 2, "batch": 10, "accumulate": 2, "evaluations": 4}, 12, 3),
        ({"steps": 7, "evaluations": 1}, 7, 7),
        ({"steps": 3, "evaluations": 10}, 3, 1),
        ({"epochs": 0.001, "evaluations": 4}, 1, 1),
    ],
)
def test_a_hundred_examples_take_so_many_steps(settings: dict[str, int], total: int, every: int) -> None:
    schedule = Schedule(**settings)  # type: ignore[arg-type]
    assert (schedule.total(100), schedule.every(total)) == (total, every)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("epochs", 0.0, "epochs must be above 0, not 0.0"),
        ("epochs", -1.0, "epochs must be above 0"),
        ("epochs", math.nan, "epochs must be above 0, not nan"),
        ("learning_rate", 0.0, "learning_rate must be above 0"),
        ("learning_rate", math.inf, "learning_rate must be above 0, not inf"),
        ("steps", 0, "steps must be 1 or more, not 0"),
        ("batch", 0, "batch must be 1 or more"),
        ("accumulate", 0, "accumulate must be 1 or more"),
        ("max_length", 0, "max_length must be 3 or more"),
        ("evaluations", 0, "evaluations must be 1 or more"),
        ("patience", 0, "patience must be 1 or more"),
        ("dev_queries", 0, "dev_queries must be 1 or more"),
        ("dev_pool", 9, "dev_pool must be 10 or more, not 9"),
        ("warmup", 1.0, "warmup must be 0 or more and below 1, not 1.0"),
        ("warmup", math.nan, "warmup must be 0 or more"),
        ("dropout", -0.1, "dropout must be 0 or more and below 1, not -0.1"),
        ("precision", "fp16", "precision must be auto, fp32 or bf16, not 'fp16'"),
    ],
)
def test_a_number_out_of_range_is_refused_by_name(name: str, value: object, told: str) -> None:
    schedule = dataclasses.replace(Schedule(), **{name: value})  # type: ignore[arg-type]
    with pytest.raises(SettingError, match=f"tsdae: {told}"):
        schedule.check("tsdae")


@pytest.mark.parametrize(
    "settings", [{}, {"steps": 1, "dropout": 0.0, "warmup": 0.0, "dev_pool": 10, "precision": "bf16"}]
)
def test_numbers_in_range_are_taken(settings: dict[str, object]) -> None:
    Schedule(**settings).check("any")  # type: ignore[arg-type]
