"""What packages is told by its environment."""

import pytest

from services.packages import settings
from services.packages.app import SERVICE
from services.runtime import worker
from services.runtime.settings import ConfigurationError


class TestAWrongSetting:
    """Of this service alone."""

    @pytest.mark.parametrize("wrong", ["soon", "inf", "1e12"])
    def test_keeps_the_worker_from_starting(
        self, monkeypatch: pytest.MonkeyPatch, wrong: str
    ) -> None:
        """Found later, it would park every message; the variable is named."""
        monkeypatch.setenv("RELAIS_AMQP_URL", "amqp://nowhere")
        monkeypatch.setenv("RELAIS_STALLED_AFTER_SECONDS", wrong)
        with pytest.raises(ConfigurationError, match="RELAIS_STALLED_AFTER_SECONDS"):
            worker.run(SERVICE)


class TestTheTimeUntilACancelIsStalled:
    """RELAIS_STALLED_AFTER_SECONDS."""

    def test_is_a_minute_unless_it_is_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Fractions of a second are accepted."""
        monkeypatch.setattr(settings, "load", settings.load.__wrapped__)
        assert settings.load().stalled_after_seconds == 60
        monkeypatch.setenv("RELAIS_STALLED_AFTER_SECONDS", "0.5")
        assert settings.load().stalled_after_seconds == 0.5
