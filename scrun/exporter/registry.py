"""The table of metrics as prometheus-client has them."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, disable_created_metrics

from proto import TAP_VERSION, __version__

from .metrics import BUCKETS, METRICS, Change, Metric

Family = Counter | Gauge | Histogram


class Numbers:
    """All metrics and what they are now.

    Attributes:
        registry: what prometheus-client writes; it may be read by any thread.

    """

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._families: dict[str, Family] = {}
        for metric in METRICS:
            if metric.kind == "info":
                info = Info(metric.name.removesuffix("_info"), metric.help, registry=self.registry)
                info.info({"version": __version__, "tap": str(TAP_VERSION)})
            else:
                self._families[metric.name] = self._family(metric)

    def apply(self, changes: Iterable[Change]) -> None:
        """Add what has changed."""
        for change in changes:
            family = self._families[change.metric]
            if change.word:
                family = family.labels(change.word)
            if isinstance(family, Histogram):
                family.observe(change.amount)
            else:
                family.inc(change.amount)

    def follow(self, count: int) -> None:
        """Say how many containers are listened to."""
        family = self._families["scrun_exporter_containers_followed"]
        assert isinstance(family, Gauge)  # noqa: S101 - by the table
        family.set(count)

    def _family(self, metric: Metric) -> Family:
        labels = (metric.label,) if metric.label else ()
        if metric.kind == "histogram":
            return Histogram(metric.name, metric.help, labels, registry=self.registry, buckets=BUCKETS)
        cls = Gauge if metric.kind == "gauge" else Counter
        family = cls(metric.name, metric.help, labels, registry=self.registry)
        for word in metric.words:  # zero until it happens, so that the first time is seen, too
            family.labels(word)
        return family
