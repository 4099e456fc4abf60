"""A person with a browser: keeps cookies, fills in forms, presses buttons.

`python tools/person.py EMAIL PASSWORD ANSWER URL` opens an address as a desktop would; BROWSER can name it.
"""

import html
import re
import sys
from typing import Self

import httpx2

_FORM = re.compile(r'<form [^>]*?method="post" action="(?P<action>[^"]+)"[^>]*>(?P<inside>.*?)</form>', re.DOTALL)
_FIELD = re.compile(r'<input[^>]*? name="(?P<name>[^"]+)" value="(?P<value>[^"]*)"')


class Person:
    """Somebody at a gateway's pages; use as a context manager."""

    def __init__(self, base_url: str, email: str, password: str) -> None:
        self._browser = httpx2.Client(base_url=base_url, follow_redirects=True, headers={"user-agent": "Test browser"})
        self._email = email
        self._password = password

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.close()

    def open(self, address: str) -> httpx2.Response:
        """Open a page, logging in where it asks for that."""
        page = self._browser.get(address)
        if 'action="/login"' in page.text:
            page = self.send(page, "/login", email=self._email, password=self._password)
        return page

    def send(self, page: httpx2.Response, action: str, /, **typed: str) -> httpx2.Response:
        """Send a form of a page, and follow where it leads."""
        (inside,) = [form["inside"] for form in _FORM.finditer(page.text) if form["action"] == action]
        fields = {name: html.unescape(value) for name, value in _FIELD.findall(inside)} | typed
        return self._browser.post(action, data=fields, headers={"sec-fetch-site": "same-origin", "origin": "null"})

    def answer_device(self, address: str, answer: str) -> httpx2.Response:
        """Answer a device code that came with the address."""
        question = self.send(self.open(address), "/device")
        return self.send(question, "/device/answer", answer=answer)

    def answer_here(self, address: str, answer: str) -> httpx2.Response:
        """Answer the program of this computer that opened the address."""
        return self.send(self.open(address), "/authorize", answer=answer)


if __name__ == "__main__":
    _, own_email, own_password, own_answer, opened = sys.argv
    with Person(opened.partition("/authorize")[0], own_email, own_password) as person:
        person.answer_here(opened, own_answer)
