"""Prometheus' text format, written: the library's own module for it brings an HTTP server and a client along."""

from collections.abc import Iterable

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString


def text_of(metrics: Iterable[Metric]) -> bytes:
    """Counters, gauges and histograms without time stamps, as version 0.0.4 of the format has them."""
    return "".join([line for metric in metrics for line in _lines(metric)]).encode()


def _lines(metric: Metric) -> list[str]:
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    comments = [f"# HELP {name} {_escaped(metric.documentation)}\n", f"# TYPE {name} {metric.type}\n"]
    return comments + [_line(sample) for sample in metric.samples]


def _line(sample: Sample) -> str:
    labels = ",".join([f'{name}="{_quoted(value)}"' for name, value in sorted(sample.labels.items())])
    return f"{sample.name}{{{labels}}} {_number(sample)}\n" if labels else f"{sample.name} {_number(sample)}\n"


def _number(sample: Sample) -> str:
    return str(floatToGoString(sample.value))  # type: ignore[no-untyped-call]  # it has no types


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(value: str) -> str:
    return _escaped(value).replace('"', r"\"")
