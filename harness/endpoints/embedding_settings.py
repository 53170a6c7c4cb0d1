"""Settings of a hosted encoder."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from harness.base.errors import SettingError
from harness.choices.bounds import Count, NonNegative
from harness.endpoints.providers import Provider
from harness.endpoints.service import Service
from harness.endpoints.settings import Budget, RequestLimits


@dataclass(frozen=True)
class _Model:
    model: str = "text-embedding-3-small"
    url: str = "https://api.openai.com/v1"
    protocol: Literal["openai", "cohere"] | None = None
    dimensions: Count | None = None
    query_type: str | None = None
    document_type: str | None = None
    query_prompt: str = ""
    document_prompt: str = ""
    max_characters: Count | None = None
    similarity: Literal["cosine", "dot"] = "cosine"
    price: NonNegative | None = None


@dataclass(frozen=True)
class _Batches:
    batch_items: Count | None = None
    batch_tokens: Count | None = None


@dataclass(frozen=True)
class EmbeddingSettings(RequestLimits, _Batches, Budget, _Model):
    """A hosted encoder; see `harness.endpoints.settings` for the settings that all hosted models share.

    Args:
        model: as the server calls it.
        url: base of the address; `/embeddings` (Cohere: `/v2/embed`) follows it.
        protocol: `openai` or `cohere`; None takes the provider's.
        dimensions: requested from the server; None takes the model's own.
        query_type: sent as `input_type` with queries; None takes the provider's, `""` sends none.
        document_type: sent as `input_type` with documents; None takes the provider's, `""` sends none.
        query_prompt: put before each query.
        document_prompt: put before each document.
        max_characters: characters at which texts are cut, without the prompt; None sends them whole.
        similarity: `cosine` (vectors are normalised here) or `dot` (used as the server sends them).
        price: dollars per million tokens; None takes the listed price of the host.
        batch_items: most texts in one request; None takes the provider's.
        batch_tokens: most tokens in one request, by our estimate; a longer text is sent alone; None takes the
            provider's.
    """

    @classmethod
    def of(cls, method: Any) -> EmbeddingSettings:
        """These settings of a method that has them and others."""
        return cls(**{field.name: getattr(method, field.name) for field in fields(cls)})

    def service(self, who: str = "api") -> Service:
        """The model and its address; embeddings are paid for the tokens sent only."""
        return replace(Service.of(who, self), price_in=self.price, price_out=0.0)

    def check(self, who: str = "api") -> None:
        """Raises SettingError if a setting is out of range; `who` is named in the message."""
        if self.price is not None and self.price < 0:
            raise SettingError(f"{who}: price must be 0 or more, not {self.price}")
        self.service(who).check()
        if self.protocol not in (None, "openai", "cohere"):
            raise SettingError(f"{who}: protocol must be one of openai, cohere, not {self.protocol!r}")
        if self.similarity not in ("cosine", "dot"):
            raise SettingError(f"{who}: similarity must be one of cosine, dot, not {self.similarity!r}")
        for name in ("dimensions", "max_characters", "batch_items", "batch_tokens"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingError(f"{who}: {name} must be 1 or more, not {value}")

    def resolved(self, known: Provider) -> EmbeddingSettings:
        """The same with the provider's values filled in."""
        protocol = self.protocol or known.protocol
        types = (known.query_type, known.document_type)
        if protocol == "cohere" and types == (None, None):
            types = ("search_query", "search_document")
        query_type = types[0] if self.query_type is None else self.query_type
        document_type = types[1] if self.document_type is None else self.document_type
        return replace(
            self,
            protocol=protocol,
            query_type=query_type or None,
            document_type=document_type or None,
            batch_items=self.batch_items or known.items,
            batch_tokens=self.batch_tokens or known.tokens,
        )
