"""Answers agree when they share nearly all their lines."""

from monkey_coder_server.domain.agreement import groups

CODE = "\n".join(f"step {number}" for number in range(10))


def test_spacing_case_and_empty_lines_do_not_count() -> None:
    assert groups(["x = 1\n\n  y = 2", "X  =  1\ny = 2\n", "z = 3"]) == [[0, 1], [2]]


def test_one_other_line_among_ten_still_agrees_and_three_do_not() -> None:
    one = CODE.replace("step 4", "step four")
    three = one.replace("step 5", "step five").replace("step 6", "step six")
    assert groups([CODE, one, three]) == [[0, 1], [2]]


def test_a_line_that_comes_more_often_counts_as_often() -> None:
    assert groups(["a", "a\na\na"]) == [[0], [1]]


def test_empty_answers_agree_with_each_other_only() -> None:
    assert groups(["", "\n", "a"]) == [[0, 1], [2]]
    assert groups([]) == []
