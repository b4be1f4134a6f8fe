"""What printing offers other rooms as frozen values: labels to fill in, and jobs to ask for and follow."""

from __future__ import annotations

from wms.printing.values.jobs import UNDER_WAY, JobState, Offered, PrintFacts, PrintRequest, Trace
from wms.printing.values.labels import (
    Badge,
    BagTag,
    CartLabel,
    ContainerLabel,
    ExpressWaybill,
    HasRows,
    LabelValues,
    PackedLine,
    PackingList,
    Party,
    SkuLabel,
    SlotLabel,
    ToteLabel,
    trace_code,
)
from wms.printing.values.papers import ManifestPaper, ManifestRow

__all__ = [
    "UNDER_WAY",
    "Badge",
    "BagTag",
    "CartLabel",
    "ContainerLabel",
    "ExpressWaybill",
    "HasRows",
    "JobState",
    "LabelValues",
    "ManifestPaper",
    "ManifestRow",
    "Offered",
    "PackedLine",
    "PackingList",
    "Party",
    "PrintFacts",
    "PrintRequest",
    "SkuLabel",
    "SlotLabel",
    "ToteLabel",
    "Trace",
    "trace_code",
]
