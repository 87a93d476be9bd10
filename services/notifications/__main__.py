"""Run a worker of the notifications service."""

from services.notifications.app import SERVICE
from services.runtime import worker

worker.run(SERVICE)
