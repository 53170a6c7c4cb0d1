"""What a reasoning model thinks is never its answer; a text that speaks of thinking is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.endpoints.reasoning import message_text, without_reasoning

FINAL = (
    "<|channel|>analysis<|message|>[2] beats [1]?<|end|>"
    "<|start|>assistant<|channel|>final<|message|>[1] > [2]<|return|>"
)


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        ("<think>[2] > [1]?\n</think>\n\n[1] > [2]", "[1] > [2]"),
        ("[2] looks better than [1]\n</think>\n\n[1] > [2]", "[1] > [2]"),
        ("No, wait. Yes?</think>No", "No"),
        ("<thinking>Yes or no</thinking>No", "No"),
        ("<THINK>\nYes</THINK>\nNo", "No"),
        ("<reasoning>Yes</reasoning>\nNo", "No"),
        ("<thought>Yes</thought><answer>No</answer>", "No"),
        ('<think time="2">Yes</think>No', "No"),
        ("[THINK]Yes[/THINK]No", "No"),
        ("◁think▷Yes◁/think▷No", "No"),
        ("<|begin_of_thought|>Yes<|end_of_thought|>\n<|begin_of_solution|>\nNo\n<|end_of_solution|>", "No"),
        ("<|START_THINKING|>Yes<|END_THINKING|><|START_RESPONSE|>No<|END_RESPONSE|>", "No"),
        ("Sure.\n<think>Yes</think>No", "Sure.\nNo"),
        ("<|thinking|>Yes<|/thinking|>No", "No"),
        ("<|think|>\nYes\n<|/think|>\n\nNo", "No"),
        ("Yes, or<|/thinking|>No", "No"),
        (
            '<details type="reasoning" done="true" duration="5">\n<summary>Thought</summary>\n> Yes\n</details>\nNo',
            "No",
        ),
        ("<details open type='reasoning'>Yes</details><answer>No</answer>", "No"),
        ('Sure.\n<details type="reasoning">Yes</details>No', "Sure.\nNo"),
        ("<think>a</think><think>b</think>No", "No"),
        ("<think>a<think>b</think>c</think>No", "No"),
        (FINAL, "[1] > [2]"),
        (FINAL.removesuffix("<|return|>"), "[1] > [2]"),
        ("<|start|>assistant" + FINAL, "[1] > [2]"),
        ("<|channel|>final <|constrain|>json<|message|>[1]", "[1]"),
        ("analysisThe passage [2] fits.assistantfinal[1] > [2]", "[1] > [2]"),
        ("  [1] > [2]", "  [1] > [2]"),
        ("<answer>[1]", "[1]"),
        ('<think>"Yes"</think>No', "No"),
        ("is it 'Yes'?'</think>No", "No"),
    ],
)
def test_an_answer_is_what_follows_the_thought(content: str, answer: str) -> None:
    assert without_reasoning(content) == answer


@pytest.mark.parametrize(
    "content",
    [
        "<think>and so on until the tokens are spent",
        "<thinking>\n[1] > [2], or",
        "Yes and no</think>",
        "<|channel|>analysis<|message|>[2] > [1]?",
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary<|message|>b<|end|>",
        "analysisWe need to say yes",
        "<|START_THINKING|>Yes",
        "<|thinking|>Yes",
        '<details type="reasoning" done="false">\n> Yes',
    ],
)
def test_a_thought_that_breaks_off_has_no_answer(content: str) -> None:
    assert without_reasoning(content) == ""


@pytest.mark.parametrize(
    "text",
    [
        "say <think> as it is </think>",
        "write `</think>` to end it",
        "analysis of variance compares means",
        "a <b>bold</b> answer and a < b > c",
        "the <answer> is 4",
        "<details>\n<summary>More</summary>\nYes\n</details>",
        '<details type="example">Yes</details>',
        'say <details type="reasoning"> as it is </details>',
    ],
)
def test_a_text_that_speaks_of_it_is_left_as_it_is(text: str) -> None:
    assert without_reasoning(text) == text


@given(st.text(st.characters(blacklist_characters="<[◁"), max_size=60).filter(lambda t: not t.startswith("analysis")))
def test_a_text_without_marks_is_left_as_it_is(text: str) -> None:
    assert without_reasoning(text) == text
    assert without_reasoning(f"<think>{text}</think>Yes") == "Yes"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "Yes", "reasoning_content": "No"}, "Yes"),
        ({"content": None, "reasoning_content": "No", "reasoning": "No"}, ""),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "No"}]},
                    {"type": "text", "text": "Yes"},
                ]
            },
            "Yes",
        ),
        (
            {"content": [{"type": "reasoning", "text": "No"}, {"text": "Y"}, {"type": "output_text", "text": "es"}]},
            "Yes",
        ),
        ({"content": 7}, ""),
        ({}, ""),
    ],
)
def test_fields_and_parts_of_thought_are_no_answer(message: dict[str, Any], text: str) -> None:
    assert message_text(message) == text
