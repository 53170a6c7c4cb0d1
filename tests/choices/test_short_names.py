"""Short names say what tells rows apart, and no two rows have the same."""

from harness.choices.short_names import LONGEST, Short, short_names

FUSED = "hybrid(methods=(bm25, {}), fusion=convex)"


def names(*rows: str) -> dict[str, str]:
    return {row: name.text for row, name in short_names(rows).items()}


def test_a_short_row_keeps_its_name() -> None:
    for row in ("bm25", "bm25>>dense", 'bm25>>ce(precision="bf16")', "dense+contrastive_pretraining", "x" * LONGEST):
        assert short_names([row]) == {row: Short(row, True)}


def test_settings_follow_the_name_without_brackets_and_nothing_is_left_out() -> None:
    row = "dense+supervised(queries=100, learning_rate=0.01)"
    assert short_names([row])[row] == Short("dense+supervised queries=100 learning_rate=0.01", True)


def test_what_all_neighbours_share_is_left_out() -> None:
    rows = [FUSED.format("splade"), FUSED.format("dense+supervised")]
    assert names(*rows) == dict(zip(rows, ["hybrid(bm25, splade)", "hybrid(bm25, dense+supervised)"], strict=True))
    assert not any(name.whole for name in short_names(rows).values())


def test_what_a_row_without_neighbours_has_is_shown() -> None:
    assert names(FUSED.format("splade")) == {FUSED.format("splade"): "hybrid(bm25, splade) fusion=convex"}


def test_a_setting_that_differs_stays() -> None:
    rows = [FUSED.format("splade"), FUSED.format("splade").replace("convex", "rrf")]
    assert list(names(*rows).values()) == ["hybrid(bm25, splade) fusion=convex", "hybrid(bm25, splade) fusion=rrf"]


def test_no_name_is_the_expression_of_another_row() -> None:
    rows = ["dense+contrastive_tension(queries=100)", "dense+contrastive_tension(queries=100, seed=2)"]
    assert list(names(*rows).values()) == [
        "dense+contrastive_tension queries=100",
        "dense+contrastive_tension seed=2",
    ]
    assert names(*rows, "dense+contrastive_tension")[rows[0]] == "dense+contrastive_tension queries=100"


def test_a_re_ranker_is_written_as_on_the_command_line() -> None:
    row = 'rerank(first=hybrid(methods=(bm25, dense), fusion=rrf), scorer=ce(precision="bf16"), depth=50)'
    assert names(row)[row] == "hybrid(bm25, dense, fusion=rrf)>>ce(precision=bf16) depth=50"
    assert names(row, 'bm25>>ce(precision="bf16")')[row] == "hybrid(bm25, dense, fusion=rrf)>>ce depth=50"
    longer = row.replace("bm25, dense", "bm25, dense+supervised, splade")
    assert names(longer)[longer] == "hybrid(…)>>ce(precision=bf16) depth=50"


def test_of_long_settings_only_those_that_tell_rows_apart_are_shown() -> None:
    prompt = "Represent this sentence for searching relevant passages: "
    rows = [f'dense(model="{model}", query_prompt="{prompt}", max_length=9)' for model in ("BAAI/bge-base", "a/b")]
    assert list(names(*rows).values()) == ["dense model=BAAI/bge-base", "dense model=a/b"]


def test_names_that_would_be_the_same_are_written_out() -> None:
    rows = [f"dense(model='{'x' * 40}{end}')" for end in "ab"]
    assert list(names(*rows).values()) == rows


def test_text_that_is_no_expression_stays() -> None:
    for text in ("run/some folder/a file of others.trec", "published/A system, of 1999 (in a paper)", "(" * 500):
        assert names(text) == {text: text}
