"""Whether there is an answer at all, whether it came to its end, and whether the model declined."""

import re

from monkey_coder_server.domain.stream_events import Answer, FinishReason
from monkey_coder_server.domain.verification.verdict import Check, Finding, failed, not_applicable, passed

LONGEST_REFUSAL = 1_000
"""Characters. What is longer says more than no, whatever it begins with."""
_FENCE = re.compile(r"^[ \t]{0,8}(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
_WORK = (
    "help|assist|comply|provide|fulfil|fulfill|support|create|write|generate|do that|do this|do it|continue|engage|"
    "participate|share|answer|complete|discuss|produce|proceed|perform|be able|build|implement|develop|offer"
)
_CANNOT = r"(?:can't|cannot|can not|won't|will not|could not|couldn't|(?:am |'m )?(?:unable|not able) to)"
_DECLINES = re.compile(
    rf"(?:(?:i'm|i am) (?:very |really |so |truly )?sorry\W+|sorry\W+|unfortunately\W+|i apologi[sz]e\W+)?(?:but )?"
    rf"(?:as an ai(?: language model| assistant| model)?\W+)?"
    rf"(?:i (?:must|have to|need to) (?:respectfully )?(?:decline|refuse)\b"
    rf"|i ?{_CANNOT} (?:\w+ )?(?:{_WORK})\b"
    rf"|i(?:'m| am) not (?:comfortable|going to|willing to|allowed to|permitted to)\b)",
)


def not_empty(answer: Answer) -> Finding:
    """Text, a tool call, something the provider's own tools made, or a computed result."""
    if answer.skimmed or answer.calls or answer.server_items or answer.computed:
        return passed(Check.NOT_EMPTY, "The answer has content.")
    if any(piece and not piece.isspace() for piece in answer.text):
        return passed(Check.NOT_EMPTY, "The answer has text.")
    if answer.refusal:
        return not_applicable(Check.NOT_EMPTY, "The model declined.")
    return failed(Check.NOT_EMPTY, "The answer is empty.")


def whole(answer: Answer, text: str) -> Finding:
    """The provider said that the answer ended by itself, and no code fence is left open."""
    if answer.failure is not None:
        return failed(Check.WHOLE, "The provider stopped before the end.")
    if answer.finish is FinishReason.LENGTH:
        return failed(Check.WHOLE, "The answer was cut at its longest.")
    if open_fence(text):
        return failed(Check.WHOLE, "A code fence is left open.")
    if answer.finish is None:
        return not_applicable(Check.WHOLE, "No end was told.")
    return passed(Check.WHOLE, "The answer came to its end.")


def no_refusal(answer: Answer, text: str) -> Finding:
    """The model did not decline, by its provider's word or, in a short answer without code, by its first words."""
    if answer.refusal or answer.finish in {FinishReason.REFUSAL, FinishReason.CONTENT_FILTER}:
        return failed(Check.NO_REFUSAL, "The model or its provider declined.")
    if not text:
        return not_applicable(Check.NO_REFUSAL, "There is no text to read.")
    if not answer.calls and declines(text):
        return failed(Check.NO_REFUSAL, "The answer's first words decline.")
    return passed(Check.NO_REFUSAL, "Nothing declines.")


def declines(text: str) -> bool:
    """Whether a text begins with declining and brings nothing else."""
    said = text.strip()
    if len(said) > LONGEST_REFUSAL or "```" in said or "<<<<<<<" in said:
        return False
    return _DECLINES.match(" ".join(said.replace("\u2019", "'").split()).casefold()) is not None


def open_fence(text: str) -> bool:
    """Whether a fence is left open at the text's end; fences that open inside another are closed before it."""
    mark, depth = "", 0
    if "```" not in text and "~~~" not in text:
        return False
    for fence in _FENCE.finditer(text):
        run, info = fence[1], fence[2].strip()
        if not mark:
            if not (run[0] == "`" and "`" in info):
                mark, depth = run, 1
        elif run[0] == mark[0] and len(run) >= len(mark):
            depth += 1 if info else -1
            if not depth:
                mark = ""
    return bool(mark)
