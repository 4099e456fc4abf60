"""`monkey-server` with a price for output and next to none for input: `python -m tests.exactness.launcher serve …`.

A request that states its limit and comes to it costs exactly what was held for it.
"""

import sys
from functools import partial

from monkey_coder_server.__main__ import main
from monkey_coder_server.bootstrap import prices
from tests.exactness.cases import MODEL, USD_PER_MILLION

OVERRIDES = {MODEL: {"input": "0.000000001", "output": USD_PER_MILLION}}

if __name__ == "__main__":
    prices.load_price_book = partial(prices.load_price_book, overrides=OVERRIDES)
    sys.exit(main())
