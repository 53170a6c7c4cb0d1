"""What a refusal says of a field: refusals as real servers word them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.endpoints.parameters import ServerParameters, refused_field

SENT = {"model": "m", "messages": [], "temperature": 0.0, "max_tokens": 7, "seed": 3}


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (  # OpenAI, o3 and gpt-5
            {
                "error": {
                    "message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                    "'max_completion_tokens' instead.",
                    "type": "invalid_request_error",
                    "param": "max_tokens",
                    "code": "unsupported_parameter",
                }
            },
            "max_tokens",
        ),
        (
            {
                "error": {
                    "message": "Unsupported value: 'temperature' does not support 0.0 with this model. Only the "
                    "default (1) value is supported.",
                    "param": "temperature",
                    "code": "unsupported_value",
                }
            },
            "temperature",
        ),
        ({"error": {"message": "Unrecognized request argument supplied: seed"}}, "seed"),
        (
            {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]},
            "seed",
        ),
        ({"error": {"message": "property 'seed' is unsupported"}}, "seed"),
        ({"error": [{"message": 'Invalid JSON payload received. Unknown name "seed": Cannot find field.'}]}, "seed"),
        ("seed is not supported by this backend", "seed"),
        ({"error": {"message": "`temperature` is deprecated for this model."}}, "temperature"),
    ],
)
def test_a_field_that_is_not_taken_is_named(told: Any, field: str) -> None:
    assert refused_field((told if isinstance(told, str) else json.dumps(told)).encode(), SENT) == field


@pytest.mark.parametrize(
    "told",
    [
        {
            "error": {
                "message": "'max_tokens' or 'max_completion_tokens' is too large: 7. "
                "This model's maximum context length is 4."
            }
        },
        {"error": {"message": "max_tokens is too large: 7. This model supports at most 4 completion tokens."}},
        {"error": {"message": "temperature must be less than or equal to 1", "param": "temperature"}},
        {"error": {"message": "The model `seed-1.6` does not exist"}},
        {"error": {"message": "unsupported parameter: top_k", "param": "top_k"}},
        {"error": {"message": "unknown field: messages", "param": "messages"}},
        {"error": "no"},
        [[[[[[[["seed unsupported"]]]]]]]],
        "",
    ],
)
def test_what_is_no_such_refusal_names_none(told: Any) -> None:
    assert refused_field(json.dumps(told).encode(), SENT) is None


def test_a_request_is_put_as_it_is_taken() -> None:
    dialect = ServerParameters({"seed": None})
    assert dialect.learn(SENT, 400, b'{"error": "max_tokens is unsupported"}')
    assert dialect.apply(SENT) == {"model": "m", "messages": [], "temperature": 0.0, "max_completion_tokens": 7}
    assert str(dialect) == "max_tokens (sent as max_completion_tokens), seed"
    assert dialect.changes == {"seed": None, "max_tokens": "max_completion_tokens"}
    other = ServerParameters()
    other.merge(dialect.changes)
    assert other.changes == dialect.changes
    assert str(ServerParameters()) == ""


@pytest.mark.parametrize("code", [401, 403, 429, 500])
def test_other_statuses_teach_nothing(code: int) -> None:
    assert not ServerParameters().learn(SENT, code, b'{"error": "seed is unsupported"}')


def test_a_limit_that_has_neither_name_is_told() -> None:
    dialect = ServerParameters()
    assert dialect.learn(SENT, 400, b"max_tokens is unsupported")
    assert not dialect.learn(dialect.apply(SENT), 400, b"max_completion_tokens is unsupported")
