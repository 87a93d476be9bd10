"""The settings of a worker, as shown to people."""

from pathlib import Path

import pytest

from services.cli import config, running
from services.cli.config import Setting
from services.runtime.settings import ConfigurationError


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two settings without which there is no worker."""
    monkeypatch.setenv("RELAIS_AMQP_URL", "amqp://relais:hush@broker:5672/")
    monkeypatch.setenv("RELAIS_POSTGRES_URL", "postgresql://admin:hush@db/postgres")


def effective(service: str) -> dict[str, Setting]:
    """The settings by variable."""
    wrong: list[str] = []
    found = {
        setting.variable: setting for setting in config.effective(running.service(service), wrong)
    }
    assert not wrong
    return found


class TestEffective:
    """What `relais config` tells."""

    def test_tells_defaults_and_what_was_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each value comes with its origin."""
        monkeypatch.delenv("RELAIS_LANES", raising=False)
        monkeypatch.setenv("RELAIS_PREFETCH", "77")
        found = effective("orders")
        assert (found["RELAIS_LANES"].value, found["RELAIS_LANES"].origin) == (8, "default")
        assert found["RELAIS_PREFETCH"].value == 77
        assert found["RELAIS_PREFETCH"].origin == "environment"

    def test_tells_which_file_holds_a_value(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A secret's file is named, its content is hidden."""
        (tmp_path / "url").write_text("postgresql://orders:hush@db/orders\n")
        monkeypatch.setenv("RELAIS_ORDERS_POSTGRES_URL_FILE", str(tmp_path / "url"))
        monkeypatch.setenv("RELAIS_ORDERS_POSTGRES_URL", "")
        monkeypatch.delenv("RELAIS_ORDERS_POSTGRES_URL")
        found = effective("orders")["RELAIS_ORDERS_POSTGRES_URL"]
        assert found.origin == f"file {tmp_path / 'url'}"
        assert found.value == "postgresql://orders:***@db/orders"

    def test_never_shows_a_password(self) -> None:
        """Nobody has to look twice before passing it on."""
        assert "hush" not in str(effective("packages"))

    def test_has_the_settings_of_the_service_alone(self) -> None:
        """Only packages waits for cancels."""
        assert "RELAIS_STALLED_AFTER_SECONDS" in effective("packages")
        assert "RELAIS_STALLED_AFTER_SECONDS" not in effective("orders")

    def test_has_what_is_no_setting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its value may be secret, and is none of ours."""
        monkeypatch.setenv("RELAIS_TRACKING_PORT", "hush")
        found = effective("orders")["RELAIS_TRACKING_PORT"]
        assert (found.value, found.meaning) == ("***", "Not a setting of Relais; ignored.")


class TestWhatIsWrong:
    """It is told after everything that may help to put it right."""

    def test_leaves_the_others_to_be_seen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Settings are shown as they were given, with their meaning."""
        monkeypatch.delenv("RELAIS_AMQP_URL")
        monkeypatch.setenv("RELAIS_POSTGRES_URL", "host=db password=hush")
        monkeypatch.setenv("RELAIS_LANES", "0")
        wrong: list[str] = []
        found = {one.variable: one for one in config.effective(running.service("orders"), wrong)}
        assert (found["RELAIS_AMQP_URL"].value, found["RELAIS_AMQP_URL"].origin) == (
            None,
            "not set",
        )
        assert found["RELAIS_LANES"].value == "0"
        assert "hush" not in str(found)
        assert found["RELAIS_PREFETCH"].value == 1_000
        assert found["RELAIS_ORDERS_POSTGRES_URL"].origin == "not set"
        assert ["RELAIS_AMQP_URL is not set" in wrong[0], "RELAIS_LANES" in wrong[0]] == [True] * 2
        assert wrong[1].startswith("RELAIS_POSTGRES_URL must be postgresql:")

    def test_ends_the_command(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A script sees it by the exit code."""
        monkeypatch.delenv("RELAIS_AMQP_URL")
        with pytest.raises(ConfigurationError, match="RELAIS_AMQP_URL is not set"):
            config.config("orders", as_json=True)
        assert "RELAIS_LANES" in capsys.readouterr().out


class TestRedacted:
    """What may be shown of a value."""

    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("amqp://u:p@h/", "amqp://u:***@h/"),
            ("amqp://u:p@q@h/", "amqp://u:***@h/"),
            ("amqp://h/", "amqp://h/"),
            ("amqp://u:p@a/ss@h/", "amqp://u:***@h/"),
            ("amqp://u@h/?heartbeat=5", "amqp://u@h/?heartbeat=5"),
            ("postgresql:///db?host=/run&user=u&password=p", "postgresql:///db?***"),
            ("info", "info"),
        ],
    )
    def test_hides_passwords_of_urls(self, value: str, shown: str) -> None:
        """The rest of a URL helps, and stays."""
        assert config.redacted("RELAIS_AMQP_URL", value) == shown

    def test_hides_whatever_is_called_a_secret(self) -> None:
        """A name is enough."""
        assert config.redacted("RELAIS_WEBHOOK_SECRET", "hush") == "***"
