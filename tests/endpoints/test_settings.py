from __future__ import annotations

from dataclasses import fields

from harness.endpoints.embedding_settings import EmbeddingSettings
from harness.endpoints.service import Service
from harness.endpoints.settings import Budget, PaidRequests, Prices, RequestLimits
from harness.generators.chat import Chat
from harness.methods.api import API
from harness.methods.hyde import HyDE
from harness.methods.listwise import Listwise


def names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]  # type: ignore[arg-type]


def test_groups_are_listed_from_the_last_to_the_first() -> None:
    assert names(PaidRequests) == [*names(Prices), *names(Budget), *names(RequestLimits)]
    assert names(Service) == ["who", "model", "url", *names(PaidRequests)]


def test_every_hosted_method_has_them_with_the_same_defaults_in_its_own_order() -> None:
    defaults = {field.name: field.default for field in fields(PaidRequests)}
    for kind in (EmbeddingSettings, API, HyDE, Listwise, Chat):
        own = {field.name: field.default for field in fields(kind)}  # type: ignore[arg-type]
        shared = own.keys() & defaults.keys()
        assert len(shared) >= 7, kind
        assert all(own[name] == defaults[name] for name in shared), kind
    assert names(Listwise)[:6] == ["model", "url", "max_words", "temperature", "max_tokens", "price_in"]
    assert names(Listwise)[-2:] == ["window", "step"]
    assert names(API)[-2:] == ["retries", "index"]
    assert names(HyDE)[:3] == ["first", "model", "url"]
