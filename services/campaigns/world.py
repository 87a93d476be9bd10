"""The rows that the messages of a batch are decided against."""

from collections import defaultdict
from dataclasses import dataclass, field

from contracts.campaigns import ProcessState
from services.campaigns.domain import Change
from services.campaigns.transitions import OPEN, Campaign
from services.runtime.decision import Loaded
from services.runtime.service import Jobs

ProcessKey = tuple[str, str]
"""Campaign and process: a process id is its campaign's own."""


@dataclass(slots=True)
class World:
    """Rows by key, as the messages before left them.

    locked are the campaigns that were there before the batch.  busy are those that have open
    processes besides the ones loaded; open holds the open ones of those.
    """

    locked: frozenset[str]
    campaigns: Loaded[str, Campaign]
    processes: Loaded[ProcessKey, ProcessState]
    busy: set[str]
    jobs: Jobs
    open: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        """Sort out the open processes of those loaded."""
        for process in self.processes.values():
            self._sort(process)

    def apply(self, change: Change) -> None:
        """Leave the rows as a change leaves them."""
        if change.campaign is not None:
            self.campaigns.put(change.campaign.id, change.campaign)
        for process in change.processes:
            self.processes.put((process.campaign_id, process.process_id), process)
            self._sort(process)

    def processes_of(self, campaign: Campaign) -> list[ProcessState]:
        """The loaded processes of a campaign, in its own order."""
        keys = [(campaign.id, id) for id in campaign.state.process_ids or ()]
        return [process for key in keys if (process := self.processes.get(key)) is not None]

    def is_last(self, campaign_id: str, process_id: str) -> bool:
        """Whether no other process of the campaign is open."""
        return campaign_id not in self.busy and self.open[campaign_id] <= {process_id}

    def _sort(self, process: ProcessState) -> None:
        open_ = self.open[process.campaign_id]
        if process.status in OPEN:
            open_.add(process.process_id)
        else:
            open_.discard(process.process_id)
