"""Web sources as Perplexity cites them."""

from typing import Any

from monkey_coder_server.sandbox.served import Served

_SITES = (
    ("Python documentation", "https://docs.python.org/3/library/", "2026-02-11"),
    ("MDN Web Docs", "https://developer.mozilla.org/en-US/docs/Web/HTTP", "2026-01-20"),
    ("PostgreSQL manual", "https://www.postgresql.org/docs/current/tutorial.html", "2026-03-02"),
    ("RFC 9110: HTTP Semantics", "https://www.rfc-editor.org/rfc/rfc9110", "2022-06-01"),
    ("SQLite documentation", "https://www.sqlite.org/docs.html", "2026-01-09"),
    ("Twelve-Factor App", "https://12factor.net/", "2017-03-30"),
)


def found(served: Served) -> dict[str, Any]:
    """`citations` and `search_results` of an answer: always the same for the same request."""
    start = len(served.ask.prompt) % len(_SITES)
    chosen = [_SITES[(start + offset) % len(_SITES)] for offset in range(3)]
    results = [
        {
            "title": title,
            "url": url,
            "date": date,
            "last_updated": "2026-04-01",
            "snippet": f"{title}: what is known about the question, in short.",
            "source": "web",
        }
        for title, url, date in chosen
    ]
    return {"citations": [url for _, url, _ in chosen], "search_results": results}
