"""Objects as a call gets them: without what is ours, with what `expand[]` asked for."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.refusals import malformed

DEEPEST = 4


def _list(url: str, items: Sequence[Object]) -> Object:
    return {"object": "list", "data": list(items), "has_more": False, "url": url}


def _refunds(account: Account, charge: Object) -> Object:
    return _list(f"/v1/charges/{charge['id']}/refunds", account.all("refund", charge=charge["id"])[::-1])


def _payments(account: Account, invoice: Object) -> Object:
    return _list("/v1/invoice_payments", account.all("invoice_payment", invoice=invoice["id"])[::-1])


def _line_items(_: Account, session: Object) -> Object:
    return _list(f"/v1/checkout/sessions/{session['id']}/line_items", session["_line_items"])


INCLUDED: dict[tuple[str, str], Callable[[Account, Object], Object]] = {
    ("charge", "refunds"): _refunds,
    ("invoice", "payments"): _payments,
    ("checkout.session", "line_items"): _line_items,
}
"""What an object holds only when it is asked for."""


def rendered(account: Account, found: Object, expand: Sequence[str]) -> Object:
    """A copy for the answer. Raises a refusal for what cannot be expanded."""
    shown: Object = _shown(found)
    for path in expand:
        steps = path.split(".")
        if len(steps) > DEEPEST:
            msg = f"You cannot expand more than {DEEPEST} levels of a property."
            raise malformed(msg, "expand")
        _expand(account, shown, steps, path)
    return shown


def _expand(account: Account, here: Any, steps: list[str], path: str) -> None:
    if isinstance(here, list):
        for item in here:
            _expand(account, item, steps, path)
        return
    if not isinstance(here, dict) or here.get("deleted"):
        return
    step, rest = steps[0], steps[1:]
    include = INCLUDED.get((str(here.get("object")), step))
    if include is not None and step not in here:
        here[step] = _shown(include(account, account.objects[here["id"]]))
    if step not in here:
        raise _unexpandable(path)
    if isinstance(here[step], str):
        if here[step] not in account.objects:
            raise _unexpandable(path)
        here[step] = _shown(account.objects[here[step]])
    if rest:
        _expand(account, here[step], rest, path)


def _unexpandable(path: str) -> Exception:
    return malformed(f"This property cannot be expanded ({path}).", "expand")


def _shown(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _shown(value) for name, value in found.items() if not name.startswith("_")}
    if isinstance(found, list):
        return [_shown(item) for item in found]
    return copy.copy(found)
