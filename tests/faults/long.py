"""Which tests run only when asked for."""

import os

import pytest

LONG = pytest.mark.skipif(
    os.environ.get("RELAIS_LONG") != "1", reason="takes minutes: RELAIS_LONG=1 runs it"
)
