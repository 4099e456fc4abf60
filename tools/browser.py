"""A person at a browser: Debian's `chromium`, headless, driven by the DevTools protocol. It reaches loopback only."""

import asyncio
import base64
import contextlib
import itertools
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

SECONDS = 60.0
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--remote-debugging-port=0",
    "about:blank",
)


class NoBrowserError(Exception):
    """There is none on this computer; the message says what to do."""


class PageError(Exception):
    """A page is not as it should be; the message says where it is and what it shows."""


class Browser:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def go(self, url: str) -> None:
        """Open an address and wait until the page is there. Raises `PageError` when nothing answers."""
        answer = await self._send("Page.navigate", url=url)
        if "errorText" in answer:
            msg = f"{url}: {answer['errorText']}"
            raise PageError(msg)
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def type(self, selector: str, text: str) -> None:
        """Type into a field as a person does, over what stood there."""
        await self._focus(selector)
        await self._send("Input.insertText", text=text)

    async def click(self, selector: str) -> None:
        """Press the mouse in the middle of something."""
        place = await self._focus(selector)
        for kind in ("mousePressed", "mouseReleased"):
            await self._send("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    async def until(self, condition: str) -> None:
        """Wait until a JavaScript expression holds. Raises `PageError` after a minute."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS):
                while not await self.value(f"Boolean({condition})"):  # noqa: ASYNC110 - the page is another process
                    await asyncio.sleep(0.05)
                return
        shown = await self.value("location.href + ': ' + document.body.innerText")
        msg = f"waited in vain for {condition} at {shown}"
        raise PageError(msg)

    async def value(self, expression: str) -> Any:
        """What a JavaScript expression is worth; None while a page is being left."""
        answer = await self._send("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer.get("result", {}).get("value")

    async def text(self) -> str:
        """What the page says."""
        return str(await self.value("document.body.innerText"))

    async def picture(self, file: Path, width: int = 1_280, height: int = 860) -> None:
        """Keep what the page looks like, as PNG."""
        await self._send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        taken = await self._send("Page.captureScreenshot", format="png")
        await asyncio.to_thread(file.write_bytes, base64.b64decode(taken["data"]))

    async def _focus(self, selector: str) -> dict[str, float]:
        """Scroll to something and select what is in it; its middle."""
        found = await self.value(
            f"(() => {{ const it = document.querySelector({json.dumps(selector)}); if (!it) return null;"
            " it.scrollIntoView({block: 'center'}); it.focus(); if (it.select) it.select();"
            " const box = it.getBoundingClientRect();"
            " return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"
        )
        if found is None:
            msg = f"there is no {selector} at {await self.value('location.href')}"
            raise PageError(msg)
        place: dict[str, float] = found
        return place

    async def _send(self, method: str, **given: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": given})
        async with asyncio.timeout(SECONDS):
            while True:
                told = await self._socket.receive_json()
                if told.get("id") == number:
                    answer: dict[str, Any] = told.get("result", {})
                    return answer


@contextlib.asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """A browser with nothing remembered, until the block ends. Raises `NoBrowserError` where none is installed."""
    program = shutil.which("chromium")
    if program is None:
        raise NoBrowserError("the command `chromium` is missing: install Debian's package of that name")
    with tempfile.TemporaryDirectory(prefix="monkey-browser-", ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            program,
            f"--user-data-dir={folder}",
            *_OPTIONS,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            port = await _port(Path(folder) / "DevToolsActivePort", process)
            async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/json/list") as reply:
                tabs = await reply.json()
                address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
                async with session.ws_connect(address, max_msg_size=0) as socket:
                    yield Browser(socket)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _port(file: Path, process: asyncio.subprocess.Process) -> str:
    """The port the browser writes into its folder once it listens."""
    async with asyncio.timeout(SECONDS):
        while not (file.exists() and file.read_text().strip()):  # noqa: ASYNC240 - written by another process
            if process.returncode is not None:
                msg = f"chromium ended with exit code {process.returncode} before it was ready"
                raise NoBrowserError(msg)
            await asyncio.sleep(0.05)
    return file.read_text().split()[0]  # noqa: ASYNC240 - one short line
