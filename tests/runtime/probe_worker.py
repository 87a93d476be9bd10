"""A worker of the probe as a process of its own: PROBE_NAME, PROBE_TOKEN, PROBE_CRASHES."""

import os

from services.runtime import worker
from tests.runtime import probe
from tests.runtime.probe import Hooks

PROBE = probe.service(
    os.environ["PROBE_NAME"], Hooks(crashing=set(os.environ.get("PROBE_CRASHES", "").split()))
)

if __name__ == "__main__":
    # The installation of a test is this one service; nothing of the product is asked for.
    worker.installed = lambda: {PROBE.name: PROBE}  # type: ignore[attr-defined]
    worker.run(PROBE)
