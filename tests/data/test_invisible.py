from harness.data.invisible import MARK, joined, named, unseen


def test_a_character_is_named_by_its_number_and_its_name() -> None:
    assert named("\u00a0") == "U+00A0 (no-break space)"
    assert named(MARK) == "U+FEFF (byte order mark)"


def test_the_first_invisible_character_of_a_line_is_named_with_its_place() -> None:
    assert "U+00A0 (no-break space) at character 3" in unseen("q0\u00a0d1")
    assert unseen("q0 d1") == ""


def test_a_mark_at_the_beginning_of_a_line_is_where_files_were_joined() -> None:
    assert "left from joining two files" in joined(MARK + "q0 0 d1 1")
    assert joined("q0 0 d1 1") == ""
