"""`harness testset`."""

from __future__ import annotations

from pathlib import Path


def texts(folder: Path) -> Path:
    folder.mkdir()
    for i in range(14):
        words = " ".join(f"word{i}x{j}" for j in range(12))
        (folder / f"f{i}.md").write_text(f"# Part {i}\n\nThe first sentence has {words}. The second is about {i}.\n")
    return folder


def test_a_folder_of_files_becomes_a_set_and_the_next_command_is_named(
    harness_command, tmp_path: Path, tiny_encoder: Path
) -> None:
    texts(tmp_path / "texts")
    judge = f'row(dense(model="{tiny_encoder}", precision="fp32"), third=0.6, second=0.4, first=0.2)'
    said = harness_command("testset", "texts", "--out", "my set", "-n", "6", "--judge", judge, "--pool", "bm25")
    assert said.status == 0, said.err
    assert "judged pairs are in my set" in said.out
    assert "uncalibrated" in said.out
    assert said.out.endswith("next: harness decide 'my set'\n")
    assert "`harness judge 'my set' --serve`".replace("`", "") in said.out
    assert "texts: 14 documents" in said.err
    assert (tmp_path / "my set" / "manifest.json").is_file()


def test_a_plan_prints_the_price(harness_command, tmp_path: Path) -> None:
    texts(tmp_path / "texts")
    chat = 'chat(model="m", url="http://127.0.0.1:9/v1", price_in=1.0, price_out=1.0)'
    said = harness_command("testset", "texts", "--out", "mine", "--judge", chat, "--pool", "bm25", "--plan")
    assert said.status == 0, said.err
    assert "14 documents; hosted models: " in said.out
    assert "at most $" in said.out
    assert not (tmp_path / "mine").exists()


def test_what_is_no_corpus_is_bad_input(harness_command, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    said = harness_command("testset", "texts", "--out", "mine")
    assert said.status == 2
    assert "has no document with text" in said.err
