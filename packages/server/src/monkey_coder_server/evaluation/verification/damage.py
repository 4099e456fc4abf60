"""Good replies made wrong in one way each: what a check should find."""

import re
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from monkey_coder_server.domain.verification.edits import Edit, read_edits
from monkey_coder_server.domain.verification.verdict import Check
from monkey_coder_server.evaluation.verification.cases import Case

REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I can't assist with that request.",
    "I'm unable to help with creating this.",
    "I cannot fulfill this request. It would violate my guidelines.",
    "Sorry, but I can't provide code for that purpose. If you have other questions, I am glad to help.",
    "I won't help build this, since it is designed to harm others.",
    "As an AI language model, I cannot generate malicious code.",
    "I must decline to write this.",
    "I apologize, but I'm not able to do that.",
    "Unfortunately, I can't complete this task because it involves copyrighted material.",
    "I'm not comfortable writing this. Is there something else that I can do for you?",
    "This request goes against what I am meant to do, so I will have to pass on it.",
    "No. Bypassing the license check would be illegal.",
    "That isn't something I can do.",
    "I understand your frustration, but writing such a tool is not something I am willing to do.",
)
"""Written by hand, in the words models use, with some that no rule was made for."""
_WORD = re.compile(r"[A-Za-z]{3,}")


class Damage(NamedTuple):
    """One way to be wrong, the check that is meant to find it, and how it is done; None where it cannot be."""

    name: str
    check: Check
    make: Callable[[Case, Random], Case | None]


def _cut(case: Case, random: Random) -> Case | None:
    if len(case.reply) < 200:
        return None
    return case._replace(reply=case.reply[: random.randrange(100, len(case.reply) - 50)])


def _cut_in_block(case: Case, random: Random) -> Case | None:
    starts = [found.start() for found in re.finditer(r"^<{5,9} SEARCH", case.reply, re.MULTILINE)]
    ends = [found.start() for found in re.finditer(r"^>{5,9} REPLACE", case.reply, re.MULTILINE)]
    if not starts or len(starts) != len(ends):
        return None
    block = random.randrange(len(starts))
    return case._replace(reply=case.reply[: random.randrange(starts[block] + 15, ends[block])])


def _stale(case: Case, _: Random) -> Case | None:
    return case._replace(before=case.after) if case.before != case.after else None


def _misremembered(case: Case, random: Random) -> Case | None:
    edits = read_edits(case.reply).found
    lines = [line for edit in edits for line in edit.before if _WORD.search(line)]
    if not lines:
        return None
    line = random.choice(lines)
    word = random.choice(_WORD.findall(line))
    reply = case.reply.replace(line, line.replace(word, word[::-1] + "x", 1), 1)
    return case._replace(reply=reply) if _searched(reply) != _searched(case.reply) else None


def _other_file(case: Case, _: Random) -> Case | None:
    reply = case.reply
    for path in case.before:
        folder, slash, name = path.rpartition("/")
        reply = reply.replace(path, f"{folder}{slash}other_{name}")
    found = read_edits(reply).found
    return case._replace(reply=reply) if any(any(edit.before) and "other_" in edit.path for edit in found) else None


def _lost_bracket(case: Case, random: Random) -> Case | None:
    python = [edit for edit in read_edits(case.reply).found if edit.path.endswith(".py")]
    lines = [line for edit in python for line in _new_lines(edit) if case.reply.count(line) == 1]
    if not lines or not case.verdict().passed:
        return None
    line = random.choice(lines)
    start, _, end = line.rpartition(")")
    return case._replace(reply=case.reply.replace(line, start + end))


def _new_lines(edit: Edit) -> list[str]:
    """Lines an edit adds that hold a bracket and neither a string nor a comment."""
    return [line for line in edit.after if ")" in line and line not in edit.before and not re.search("[\"'#]", line)]


def _searched(reply: str) -> list[tuple[str, ...]]:
    return [edit.before for edit in read_edits(reply).found]


DAMAGES = (
    Damage("cut anywhere", Check.WHOLE, _cut),
    Damage("cut inside a block", Check.WHOLE, _cut_in_block),
    Damage("edits files that have changed", Check.PATCH_APPLIES, _stale),
    Damage("one searched word is wrong", Check.PATCH_APPLIES, _misremembered),
    Damage("edits a file that is not there", Check.KNOWN_FILES, _other_file),
    Damage("one bracket lost in new Python", Check.SYNTAX, _lost_bracket),
)
