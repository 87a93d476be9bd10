"""Run a worker of the directory service."""

from services.directory.app import SERVICE
from services.runtime import worker

worker.run(SERVICE)
