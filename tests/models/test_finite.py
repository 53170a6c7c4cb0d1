from __future__ import annotations

import numpy as np
import pytest

from harness.base.errors import ModelError
from harness.models.finite import check_finite


def test_numbers_pass() -> None:
    check_finite("m (fp32)", "query", ["a", "b"], [np.zeros(2), np.ones((3, 2))])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_first_text_with_a_value_that_is_no_number_is_named(value: float) -> None:
    with pytest.raises(ModelError, match=r"m \(fp16\) gave values that are not numbers .* for a query, first for 'b'"):
        check_finite("m (fp16)", "query", ["a", "b", "c"], [np.zeros(2), np.array([0, value]), np.array([value])])
