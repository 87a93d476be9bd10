"""Run a worker of the campaigns service."""

from services.campaigns.app import SERVICE
from services.runtime import worker

worker.run(SERVICE)
