"""What an agent is told in a turn: the request as it came, then its part, then what others wrote.

The request stands first and unchanged, so that a provider's prompt cache serves all turns of a model.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Text
from monkey_coder_server.domain.teamwork.rooms import Room, cut
from monkey_coder_server.domain.teamwork.team import Team
from monkey_coder_server.domain.teamwork.turns import Act, Turn

CONCERNS = (
    ("author", "the task as a whole"),
    ("correctness", "correctness: edge cases, errors, and everything the task says or implies"),
    ("simplicity", "simplicity: the least that does all that is asked, and nothing else"),
    ("security", "security: untrusted input, secrets, permissions, injection"),
    ("performance", "performance: time, memory, and what grows with the size of the input"),
    ("testing", "testability: what could break, and how one would notice"),
    ("maintenance", "maintenance: names, structure, and what the next reader must know"),
    ("interfaces", "interfaces: what callers rely on, compatibility, clear errors"),
)
"""What each agent cares for above all, by its place in the team."""
APPROVED = "APPROVED"
FINDINGS = 512
"""Bytes told of what checks found in a text."""
_WHOLE = "Answer the task completely and in the form it asks for. Do not mention other agents or earlier answers."
_PARTS = {
    Act.DRAFT: "You are one of several agents at this task. Care above all for {concern}. " + _WHOLE,
    Act.IMPROVE: (
        "Another agent answered this task as shown below. Write a better answer; care above all for {concern}. Keep "
        "what is right, correct what is wrong, add what is missing. " + _WHOLE
    ),
    Act.PLAN: (
        "You lead several agents at this task. Do not carry it out. Write the plan they all work by, in at most 300 "
        "words: what is to be delivered, the decisions that must be the same for all, the steps, the pitfalls."
    ),
    Act.MERGE: (
        "Several agents answered this task as shown below. Make one answer of theirs: take what is right from each, "
        "decide where they contradict each other, leave out what is wrong. " + _WHOLE
    ),
    Act.CRITIQUE: (
        "An answer to this task is shown below. Do not answer the task. Judge the answer strictly. If nothing must be "
        f"changed, reply with the one word {APPROVED}. Otherwise list the defects, the worst first, each with "
        "its place and how to correct it, in at most 300 words; no praise, nothing that is a matter of taste."
    ),
    Act.REWORK: (
        "An answer to this task and a critique of it are shown below. Write the answer anew: correct the defects that "
        "are real, keep all that is right. " + _WHOLE
    ),
}
_BY_PLAN = "Work by the plan below. "


class Said(NamedTuple):
    """What an agent wrote in an earlier turn. `findings`: what checks found wrong with it, a sentence each."""

    agent: int
    act: Act
    text: str
    findings: tuple[str, ...] = ()


def concern_of(agent: int) -> str:
    """What an agent cares for above all, in a word."""
    return CONCERNS[(agent - 1) % len(CONCERNS)][0]


def asked(request: ModelRequest, team: Team, turn: Turn, earlier: Sequence[Said], room: Room) -> ModelRequest:
    """What the model is asked in a turn. The first agent's own draft is asked for as the caller asked.

    Notes for other agents call no tools. Raises `ValueError` for a request nobody's words are in.
    """
    if turn.act is Act.DRAFT and not earlier and (turn.agent == 1 or team.agents == 1):
        return request
    told = [_instructions(turn, earlier), *(_told(said, room) for said in earlier)]
    messages = _added(request.messages, "\n\n".join(told))
    if turn.act.answers:
        return replace(request, messages=messages)
    return replace(request, messages=messages, tools=(), tool_choice=None)


def approves(critique: str) -> bool:
    """Whether a critique found nothing that must be changed."""
    first, _, _ = critique.strip().partition("\n")
    return first.strip(" \t*_#`\"'.!").upper() == APPROVED


def _instructions(turn: Turn, earlier: Sequence[Said]) -> str:
    act = turn.act
    if act is Act.IMPROVE and not earlier:
        act = Act.DRAFT
    part = _PARTS[act].replace("{concern}", CONCERNS[(turn.agent - 1) % len(CONCERNS)][1])
    planned = act.answers and any(said.act is Act.PLAN for said in earlier)
    return f"----\n{_BY_PLAN if planned else ''}{part}"


def _told(said: Said, room: Room) -> str:
    name = said.act.value if not said.act.answers else "answer"
    text = cut(said.text, room.answer if said.act.answers else room.note)
    shown = f'<{name} agent="{said.agent}">\n{text}\n</{name}>'
    if not said.findings:
        return shown
    return f"{shown}\nAutomatic checks of this {name} found: {cut(' '.join(said.findings), FINDINGS)}"


def _added(messages: tuple[Message, ...], text: str) -> tuple[Message, ...]:
    """The messages with more said at the end of the user's last one."""
    for place in range(len(messages) - 1, -1, -1):
        if messages[place].role is Role.USER:
            last = messages[place]
            parts = (*last.parts, Text(f"\n\n{text}"))
            return (*messages[:place], replace(last, parts=parts), *messages[place + 1 :])
    message = "a request without a word of its user's has no task"
    raise ValueError(message)
