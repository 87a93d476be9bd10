"""What a worker counts; scraped at /metrics."""

from prometheus_client import Counter, Gauge, Histogram

CONSUMED = Counter("relais_messages_consumed", "Messages handled.", ["service", "type", "outcome"])
BATCH_SIZE = Histogram(
    "relais_batch_size", "Messages in a batch.", buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500)
)
BATCH_SECONDS = Histogram("relais_batch_seconds", "Time from a batch to its acknowledgement.")
MESSAGE_AGE = Histogram(
    "relais_message_age_seconds",
    "Time from the sender's stamp to the decision.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300),
)
SWEEP_SECONDS = Histogram("relais_sweep_seconds", "Time of one piece of table work.", ["sweep"])
TRANSIENT_FAULTS = Counter("relais_transient_faults", "Faults that were tried again.", ["what"])
OUTBOX_PENDING = Gauge("relais_outbox_pending", "Messages committed but not yet confirmed.")
OUTBOX_OLDEST = Gauge("relais_outbox_oldest_seconds", "Age of the oldest of them.")
EVENTS_UNHEARD = Counter("relais_events_unheard", "Events that no service reads.")
PARKED = Gauge("relais_parked_messages", "Messages kept for somebody to look at.")
WAITING = Gauge("relais_waiting_commands", "Commands that name something unknown so far.")
LANES_HELD = Gauge("relais_lane_consumers", "Lanes this worker consumes.")
SLOT = Gauge("relais_lane_slot", "The slot of this worker, which decides its lanes.")
READY = Gauge("relais_ready", "1 while the worker is ready.")
