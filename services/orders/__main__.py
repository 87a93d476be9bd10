"""Run a worker of the orders service."""

from services.orders.app import SERVICE
from services.runtime import worker

worker.run(SERVICE)
