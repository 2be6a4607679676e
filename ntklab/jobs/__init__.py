"""Long work in the background: one worker thread drives any generator of events; it knows no science."""

from ntklab.jobs.messages import (
    Arrived,
    Cancelled,
    Failed,
    Finished,
    Forecasted,
    Job,
    Message,
    Progressed,
    Queued,
    Started,
)
from ntklab.jobs.report import Report, report
from ntklab.jobs.worker import Worker

__all__ = [
    "Arrived",
    "Cancelled",
    "Failed",
    "Finished",
    "Forecasted",
    "Job",
    "Message",
    "Progressed",
    "Queued",
    "Report",
    "Started",
    "Worker",
    "report",
]
