"""Settings of a hosted encoder: what decides a vector, and how many texts go together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.base.errors import SettingError
from harness.endpoints.providers import Provider
from harness.endpoints.service import Service


@dataclass(frozen=True)
class HostedSettings:
    """What decides a vector, and how many texts go together; None takes the provider's own
    (`harness.endpoints.providers`).

    Args:
        service: the model and its address.
        protocol: `openai` or `cohere`.
        dimensions: asked of the server.
        query_type: sent as `input_type` with queries; `""` sends none.
        document_type: the same with documents.
        query_prompt: put before each query.
        document_prompt: put before each document.
        max_characters: kept of a text, prompt left out.
        similarity: `cosine` (vectors are normalised) or `dot` (taken as they come).
        batch_items: texts in one request, at most.
        batch_tokens: tokens in one request, at most, by our estimate; a text with more goes alone.
    """

    service: Service
    protocol: str | None = None
    dimensions: int | None = None
    query_type: str | None = None
    document_type: str | None = None
    query_prompt: str = ""
    document_prompt: str = ""
    max_characters: int | None = None
    similarity: str = "cosine"
    batch_items: int | None = None
    batch_tokens: int | None = None

    def check(self) -> None:
        """Raises SettingError where a setting is out of range."""
        who = self.service.who
        self.service.check()
        if self.protocol not in (None, "openai", "cohere"):
            raise SettingError(f"{who}: protocol must be one of openai, cohere, not {self.protocol!r}")
        if self.similarity not in ("cosine", "dot"):
            raise SettingError(f"{who}: similarity must be one of cosine, dot, not {self.similarity!r}")
        for name in ("dimensions", "max_characters", "batch_items", "batch_tokens"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingError(f"{who}: {name} must be 1 or more, not {value}")

    def resolved(self, known: Provider) -> HostedSettings:
        """The same with everything said."""
        protocol = self.protocol or known.protocol
        types = (known.query_type, known.document_type)
        if protocol == "cohere" and types == (None, None):
            types = ("search_query", "search_document")
        return replace(
            self,
            protocol=protocol,
            query_type=(types[0] if self.query_type is None else self.query_type) or None,
            document_type=(types[1] if self.document_type is None else self.document_type) or None,
            batch_items=self.batch_items or known.items,
            batch_tokens=self.batch_tokens or known.tokens,
        )
