"""API keys: a secret that is never shown, and the rule of which key is sent to which host."""

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
"""The variable for the key of any address that is none of the services below."""

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
"""Variables that by convention contain the key of one service, and its hosts; one with a leading dot is a suffix."""


def check(who: str, url: str, variable: str) -> None:
    """Checks the rule of which key is sent where, before a request.

    The key of a known service is sent only to the hosts of that service, encrypted, or to this machine, where a proxy
    is the user's own. Any other key is sent to the address that is set with it; unencrypted only to this machine or
    within a private network (with a warning). No address may contain the key, since records show addresses.

    Raises:
        SettingError: the key is not sent there, or the address contains it.
    """
    if not is_local(url, who):
        _check_host(who, url, variable)
    if holds(url, os.environ.get(variable, "").strip()):
        raise SettingError(
            f"{who}: url contains the key in {variable}, and the url is stored in records. Set url without the key."
        )


def _check_host(who: str, url: str, variable: str) -> None:
    named = host(url)
    owners = OWNERS.get(variable)
    if owners is not None and not any(_matches(named, owner) for owner in owners):
        owner = " and ".join(owners) or "another service"
        raise SettingError(
            f"{who}: the key in {variable} is not sent to {named}: it belongs to {owner}. Put the key for {named} into "
            f"{ANYWHERE} or a variable of your own, and set key_variable to its name."
        )
    if not is_encrypted(url) and (owners is not None or not is_inside(url)):
        raise SettingError(
            f"{who}: no key is sent to {named} without encryption: url must begin with https:// (http:// is only for "
            "this machine and private networks)."
        )


def _matches(name: str, owner: str) -> bool:
    return name == owner or (owner.startswith(".") and name.endswith(owner))


class Key:
    """The key for one address, read from the environment; `repr`, `str` and pickling do not show it.

    Args:
        who: name of the method, for messages.
        url: the base of the address.
        variable: the environment variable with the key; a server on this machine needs none.

    Raises:
        Unavailable: the variable is not set, and the server is not on this machine.
        SettingError: it is not sent there (`check`), or has characters that no header can contain.
    """

    def __init__(self, who: str, url: str, variable: str) -> None:
        check(who, url, variable)
        remember(variable)
        self.variable = variable
        value = os.environ.get(variable, "").strip()
        self._reveal: Callable[[], str] = lambda: value  # a closure appears in no dump of attributes and in no pickle
        if not value and not is_local(url, who):
            raise Unavailable(
                f"{who}: {url} needs an API key, and the environment variable {variable} is not set.",
                f"Set {variable}, or set key_variable to the name of the variable that contains the key.",
            )
        if not value.isascii() or not value.isprintable():
            raise SettingError(
                f"{who}: {variable} contains no valid key: it has characters that cannot be sent. Set it again."
            )
        if value and not is_encrypted(url) and not is_local(url, who):
            log.warning(
                "%s: the key in %s is sent to %s without encryption; https:// would protect it",
                who,
                variable,
                host(url),
            )

    def __bool__(self) -> bool:
        return bool(self._reveal())

    def __repr__(self) -> str:
        return f"Key({self.variable})"

    def reveal(self) -> str:
        """The key itself, only for the header of a request."""
        return self._reveal()

    def hidden(self, text: str) -> str:
        """A text from outside, as a server's message, without the key."""
        return struck(text, self._reveal())

    def repeated(self, text: str) -> bool:
        """Whether a text from outside contains the key; a key that is a common word is not looked for."""
        return holds(text, self._reveal())

    def __str__(self) -> str:
        return f"the key in {self.variable}" if self else f"a request without a key ({self.variable} is not set)"
