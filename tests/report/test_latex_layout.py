"""How text is set in LaTeX."""

from harness.report.latex_layout import RAGGED, escaped, panels, row_names, turned


def test_every_special_character_is_escaped() -> None:
    assert escaped("a\\b{c}#$%&_~^<>") == (
        r"a\textbackslash{}b\{c\}\#\$\%\&\_\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}"
    )


def test_a_break_is_allowed_after_the_last_of_two_greater_signs_only() -> None:
    (cell, _) = row_names(["bm25>>" + "x" * 30, "b"])
    assert cell.startswith(RAGGED)
    assert cell.count(r"\allowbreak{}") == 1


def test_a_short_dataset_name_is_not_turned() -> None:
    assert turned("d_1") == r"d\_1"
    assert turned("long/name").startswith(r"\rotatebox{90}")


def test_columns_go_to_another_panel_where_a_page_is_too_narrow() -> None:
    columns = [(escaped(str(i)), [escaped("0.1234")]) for i in range(10)]
    found = panels(columns)
    assert [column for panel in found for column in panel] == columns
    assert [len(panel) for panel in found] == [7, 3]
