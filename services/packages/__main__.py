"""Run a worker of the packages service."""

from services.packages.app import SERVICE
from services.runtime import worker

worker.run(SERVICE)
