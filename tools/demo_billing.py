"""`make demo-billing`: a newcomer pays on a page, spends, and takes the rest back. Every figure is compared.

A gateway, simulated providers and a simulated Stripe on loopback, and a headless browser that clicks. Everything lives
in a temporary folder and nothing stays running. Pictures of the pages are kept where `--pictures FOLDER` says.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from tools.browser import Browser, NoBrowserError, PageError, open_browser
from tools.demo import PASSWORD, PROMPT, DemoFailed, monkey, say
from tools.processes import BIN, environment_of, free_port, server

EMAIL, CARD = "newcomer@example.com", "4242 4242 4242 4242"
BOUGHT = Decimal(25)
CENT = Decimal("0.01")
SECONDS = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; 0 when every step held and every figure agreed."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo_billing", description=__doc__)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="keep pictures of the pages there")
    pictures: Path | None = parser.parse_args(arguments).pictures
    try:
        with tempfile.TemporaryDirectory(prefix="monkey-demo-") as folder:
            asyncio.run(_run(Path(folder), pictures))
    except (DemoFailed, NoBrowserError, PageError) as failure:
        print(f"demo failed: {failure}", file=sys.stderr)
        return 1
    return 0


async def _run(folder: Path, pictures: Path | None) -> None:
    port, metrics_port = free_port(), free_port()
    gateway = f"http://127.0.0.1:{port}"
    arguments = ["serve", "--sandbox", "--stripe", "--host", "127.0.0.1"]
    arguments += ["--port", str(port), "--metrics-port", str(metrics_port)]
    settings = {
        "DATA_DIR": str(folder / "data"),
        "BASE_URL": gateway,
        "LOG_LEVEL": "warning",
        "TRIAL_CREDIT_USD": "0",
    }
    user = {"XDG_CONFIG_HOME": str(folder / "config"), "MONKEY_CODER_BASE_URL": gateway, "COLUMNS": "100"}
    async with open_browser() as browser:
        say("starting the gateway: SQLite, simulated providers, simulated Stripe; nobody starts with credit")
        with server(arguments, settings, port, "/health"):
            stripe = await _buy(browser, user, gateway, pictures)
            await asyncio.to_thread(_spend, user, folder / "api")
            await asyncio.to_thread(_give_back, user, stripe)
            await _portal(browser, user, pictures)
            say("the operator's audit of all books")
            _audit(settings)
    say("everything is stopped")


async def _buy(browser: Browser, user: Mapping[str, str], gateway: str, pictures: Path | None) -> str:
    """Register, pay on the page, see the credit; the address of the simulated Stripe."""
    say("a new user")
    await asyncio.to_thread(monkey, user, "auth", "register", "--email", EMAIL, "--password-stdin", given=PASSWORD)
    _agrees("the balance before", await asyncio.to_thread(_balance, user), Decimal(0))
    say(f"monkey billing checkout --amount {BOUGHT}, and the page it leads to")
    page = await asyncio.to_thread(
        monkey, user, "billing", "checkout", "--amount", str(BOUGHT), "--save-card", "--no-browser"
    )
    await browser.go(page["checkout_url"])
    await _keep(browser, pictures, "checkout.png")
    await browser.type("#number", CARD)
    await browser.type("#name", "Ada Newcomer")
    button = await browser.value("document.querySelector('#pay').innerText")
    print(f"  pressing “{button}”")
    await browser.click("#pay")
    await browser.until(f"location.href.startsWith({json.dumps(gateway)}) && document.readyState === 'complete'")
    title = await browser.value("(document.querySelector('h1') || document.body).innerText")
    print(f"  the browser is back at {await browser.value('location.pathname')}: {title}")
    await _keep(browser, pictures, "paid.png")
    paid = await asyncio.to_thread(_awaited, "the credit", lambda: _balance(user) == BOUGHT)
    print(f"  the signed webhook was booked {paid:.1f} s later")
    _agrees("the balance now", await asyncio.to_thread(_balance, user), BOUGHT)
    address = urlsplit(page["checkout_url"])
    return f"{address.scheme}://{address.netloc}"


def _spend(user: Mapping[str, str], output: Path) -> None:
    """One task; what it cost is the same in the answer, the receipt, the usage and the balance."""
    say(f'monkey implement "{PROMPT}" -o api')
    answer = monkey(user, "implement", PROMPT, "-o", str(output))
    facts = answer["result"]["metadata"]
    cost = Decimal(facts["cost_usd"])
    files = [file for file in output.rglob("*") if file.is_file()]
    print(f"  {len(files)} files by {facts['provider']}/{facts['model']}, {cost} USD")
    if not files or cost <= 0:
        raise DemoFailed("nothing was written, or it cost nothing")
    say("the cost, told three times more")
    (receipt,) = monkey(user, "receipts", "verify", facts["receipt_id"])["receipts"]
    if not receipt["valid"]:
        message = f"the receipt is not valid: {receipt['problem']}"
        raise DemoFailed(message)
    _agrees("the signed receipt", Decimal(receipt["body"]["charge_usd"]), cost)
    _agrees("the usage", Decimal(monkey(user, "usage")["total_cost_usd"]), cost)
    _agrees("the balance", _balance(user), BOUGHT - cost)


def _give_back(user: Mapping[str, str], stripe: str) -> None:
    """Take the rest back, in whole cents; our balance and Stripe's cash are less by the same."""
    say("monkey billing refund all")
    before = _balance(user)
    rest = before.quantize(CENT, rounding="ROUND_DOWN")
    ordered = monkey(user, "billing", "refund", "all")["refunds"]
    _agrees("ordered back", sum((Decimal(each["amount_usd"]) for each in ordered), Decimal(0)), rest)

    def settled() -> bool:
        return all(each["state"] == "succeeded" for each in monkey(user, "billing", "refunds")["refunds"])

    print(f"  Stripe confirmed it {_awaited('the refund', settled):.1f} s later")
    _agrees("the balance left", _balance(user), before - rest)
    cash = _cash(stripe)
    _agrees("Stripe took in", Decimal(cash["charge"]) * CENT, BOUGHT)
    _agrees("Stripe gave back", Decimal(-cash["refund"]) * CENT, rest)


async def _portal(browser: Browser, user: Mapping[str, str], pictures: Path | None) -> None:
    say("monkey billing portal, and the page it leads to")
    page = await asyncio.to_thread(monkey, user, "billing", "portal", "--no-browser")
    await browser.go(page["portal_url"])
    await _keep(browser, pictures, "portal.png")
    shown = await browser.text()
    for expected in (EMAIL, "•••• 4242", "Invoice history", f"${BOUGHT}.00"):
        if expected not in shown:
            message = f"the portal does not show {expected}: {shown}"
            raise DemoFailed(message)
        print(f"  shows {expected}")


def _audit(settings: Mapping[str, str]) -> None:
    command = [str(BIN / "monkey-server"), "admin", "ledger", "verify"]
    done = subprocess.run(command, env=environment_of(settings), capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"`ledger verify` found something: {done.stdout}{done.stderr}"
        raise DemoFailed(message)
    print(f"  sound: {json.loads(done.stdout)['sound']}")


def _balance(user: Mapping[str, str]) -> Decimal:
    return Decimal(monkey(user, "balance")["balance_usd"])


def _cash(stripe: str) -> dict[str, int]:
    asked = urllib.request.Request(f"{stripe}/_control", data=b'{"do": "cash"}', method="POST")  # noqa: S310 - loopback
    with urllib.request.urlopen(asked, timeout=10) as reply:  # noqa: S310 - loopback
        told: dict[str, int] = json.loads(reply.read())["result"]
        return told


def _awaited(what: str, arrived: Callable[[], bool]) -> float:
    """Seconds until it had arrived. Raises `DemoFailed` when it does not."""
    begun = time.monotonic()
    while not arrived():
        if time.monotonic() - begun > SECONDS:
            message = f"{what} did not arrive within {SECONDS:.0f} s"
            raise DemoFailed(message)
        time.sleep(0.2)
    return time.monotonic() - begun


def _agrees(what: str, found: Decimal, expected: Decimal) -> None:
    if found != expected:
        message = f"{what} is {found} USD and must be {expected} USD"
        raise DemoFailed(message)
    print(f"  ✓ {what:20} {found} USD")


async def _keep(browser: Browser, folder: Path | None, name: str) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a demo waits for its folder
        await browser.picture(folder / name)


if __name__ == "__main__":
    sys.exit(main())
