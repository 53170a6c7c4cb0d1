"""The archives that BEIR publishes: checksum, size and licence.

MD5: the table "Available Datasets" of BEIR's README, https://github.com/beir-cellar/beir#beers-available-datasets,
which agrees with ir_datasets' `etc/downloads.json` for all fifteen; sizes in bytes from the latter. The checksums of
`fever` and `webis-touche2020` in `examples/dataset/md5.csv` of BEIR's repository are older.

Licences are those that public dataset cards state for the original collection; empty if no card states one or cards
disagree. They are only information: BEIR leaves it to its users to check what a collection allows.
"""

from __future__ import annotations

from dataclasses import dataclass

HOST = "https://public.ukp.informatik.tu-darmstadt.de/thakur/BEIR/datasets"


@dataclass(frozen=True)
class Archive:
    """One `<name>.zip`.

    Args:
        md5: of the zip file, hexadecimal.
        size: of the zip file in bytes.
        licence: short name of the collection's licence, empty if unknown.
    """

    md5: str
    size: int
    licence: str = ""


ARCHIVES: dict[str, Archive] = {
    "arguana": Archive("8ad3e3c2a5867cdced806d6503f29b99", 3_773_617),
    "climate-fever": Archive("8b66f0a9126c521bae2bde127b4dc99d", 1_228_666_652),
    "cqadupstack": Archive("4e41456d7df8ee7760a7f866133bda78", 5_343_728_040),
    "dbpedia-entity": Archive("c2a39eb420a3164af735795df012ac2c", 639_285_131, "CC-BY-SA-3.0"),
    "fever": Archive("5a818580227bfb4b35bb6fa46d9b6c03", 1_236_988_269),
    "fiqa": Archive("17918ed23cd04fb15047f73e6c3bd9d9", 17_948_027),
    "hotpotqa": Archive("f412724f78b0d91183a0e86805e16114", 654_025_350, "CC-BY-SA-4.0"),
    "msmarco": Archive("444067daf65d982533ea17ebd59501e4", 1_082_258_632),
    "nfcorpus": Archive("a89dba18a62ef92f7d323ec890a0d38d", 2_448_432),
    "nq": Archive("d4d3d2e48787a744b6f6e691ff534307", 498_307_926, "CC-BY-SA-3.0"),
    "quora": Archive("18fb154900ba42a600f84b839c173167", 15_853_968),
    "scidocs": Archive("38121350fc3a4d2f48850f6aff52e4a9", 142_471_588, "GPL-3.0"),
    "scifact": Archive("5f7d1de60b170fc8027bb7898e2efca1", 2_816_079, "CC-BY-NC-2.0"),
    "trec-covid": Archive("ce62140cb23feb9becf6270d0d1fe6d1", 73_876_720),
    "webis-touche2020": Archive("46f650ba5a527fc69e0a6521c5a23563", 227_132_363, "CC-BY-4.0"),
}

UNPUBLISHED = frozenset({"bioasq", "robust04", "signal1m", "trec-news"})
"""Collections of BEIR that may not be redistributed; BEIR says how to build them at
https://github.com/beir-cellar/beir/tree/main/examples/dataset."""
