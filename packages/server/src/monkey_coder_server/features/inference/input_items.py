"""The input of a stored answer as a list of items, a page at a time, as OpenAI's SDKs page through it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.answers import StoredAnswer

LONGEST_PAGE: Final = 100
USUAL_PAGE: Final = 20
_PREFIXES: Final[Mapping[str, str]] = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
}
_PART_OF_ROLE: Final[Mapping[str, str]] = {"assistant": "output_text"}

Item = dict[str, Any]


def page_of(lineage: Sequence[StoredAnswer], query: Mapping[str, str]) -> Item:
    """One page of what the last answer was asked, with all that came before. Raises `InvalidRequest`."""
    items = _all_items(lineage)
    if _order(query) == "desc":
        items.reverse()
    after = query.get("after")
    start = 0 if after is None else 1 + next((at for at, item in enumerate(items) if item["id"] == after), len(items))
    page = items[start : start + _limit(query)]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": start + len(page) < len(items),
    }


def _all_items(lineage: Sequence[StoredAnswer]) -> list[Item]:
    """Items in their order; the last answer's own output is no part of its input."""
    items: list[Item] = []
    for answer in lineage:
        asked = msgspec.json.decode(answer.asked)
        items += [_listed(item, answer.answer_id, place) for place, item in enumerate(asked)]
        if answer is not lineage[-1]:
            items += msgspec.json.decode(answer.body)["output"]
    return items


def _listed(item: Item, answer_id: str, place: int) -> Item:
    """An item as it is listed: with a type, a list of parts, and an id that stays the same."""
    kind = item.get("type") or "message"
    listed = {"type": kind, **item}
    if not isinstance(item.get("id"), str):
        listed["id"] = f"{_PREFIXES.get(kind, 'item')}_{answer_id.partition('_')[2]}i{place:04x}"
    if kind == "message":
        content = item.get("content")
        if isinstance(content, str):
            part = _PART_OF_ROLE.get(str(item.get("role")), "input_text")
            listed["content"] = [{"type": part, "text": content}]
        listed.setdefault("status", "completed")
    return listed


def _order(query: Mapping[str, str]) -> str:
    order = query.get("order", "desc")
    if order not in {"asc", "desc"}:
        raise InvalidRequest("The parameter `order` must be asc or desc.", facts={"param": "order"})
    return order


def _limit(query: Mapping[str, str]) -> int:
    given = query.get("limit", str(USUAL_PAGE))
    if not given.isascii() or not given.isdigit() or not 1 <= int(given[:4]) <= LONGEST_PAGE:
        message = f"The parameter `limit` must be a whole number from 1 to {LONGEST_PAGE}."
        raise InvalidRequest(message, facts={"param": "limit"})
    return int(given)
