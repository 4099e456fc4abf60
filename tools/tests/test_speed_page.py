"""`make bench-page` writes what it measured: every stack and situation, each figure once, pictures that can be read."""

from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.speed import page
from benchmarks.speed.rounds import Figures

SVG = "{http://www.w3.org/2000/svg}"


def figures(cpu: float) -> Figures:
    return Figures(cpu=cpu, p50=4.0 + cpu, p99=9.0 + cpu, added_p50=cpu, added_p99=2 * cpu, failed=0, requests=100)


def test_a_page_holds_every_figure_and_its_pictures_every_bar(tmp_path: Path) -> None:
    measured = {
        "16 clients": {"direct": figures(0.0), page.OURS: figures(0.5), "rival": figures(10.0)},
        "streams": {"direct": figures(0.0), page.OURS: figures(0.25)},
    }
    page.write(tmp_path, measured, {page.OURS: (1.5, 110.0)}, "Speed: by a test.\n")
    text = (tmp_path / "performance-figures.md").read_text(encoding="utf-8")
    assert "## 16 clients" in text
    assert "| rival | 10.000 | 100 | 0.050 |" in text, "a rival with twenty times our CPU serves a twentieth"
    assert f"| {page.OURS} | 1.50 | 110 |" in text
    for name, bars in (("performance-cpu.svg", 3), ("performance-added.svg", 3)):
        assert name in text
        drawn = ET.parse(tmp_path / name)  # noqa: S314 - our own
        assert len(drawn.findall(f"{SVG}rect")) == 1 + bars, "a bar for each stack but the direct call, on a background"
