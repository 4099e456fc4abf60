"""The frame of every page, and money and lines as people read them."""

from html import escape

STYLE = """
:root { --ink: #1a1f36; --soft: #697386; --line: #e3e8ee; --side: #f6f8fa; --blue: #0a60ff; --good: #0e6245; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff; font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
.test { background: #ffde92; color: #5f3b00; text-align: center; font-size: 12px; font-weight: 600; padding: 4px; }
.two { display: grid; grid-template-columns: 1fr 1fr; min-height: calc(100vh - 26px); }
.two > section { padding: 56px 64px; }
.two > section:first-child { background: var(--side); display: flex; justify-content: flex-end; }
.two > section > div { width: 100%; max-width: 400px; }
.one { max-width: 760px; margin: 0 auto; padding: 48px 24px; }
a { color: var(--blue); text-decoration: none; }
h1 { font-size: 20px; margin: 0 0 20px; } h2 { font-size: 16px; margin: 28px 0 12px; }
.who { display: flex; gap: 10px; align-items: center; font-weight: 600; margin: 18px 0 28px; }
.who i { width: 28px; height: 28px; border-radius: 50%; background: #30313d; color: #fff; text-align: center;
  font: 600 13px/28px system-ui; }
.soft { color: var(--soft); } .small { font-size: 13px; }
.total { font-size: 36px; font-weight: 650; margin: 2px 0 26px; }
.row { display: flex; justify-content: space-between; gap: 16px; padding: 9px 0; }
.row + .rule, .rule { border-top: 1px solid var(--line); }
.row b { font-weight: 600; }
label { display: block; font-weight: 500; font-size: 13px; margin: 16px 0 6px; }
input[type=text], input[type=email] { width: 100%; padding: 10px 12px; border: 1px solid #d5dbe1; border-radius: 6px;
  font: inherit; box-shadow: 0 1px 1px #0000000a; }
input:focus { outline: 2px solid #0a60ff55; border-color: var(--blue); }
.card { display: grid; grid-template-columns: 1fr 1fr; }
.card input:first-child { grid-column: span 2; border-radius: 6px 6px 0 0; }
.card input + input { border-top: 0; border-radius: 0 0 0 6px; }
.card input + input + input { border-left: 0; border-radius: 0 0 6px; }
.ways { display: flex; gap: 10px; margin: 4px 0; }
.ways label { flex: 1; border: 1px solid #d5dbe1; border-radius: 6px;
  padding: 9px 12px; margin: 0; cursor: pointer; }
button { width: 100%; margin-top: 24px; padding: 12px; border: 0; border-radius: 6px;
  background: var(--blue); color: #fff;
  font: 600 16px system-ui; cursor: pointer; }
button.plain { width: auto; margin: 0; padding: 7px 14px; font-size: 14px; background: #fff; color: var(--ink);
  border: 1px solid #d5dbe1; }
.bad { background: #fde2dd; color: #a41c0c; border-radius: 6px; padding: 10px 12px; margin: 0 0 16px; }
.tag { border-radius: 4px; padding: 2px 8px; font-size: 12px; font-weight: 600; background: #e3e8ee; color: #475069; }
.tag.paid, .tag.active { background: #cbf4c9; color: var(--good); }
.tag.open, .tag.past_due { background: #f8e5b9; color: #983705; }
table { width: 100%; border-collapse: collapse; } td { padding: 10px 0; border-top: 1px solid var(--line); }
td:last-child { text-align: right; }
footer { margin-top: 36px; font-size: 12px; color: var(--soft); }
@media (max-width: 780px) { .two { grid-template-columns: 1fr; } .two > section { padding: 28px 22px; }
  .two > section:first-child { justify-content: flex-start; } }
"""
FOOT = "<footer>Simulated Stripe · test data only · no real payment is made</footer>"


def document(title: str, body: str) -> str:
    """A whole page. `body` is markup; everything in it that came from outside is escaped already."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f'<body><div class="test">TEST MODE · SIMULATED STRIPE</div>{body}</body></html>'
    )


def dollars(cents: int) -> str:
    """`$1,234.50`."""
    return f"${cents // 100:,}.{cents % 100:02}"


def row(left: str, right: str, kind: str = "") -> str:
    """A line with something on either side, escaped."""
    return f'<div class="row {kind}"><span>{escape(left)}</span><b>{escape(right)}</b></div>'


def back(url: str | None, text: str) -> str:
    """A way out, where there is one."""
    return f'<a id="back" href="{escape(url)}">← {escape(text)}</a>' if url else ""


def company(name: str) -> str:
    """Who sells."""
    return f'<div class="who"><i>{escape(name[:1])}</i>{escape(name)}</div>'


def tag(state: str) -> str:
    """A state as a small label."""
    return f'<span class="tag {escape(state)}">{escape(state.replace("_", " ").capitalize())}</span>'


def complaint(text: str) -> str:
    """What went wrong, above a form."""
    return f'<p class="bad" role="alert">{escape(text)}</p>' if text else ""
