"""Browsers that keep cookies and read forms."""

import html
import re
from dataclasses import dataclass

import httpx2

PASSWORD = "several plain words together"
_FORM = re.compile(r'<form [^>]*?method="post" action="(?P<action>[^"]+)"[^>]*>(?P<inside>.*?)</form>', re.DOTALL)
_FIELD = re.compile(r'<input[^>]*? name="(?P<name>[^"]+)" value="(?P<value>[^"]*)"')


@dataclass
class Browser:
    """One browser: its cookies, and forms filled in as they came."""

    client: httpx2.AsyncClient

    async def open(self, address: str, **headers: str) -> httpx2.Response:
        return await self.client.get(address, headers=headers)

    async def follow(self, address: str) -> httpx2.Response:
        """Open, and go where it leads within this site."""
        answer = await self.client.get(address)
        while answer.status_code == 303:
            answer = await self.client.get(answer.headers["location"])
        return answer

    async def send(self, page: httpx2.Response, action: str, /, **typed: str) -> httpx2.Response:
        """Send a form of a page, with what its fields held but for what was typed."""
        fields = {**self.fields(page, action), **typed}
        headers = {"sec-fetch-site": "same-origin", "origin": "null"}
        return await self.client.post(action, data=fields, headers=headers)

    @staticmethod
    def fields(page: httpx2.Response, action: str) -> dict[str, str]:
        for form in _FORM.finditer(page.text):
            if form["action"] == action:
                found = _FIELD.findall(form["inside"])
                return {name: html.unescape(value) for name, value in found}
        raise AssertionError(page.text)

    async def log_in(self, email: str, password: str = PASSWORD, **more: str) -> httpx2.Response:
        page = await self.client.get("/login")
        return await self.send(page, "/login", email=email, password=password, **more)
