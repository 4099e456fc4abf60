"""The findings as text."""

from collections.abc import Mapping

from monkey_coder_server.domain.money import usd
from tests.outages.findings import Meanwhile, Share
from tests.outages.proof import Proof


def table(proof: Proof) -> str:
    """A block for the outages, one for the payers, one for the books."""
    lines = [f"{'':6}{'away':>8}  {'within leases':34}{'under a task_id':30}{'of limited keys':30}ready"]
    for one in proof.outages:
        lines += _rows(one)
    lines += ["", f"{'payer':16}{'spent, USD':>16}{'of at most':>16}"]
    for payer in proof.payers:
        most = "" if payer.most is None else usd(payer.most)
        lines.append(f"{payer.name:16}{usd(proof.books.spent[payer.name]):>16}{most:>16}")
    lines += ["", *(f"{name:32}{figure:>16,}" for name, figure in proof.books.figures.items())]
    return "\n".join([*lines, f"wrong: {dict(proof.books.wrong) or 'nothing'}"])


def _rows(one: Meanwhile) -> list[str]:
    away = one.outage.back - one.outage.gone
    ready = ", ".join(f"{status}: {count}" for status, count in sorted(one.outage.ready.items()))
    told = {"within leases": one.within, "under a task_id": one.named, "of limited keys": one.limited}
    refused = [f"{'':16}not served {name}: {_errors(share.errors)}" for name, share in told.items() if share.errors]
    shares = f"{_share(one.within):34}{_share(one.named):30}{_share(one.limited):30}"
    return [f"{one.outage.way:6}{away:>6.1f} s  {shares}{ready}", *refused]


def _share(share: Share) -> str:
    return f"{share.served}/{share.asked} = {share.percent:.2f} % in {share.longest:.1f} s"


def _errors(errors: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(errors.items()))
