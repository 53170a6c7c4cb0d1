"""Keys: a secret that shows nothing of itself, and the one rule of which key goes to which host."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from harness.base.errors import SettingError, Unavailable
from harness.base.redaction import holds, remember, struck
from harness.endpoints.address import host, is_encrypted, is_inside, is_local

log = logging.getLogger("harness.endpoints")

ANYWHERE: Final = "ENDPOINT_API_KEY"
"""The variable whose key is meant for whatever address is named; of a key that belongs to no service below."""

OWNERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "OPENAI_API_KEY": ("api.openai.com", ".api.openai.com"),
        "OPENAI_ADMIN_KEY": ("api.openai.com", ".api.openai.com"),
        "AZURE_OPENAI_API_KEY": (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com"),
        "VOYAGE_API_KEY": ("api.voyageai.com",),
        "MISTRAL_API_KEY": ("api.mistral.ai", ".api.mistral.ai", "codestral.mistral.ai"),
        "CO_API_KEY": ("api.cohere.com", "api.cohere.ai"),
        "COHERE_API_KEY": ("api.cohere.com", "api.cohere.ai"),
        "ANTHROPIC_API_KEY": ("api.anthropic.com",),
        "DEEPSEEK_API_KEY": ("api.deepseek.com",),
        "FIREWORKS_API_KEY": ("api.fireworks.ai",),
        "GEMINI_API_KEY": ("generativelanguage.googleapis.com",),
        "GOOGLE_API_KEY": (".googleapis.com",),
        "GROQ_API_KEY": ("api.groq.com",),
        "JINA_API_KEY": ("api.jina.ai",),
        "NVIDIA_API_KEY": (".nvidia.com",),
        "OPENROUTER_API_KEY": ("openrouter.ai",),
        "PERPLEXITY_API_KEY": ("api.perplexity.ai",),
        "TOGETHER_API_KEY": ("api.together.xyz", "api.together.ai"),
        "XAI_API_KEY": ("api.x.ai", ".api.x.ai"),
        "HF_TOKEN": ("huggingface.co", ".huggingface.co", ".huggingface.cloud", ".hf.space"),
        "HUGGING_FACE_HUB_TOKEN": ("huggingface.co", ".huggingface.co", ".huggingface.cloud", ".hf.space"),
        "GITHUB_TOKEN": ("models.github.ai", "api.github.com"),
        "GH_TOKEN": ("models.github.ai", "api.github.com"),
        "AWS_SECRET_ACCESS_KEY": (),
        "AWS_SESSION_TOKEN": (),
        "AWS_ACCESS_KEY_ID": (),
    }
)
"""Variables that by custom hold the key of one service, and the hosts of that service; one that begins with a dot ends
names.
"""


def check(who: str, url: str, variable: str) -> None:
    """Holds a key against the rule, before it is read.

    The key of a service that is known goes to that service's hosts, encrypted, or to this machine, and nowhere else: a
    proxy on this machine is a user's own. Any other key goes to the address that is named with it; unencrypted to this
    machine, within a private network (with a warning when it is sent), and nowhere else. No address may hold the key,
    which records would show.

    Raises:
        SettingError: the key does not go there, or the address holds it.
    """
    if not is_local(url, who):
        _check_host(who, url, variable)
    held = os.environ.get(variable, "").strip()
    if holds(url, held):
        raise SettingError(
            f"{who}: url holds the key of {variable}, and would be written down. Name the address without it."
        )


def _check_host(who: str, url: str, variable: str) -> None:
    named = host(url)
    owners = OWNERS.get(variable)
    if owners is not None and not any(
        named == owner or (owner[0] == "." and named.endswith(owner)) for owner in owners
    ):
        raise SettingError(
            f"{who}: the key in {variable} is not sent to {named}: it belongs to "
            f"{' and '.join(owners) or 'another service'}. "
            f"Put the key of {named} into {ANYWHERE} or a variable of your own, and name that with key_variable."
        )
    if not is_encrypted(url) and (owners is not None or not is_inside(url)):
        raise SettingError(
            f"{who}: no key is sent to {named} without encryption: url must begin with https:// (http:// is for this "
            f"machine and "
            "private networks)."
        )


class Key:
    """The key for one address, read from the environment; `repr`, `str` and pickling show nothing of it.

    Args:
        who: the value that asks, for messages.
        url: the base of the address.
        variable: the environment variable that holds the key; a server on this machine needs none.

    Raises:
        Unavailable: no key for a server elsewhere.
        SettingError: it does not go there (`check`), or holds what no header can carry.
    """

    def __init__(self, who: str, url: str, variable: str) -> None:
        check(who, url, variable)
        remember(variable)
        self.variable = variable
        held = os.environ.get(variable, "").strip()
        self._reveal: Callable[[], str] = lambda: held  # in a closure: no dump of attributes has it, and no pickle
        if not held and not is_local(url, who):
            raise Unavailable(
                f"{who}: {url} needs a key, and the environment variable {variable} is not set.",
                f"Set {variable}, or name the variable that holds it with key_variable.",
            )
        if not held.isascii() or not held.isprintable():
            raise SettingError(
                f"{who}: what {variable} holds is no key: it has characters that cannot be sent. Set it again."
            )
        if held and not is_encrypted(url) and not is_local(url, who):
            log.warning(
                "%s: the key in %s goes to %s without encryption; https:// would protect it", who, variable, host(url)
            )

    def __bool__(self) -> bool:
        return bool(self._reveal())

    def __repr__(self) -> str:
        return f"Key({self.variable})"

    def reveal(self) -> str:
        """The key itself, for the header of a request and nothing else."""
        return self._reveal()

    def hidden(self, text: str) -> str:
        """A text from outside that is to be reported, as a server's message, with the key struck out."""
        return struck(text, self._reveal())

    def repeated(self, text: str) -> bool:
        """Whether a text from outside repeats the key; a key that is a word of the language is not looked for."""
        return holds(text, self._reveal())

    def __str__(self) -> str:
        return f"the key in {self.variable}" if self else f"a request without a key ({self.variable} is not set)"
