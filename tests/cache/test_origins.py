"""What a plug-in takes from beside itself is in its key: of its own distribution, and of files that no version
names.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.cache import code, origins
from harness.cache.code import code_of, modules_of, source_of
from harness.cache.origins import is_local, places, siblings

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """`write("site-packages", "plug", origin_a="X = 1")` installs a distribution `plug` with this module; "" installs
    none.
    """

    def forget() -> None:
        for cached in (source_of, code._module, origins._searched, origins._is_installed, origins._owners):
            cached.cache_clear()

    def put(folder: str, distribution: str, **modules: str) -> None:
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        if str(place) not in sys.path:
            monkeypatch.syspath_prepend(place)
        for name, text in modules.items():
            (place / f"{name}.py").write_text(text)
        if distribution:
            told = place / f"{distribution}-1.0.dist-info"
            told.mkdir(exist_ok=True)
            (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
            (told / "RECORD").write_text("".join(f"{name}.py,,\n" for name in modules))
        forget()

    yield put
    forget()


PLUG = "import json\ndef terms(text):\n    import origin_aid\n    return origin_aid.terms(text)\n"


@pytest.mark.parametrize(
    ("plug", "aid", "counts"),
    [
        (("site-packages", "plug"), ("site-packages", "plug"), True),
        (("site-packages", "plug"), ("site-packages", "other"), False),
        (("site-packages", "plug"), ("checkout", ""), True),
        (("checkout", ""), ("checkout", ""), True),
        (("checkout", ""), ("target", "other"), False),
    ],
)
def test_a_helper_counts_where_no_version_names_it(
    plug: tuple[str, str], aid: tuple[str, str], counts: bool, write: Write
) -> None:
    helper = {"origin_aid": "import origin_deep\nX = 1\n"}
    if plug == aid:
        write(*plug, origin_plug=PLUG, **helper)
    else:
        write(*plug, origin_plug=PLUG)
        write(*aid, **helper)
    before = code_of("origin_plug")
    assert set(modules_of("origin_plug")) == {"origin_plug", *(["origin_aid"] if counts else [])}
    (next(Path(p) for p in sys.path if Path(p).name == aid[0]) / "origin_aid.py").write_text(
        "import origin_deep\nX = 2\n"
    )
    source_of.cache_clear()
    code._module.cache_clear()
    assert (code_of("origin_plug") != before) == counts
    assert not {"origin_plug", "origin_aid"} & set(sys.modules), "nothing is imported to be read"


def test_what_a_local_helper_takes_from_another_one_counts(write: Write) -> None:
    write(
        "checkout", "", origin_plug=PLUG, origin_aid="from origin_deep import X\n", origin_deep="import numpy\nX = 1\n"
    )
    assert set(modules_of("origin_plug")) == {"origin_plug", "origin_aid", "origin_deep"}


def test_modules_of_one_distribution_are_siblings(write: Write) -> None:
    write("site-packages", "plug", origin_plug="", origin_aid="")
    write("elsewhere", "other", origin_other="")
    assert siblings({"origin_plug"}) == {"origin_plug", "origin_aid"}
    assert siblings(set()) == siblings({"origin_nowhere"}) == frozenset()


def test_the_library_of_python_and_installed_packages_are_not_local(write: Write) -> None:
    assert [name for name in ("json", "sys", "numpy", "pytest", "origin_nowhere", "") if is_local(name)] == []
    write("checkout", "", origin_plug="")
    assert is_local("origin_plug")
    assert [place.name for place in places("origin_plug")] == ["origin_plug.py"]
    assert places("json") == tuple(Path(folder) for folder in sys.modules["json"].__path__)
