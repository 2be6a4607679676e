"""Messages that wait to be taken, merged so that a slow reader finds few and new ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntklab.jobs.messages import Arrived, Cancelled, Ending, Forecasted, Job, Message, Progressed, Queued, Started
from ntklab.progress import Partial


@dataclass
class _Post:
    """What waits about one job: progress and forecast are the latest, partial results are appended."""

    queued: Queued | None = None
    started: Started | None = None
    forecasted: Forecasted | None = None
    progressed: Progressed | None = None
    partials: list[Partial] = field(default_factory=list)
    ending: Ending | None = None

    def messages(self, job: Job) -> list[Message]:
        arrived = Arrived(job, tuple(self.partials)) if self.partials else None
        waiting = (self.queued, self.started, self.forecasted, self.progressed, arrived, self.ending)
        return [message for message in waiting if message is not None]


_SLOTS: dict[type, str] = {
    Queued: "queued", Started: "started", Forecasted: "forecasted", Progressed: "progressed",
}  # fmt: skip


class Mailbox:
    """Not safe for threads by itself: the worker guards it with its lock."""

    def __init__(self) -> None:
        self._posts: dict[Job, _Post] = {}

    def put(self, message: Queued | Started | Forecasted | Progressed | Ending) -> None:
        """Keep ``message``, in place of an older one of its kind about the same job."""
        post = self._posts.setdefault(message.job, _Post())
        setattr(post, _SLOTS.get(type(message), "ending"), message)

    def append(self, job: Job, partial: Partial) -> None:
        """Keep ``partial`` behind those already there."""
        self._posts.setdefault(job, _Post()).partials.append(partial)

    def retract(self, job: Job) -> None:
        """Forget what ``job`` has computed; if its end waits here, it becomes a cancellation."""
        post = self._posts.get(job)
        if post is not None:
            ending = Cancelled(job) if post.ending else None
            self._posts[job] = _Post(post.queued, post.started, ending=ending)

    def jobs(self) -> tuple[Job, ...]:
        """The jobs about which something waits."""
        return tuple(self._posts)

    def take(self) -> tuple[Message, ...]:
        """Empty the box: jobs in the order they were submitted, each one's messages in the order of its life."""
        posts, self._posts = self._posts, {}
        ordered = sorted(posts.items(), key=lambda item: item[0].id)
        return tuple(message for job, post in ordered for message in post.messages(job))
