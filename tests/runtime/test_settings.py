"""What a worker is told by its environment."""

import os
from pathlib import Path

import pytest
from pydantic import Field

from services.runtime.settings import ConfigurationError, Settings, database_url, load


@pytest.fixture(autouse=True)
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing but a broker."""
    for name in list(os.environ):
        if name.startswith("RELAIS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RELAIS_AMQP_URL", "amqp://broker")
    return monkeypatch


class TestSettings:
    """They come from RELAIS_*, and most have a default."""

    def test_have_defaults(self) -> None:
        """A broker is enough to start."""
        found = load(Settings)

        assert found.amqp_url == "amqp://broker"
        assert found.lanes == 8
        assert found.unknown_wait_seconds == 5
        assert found.inbox_days == 30

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("RELAIS_LANES", "many"),
            ("RELAIS_LANES", "0"),
            ("RELAIS_PREFETCH", "-1"),
            ("RELAIS_HTTP_PORT", "70000"),
            ("RELAIS_DRAIN_SECONDS", "soon"),
            ("RELAIS_LOG_LEVEL", "loud"),
        ],
    )
    def test_that_make_no_sense_are_named(
        self, env: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        """As the variable that somebody has set."""
        env.setenv(name, value)

        with pytest.raises(ConfigurationError, match=f"^{name} is {value!r}; .*should be"):
            load(Settings)

    def test_that_are_missing_are_named(self, env: pytest.MonkeyPatch) -> None:
        """Without a broker there is nothing to do."""
        env.delenv("RELAIS_AMQP_URL")

        with pytest.raises(
            ConfigurationError, match=r"^RELAIS_AMQP_URL is not set; .*amqp://user:"
        ):
            load(Settings)

    def test_that_are_wrong_are_told_all_at_once(self, env: pytest.MonkeyPatch) -> None:
        """Nobody starts a worker three times to learn of three mistakes."""
        env.delenv("RELAIS_AMQP_URL")
        env.setenv("RELAIS_LANES", "many")

        with pytest.raises(ConfigurationError, match=r"RELAIS_AMQP_URL .*; RELAIS_LANES is 'many'"):
            load(Settings)

    @pytest.mark.parametrize("name", ["RELAIS_INBOX_DAYS", "RELAIS_DRAIN_SECONDS"])
    def test_are_no_longer_than_a_clock_can_count(self, env: pytest.MonkeyPatch, name: str) -> None:
        """Found later, what they are added to would fail for ever."""
        env.setenv(name, "1000000000")

        with pytest.raises(ConfigurationError, match=f"{name} is '1000000000'"):
            load(Settings)

    @pytest.mark.parametrize(
        "url", ["foo", "localhost:1", "amqp://", "amqp://h:x/", "amqp://[::1", "http://h:1/", ""]
    )
    def test_that_are_no_url_are_told_with_the_form(
        self, env: pytest.MonkeyPatch, url: str
    ) -> None:
        """Before anything is tried with them."""
        env.setenv("RELAIS_AMQP_URL", url)

        with pytest.raises(ConfigurationError, match=r"^RELAIS_AMQP_URL must be amqp://user"):
            load(Settings)

    @pytest.mark.parametrize(
        "url", ["foo", "localhost:1", "http://h:1/", "postgresql://h:x/", "postgresql://[::1"]
    )
    @pytest.mark.parametrize("name", ["RELAIS_ORDERS_POSTGRES_URL", "RELAIS_POSTGRES_URL"])
    def test_that_are_no_database_are_told_with_the_form(
        self, env: pytest.MonkeyPatch, name: str, url: str
    ) -> None:
        """By the variable that holds it."""
        env.delenv("RELAIS_ORDERS_POSTGRES_URL", raising=False)
        env.setenv(name, url)

        with pytest.raises(ConfigurationError, match=f"^{name} must be postgresql://user"):
            database_url("orders")

    @pytest.mark.parametrize(
        "url", ["amqp://me:hush@h:x/", "amqp://me:hush", "host=h password=hush", "amqp:/m:hush@h"]
    )
    def test_that_are_urls_are_told_without_their_password(
        self, env: pytest.MonkeyPatch, url: str
    ) -> None:
        """What is printed is read by others."""
        env.setenv("RELAIS_AMQP_URL", url)

        with pytest.raises(ConfigurationError, match="RELAIS_AMQP_URL must be") as refused:
            load(Settings)

        assert "hush" not in str(refused.value)

    def test_of_a_service_come_beside_them(self, env: pytest.MonkeyPatch) -> None:
        """A service with settings of its own extends these."""

        class Own(Settings):
            stalled_after: int = Field(default=60, ge=1)

        env.setenv("RELAIS_STALLED_AFTER", "5")

        assert load(Own).stalled_after == 5


class TestASecret:
    """It may be in a file, which RELAIS_*_FILE names."""

    def test_is_read_from_its_file(self, env: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Without the end of line that editors put there."""
        env.delenv("RELAIS_AMQP_URL")
        (tmp_path / "url").write_text("amqp://secret\n")
        env.setenv("RELAIS_AMQP_URL_FILE", str(tmp_path / "url"))

        assert load(Settings).amqp_url == "amqp://secret"

    def test_gives_way_to_the_variable_itself(
        self, env: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """What is said outright counts."""
        (tmp_path / "url").write_text("amqp://secret")
        env.setenv("RELAIS_AMQP_URL_FILE", str(tmp_path / "url"))

        assert load(Settings).amqp_url == "amqp://broker"

    def test_whose_file_is_missing_is_named(self, env: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """With the path, and without a guess."""
        env.setenv("RELAIS_AMQP_URL_FILE", str(tmp_path / "none"))

        with pytest.raises(ConfigurationError, match=r"^RELAIS_AMQP_URL_FILE: cannot read .*none"):
            load(Settings)


class TestADatabase:
    """Each service has one of its own."""

    def test_is_the_one_that_is_named(self, env: pytest.MonkeyPatch) -> None:
        """By the variable of its service."""
        env.setenv("RELAIS_POSTGRES_URL", "postgresql://server/any")
        env.setenv("RELAIS_ORDERS_POSTGRES_URL", "postgresql://own/orders")

        assert database_url("orders") == "postgresql://own/orders"

    def test_is_else_named_after_its_service(self, env: pytest.MonkeyPatch) -> None:
        """On the server that all share, with its parameters."""
        env.setenv("RELAIS_POSTGRES_URL", "postgresql://u:p@server:1/any?sslmode=require")

        expected = "postgresql://u:p@server:1/relais_orders?sslmode=require"
        assert database_url("orders") == expected

    def test_that_nobody_names_is_asked_for(self) -> None:
        """By the name of the variable to set."""
        with pytest.raises(ConfigurationError, match="set RELAIS_ORDERS_POSTGRES_URL to"):
            database_url("orders")
