"""What a worker is told by its environment."""

import os
import re
from functools import partial
from pathlib import Path

import pytest
from pydantic import Field

from services.runtime import settings
from services.runtime.settings import (
    ConfigurationError,
    Current,
    Settings,
    database_url,
    load,
)

ROOT = Path(__file__).parents[2]
NAMING = [
    *(ROOT / name for name in ("run", "docker-compose.yml", "README.md", "tests/README.md")),
    *(path for folder in ("services", "infra") for path in (ROOT / folder).rglob("*.py")),
    *(ROOT / "services").rglob("*.md"),
]
EXAMPLES = {"RELAIS_X", "RELAIS_X_FILE"}


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

    @pytest.mark.parametrize("name", ["RELAIS_AMQP_URL", "RELAIS_ORDERS_POSTGRES_URL"])
    def test_beside_its_variable_is_one_too_many(
        self, env: pytest.MonkeyPatch, tmp_path: Path, name: str
    ) -> None:
        """Nobody could see which of them counts."""
        env.setenv(name, "amqp://broker")
        env.setenv(f"{name}_FILE", str(tmp_path / "url"))

        with pytest.raises(ConfigurationError, match=f"{name} and {name}_FILE are both set"):
            settings.given(name)

    def test_counts_beside_an_empty_variable(self, env: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Compose passes on an empty one where nothing is set."""
        (tmp_path / "url").write_text("amqp://secret")
        env.setenv("RELAIS_AMQP_URL", "")
        env.setenv("RELAIS_AMQP_URL_FILE", str(tmp_path / "url"))

        assert load(Settings).amqp_url == "amqp://secret"

    def test_leaves_the_environment_as_it_is(self, env: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """A process that is started from here would get both."""
        env.delenv("RELAIS_AMQP_URL")
        (tmp_path / "url").write_text("amqp://secret")
        env.setenv("RELAIS_AMQP_URL_FILE", str(tmp_path / "url"))

        load(Settings)

        assert "RELAIS_AMQP_URL" not in os.environ

    def test_that_is_no_text_is_named(self, env: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """As one that is missing."""
        (tmp_path / "url").write_bytes(b"\xff\xfe")
        env.setenv("RELAIS_LANES_FILE", str(tmp_path / "url"))

        with pytest.raises(ConfigurationError, match=r"^RELAIS_LANES_FILE: cannot read"):
            load(Settings)

    def test_whose_file_is_missing_is_named(self, env: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """With the path, and without a guess."""
        env.delenv("RELAIS_AMQP_URL")
        env.setenv("RELAIS_AMQP_URL_FILE", str(tmp_path / "none"))

        with pytest.raises(ConfigurationError, match=r"^RELAIS_AMQP_URL_FILE: cannot read .*none"):
            load(Settings)


class TestAUrlThatChanges:
    """Who may log in changes while workers run."""

    def test_is_read_at_each_connection(self, env: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """From the file of its secret, of the service or of the server."""
        (tmp_path / "url").write_text("postgresql://u:old@server/any")
        env.setenv("RELAIS_POSTGRES_URL_FILE", str(tmp_path / "url"))
        url = Current(partial(database_url, "orders"))
        assert url() == "postgresql://u:old@server/relais_orders"

        (tmp_path / "url").write_text("postgresql://u:new@server/any")

        assert url() == "postgresql://u:new@server/relais_orders"

    @pytest.mark.parametrize("text", ["", "half of a UR", None])
    def test_stays_while_it_cannot_be_read(
        self, env: pytest.MonkeyPatch, tmp_path: Path, text: str | None
    ) -> None:
        """Whoever writes the file may be in the middle of it."""
        env.delenv("RELAIS_AMQP_URL")
        (tmp_path / "url").write_text("amqp://u:old@broker/")
        env.setenv("RELAIS_AMQP_URL_FILE", str(tmp_path / "url"))
        url = Current(settings.amqp_url)

        if text is None:
            (tmp_path / "url").unlink()
        else:
            (tmp_path / "url").write_text(text)

        assert url() == "amqp://u:old@broker/"

    def test_must_be_there_at_the_start(self, env: pytest.MonkeyPatch) -> None:
        """A worker without one has never worked."""
        env.delenv("RELAIS_AMQP_URL")

        with pytest.raises(ConfigurationError, match="RELAIS_AMQP_URL must be"):
            Current(settings.amqp_url)


class TestAVariableThatIsNoSetting:
    """It was meant to change something."""

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("RELAIS_LANE", "RELAIS_LANES"),
            ("RELAIS_LANE_FILE", "RELAIS_LANES"),
            ("RELAIS_AMPQ_URL", "RELAIS_AMQP_URL"),
            ("RELAIS_LOGLEVEL", "RELAIS_LOG_LEVEL"),
            ("RELAIS_DRAIN", "RELAIS_DRAIN_SECONDS"),
            ("RELAIS_STALLED_AFTER", "RELAIS_STALLED_AFTER_SECONDS"),
            ("RELAIS_ORDER_POSTGRES_URL", "RELAIS_ORDERS_POSTGRES_URL"),
        ],
    )
    def test_is_refused_where_it_resembles_one(
        self, env: pytest.MonkeyPatch, name: str, meant: str
    ) -> None:
        """The worker would run with a default that nobody wanted."""
        env.setenv(name, "16")

        with pytest.raises(ConfigurationError, match=rf"{name} is no setting; .* {meant}\?"):
            load(Settings)

    @pytest.mark.parametrize(
        "name",
        [
            "RELAIS_PORT",
            "RELAIS_PORT_5672_TCP_ADDR",
            "RELAIS_ORDERS_SERVICE_HOST",
            "RELAIS_ARCHIVE_POSTGRES_URL",
            "RELAIS_ARCHIVE_PORT",
        ],
    )
    def test_is_else_only_reported(self, env: pytest.MonkeyPatch, name: str) -> None:
        """Kubernetes makes some, and a newer release may read others."""
        env.setenv(name, "tcp://10.0.0.1:5672")

        load(Settings)

        assert settings.unknown() == [(name, "")]

    def test_is_none_of_those_that_the_project_names(self, env: pytest.MonkeyPatch) -> None:
        """Of ./run, Compose, tests and READMEs: one list has them all."""
        named: set[str] = set()
        for path in NAMING:
            named |= set(re.findall(r"\b(RELAIS_[A-Z_]*[A-Z])(?![A-Z_{<*])", path.read_text()))
        assert {"RELAIS_INFRA", "RELAIS_BROKER_PASSWORD", "RELAIS_UV"} <= named
        for name in named - EXAMPLES:
            env.setenv(name, "")

        assert settings.unknown() == []


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

    def test_may_have_several_hosts(self, env: pytest.MonkeyPatch) -> None:
        """Each of which has to make sense."""
        env.setenv("RELAIS_POSTGRES_URL", "postgresql://u:p@a:1,[::1]:2,c/any?x=1")
        assert database_url("orders") == "postgresql://u:p@a:1,[::1]:2,c/relais_orders?x=1"

        env.setenv("RELAIS_POSTGRES_URL", "postgresql://u:hush@a:1,:2/any")
        with pytest.raises(ConfigurationError, match=r"^RELAIS_POSTGRES_URL must be"):
            database_url("orders")

    def test_that_nobody_names_is_asked_for(self) -> None:
        """By the name of the variable to set."""
        with pytest.raises(ConfigurationError, match="set RELAIS_ORDERS_POSTGRES_URL to"):
            database_url("orders")
