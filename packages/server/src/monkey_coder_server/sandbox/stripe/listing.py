"""Lists: newest first, filtered, a page at a time."""

from collections.abc import Callable, Iterable, Mapping

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.refusals import malformed, missing

RANGES: Mapping[str, Callable[[int, int], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def listed(account: Account, parameters: Parameters, kind: str, filters: Iterable[str] = ()) -> Object:
    """A page of the objects of a kind whose fields have the values given for `filters`."""
    wanted = given(parameters, filters)
    return page(account, parameters, kind, lambda item: all(item.get(name) == wanted[name] for name in wanted))


def given(parameters: Parameters, filters: Iterable[str]) -> dict[str, str]:
    """Those of the filters that a call gave."""
    values = {name: parameters.text(name) for name in filters}
    return {name: value for name, value in values.items() if value is not None}


def page(account: Account, parameters: Parameters, kind: str, accepts: Callable[[Object], bool]) -> Object:
    """A page of the objects of a kind that are accepted and as old as `created` says."""
    limit = parameters.number("limit", 1) or 10
    if limit > 100:
        raise malformed("Invalid integer: the limit is at most 100", "limit")
    after = parameters.text("starting_after")
    before = parameters.text("ending_before")
    if after and before:
        raise malformed("You cannot parameterize both starting_after and ending_before.", "starting_after")
    in_range = _created(parameters)
    parameters.close()
    matching = [item for item in reversed(account.all(kind)) if accepts(item) and in_range(item)]
    places = {item["id"]: place for place, item in enumerate(matching)}
    start, end = 0, len(matching)
    if after:
        start = _place(account, places, after, "starting_after") + 1
    if before:
        end = _place(account, places, before, "ending_before")
        start = max(0, end - limit)
    chosen = matching[start:end][:limit]
    more = start > 0 if before else start + len(chosen) < end
    return {"object": "list", "data": chosen, "has_more": more, "url": f"/v1/{_PATHS.get(kind, f'{kind}s')}"}


_PATHS = {
    "checkout.session": "checkout/sessions",
    "invoiceitem": "invoiceitems",
    "radar.early_fraud_warning": "radar/early_fraud_warnings",
}


def _place(account: Account, places: Mapping[str, int], name: str, param: str) -> int:
    if name not in account.objects:
        raise missing("object", name, param)
    if name not in places:
        msg = f"{name} is not part of this list."
        raise malformed(msg, param)
    return places[name]


def _created(parameters: Parameters) -> Callable[[Object], bool]:
    bounds: list[tuple[str, int]] = []
    if "created" in parameters and parameters.is_text("created"):
        exact = parameters.needed_number("created")
        bounds = [("gte", exact), ("lte", exact)]
    elif "created" in parameters:
        part = parameters.part("created")
        bounds = [(name, bound) for name in RANGES if (bound := part.number(name)) is not None]
    return lambda item: all(RANGES[name](item["created"], bound) for name, bound in bounds)
