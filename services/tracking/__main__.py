"""Run a worker of the tracking service."""

from services.runtime import worker
from services.tracking.app import SERVICE

worker.run(SERVICE)
