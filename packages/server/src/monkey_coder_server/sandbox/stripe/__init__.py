"""A strict simulator of Stripe's API, version 2026-10-28.endive, as far as a seller of credit and plans asks it.

Start it from code with `stripe.server.start()`, or with `monkey-server sandbox --stripe`. Point the official SDK at
`RunningStripe.url` (`base_addresses={"api": url}`), the browser at what sessions and invoices carry as their `url`.

What is not simulated is refused: an unknown path is 404, a parameter no handler reads is 400 `parameter_unknown`.
A test may hold every body against the SDK's own parameter types as well (`start(validators=…)`).

* Idempotency: a key's first status and body are replayed for a day, also errors of work that began, also 500.
* Objects of test and live mode do not see one another; the key of a call chooses.
* Time is the wall clock plus what `Control.advance` added: sessions expire, bank debits arrive or bounce, plans renew,
  invoices fall due.
* Cards by their test numbers (`cards.py`), on the hosted page, the portal and invoices, or as `pm_card_visa`.
* Webhooks are signed and repeated until a 2xx; `Control` loses, repeats, delays, mixes and forges them, and breaks
  calls: time-outs after the work was done, cut connections, 429, `lock_timeout`, 500.
* `balance_transactions` and `Control.cash()` tell what was taken in, given back and withdrawn.

The same control is under `POST /_control` for demos: `{"do": "advance", "with": {"days": 31}}`.
"""
