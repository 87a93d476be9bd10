"""The rules of entities: what each command leaves behind, and the sentences of its refusals."""

from typing import Any

import pytest

from contracts import names
from contracts.directory import EntityState
from services.runtime.decision import Unchanged, Unknown
from tests.directory.given import (
    GIVEN,
    NOW,
    activation,
    deactivation,
    decide,
    entity,
    registration,
    update,
)
from tests.directory.then import event_of, refused

CLEARED: list[tuple[str, Any]] = [
    ("email", None),
    ("language", None),
    ("channels", ["mailbox"]),
    ("mailbox", "OU3"),
    ("webhook_url", None),
    ("notify", None),
    ("order_reviewers", None),
    ("campaign_reviewers", None),
]
"""Each optional field, and what it has after null."""

CHANGED: list[tuple[str, Any]] = [
    ("label", "Agence de Paris"),
    ("email", "paris@example.org"),
    ("language", "pt-BR"),
    ("channels", ["webhook"]),
    ("mailbox", "REGION2"),
    ("webhook_url", "https://paris.example.org/hook"),
    ("notify", [{"id": "a", "label": "A", "email": None}]),
    ("order_reviewers", [{"id": "b", "label": "B", "email": None}]),
    ("campaign_reviewers", [{"id": "c", "label": "C", "email": None}]),
]


class TestARegistration:
    """entity.register makes an entity known."""

    def test_keeps_every_field(self) -> None:
        """What the command gives is the state, active and in its first version."""
        event = event_of(decide(registration(**GIVEN)))
        assert event.state == entity(version=1, changed_at=NOW)

    def test_gives_a_mailbox_of_the_entitys_own_name(self) -> None:
        """Without a mailbox and channels, the entity reads the mailbox named as itself."""
        event = event_of(decide(registration("OU7")))
        assert (event.mailbox, event.channels) == ("OU7", ["mailbox"])

    def test_may_share_a_mailbox(self) -> None:
        """A gateway's mailbox serves many entities, also one that an entity is named after."""
        event = event_of(decide(registration("OU7", mailbox="OU3"), entity()))
        assert event.mailbox == "OU3"

    @pytest.mark.parametrize("channel", ["email", "webhook"])
    def test_is_accepted_without_the_address_of_a_channel(self, channel: str) -> None:
        """The address may come later; until then deliveries fail where an operator sees them."""
        assert event_of(decide(registration(channels=[channel]))).channels == [channel]

    def test_of_an_inactive_entity_says_how_to_activate_it(self) -> None:
        """Who registers again what was deactivated learns the command that was meant."""
        refusal = refused(decide(registration(), entity(active=False)))
        assert "entity.activate" in refusal.message

    def test_of_a_known_entity_tells_its_version_and_label(self) -> None:
        """The sender can see whether it is the same entity."""
        refusal = refused(decide(registration(), entity(label="Agence de Nice")))
        assert refusal.version == 4
        assert "OU3" in refusal.message
        assert "Agence de Nice" in refusal.message


class TestTheReservedName:
    """`central` is the operators', and nobody else's."""

    @pytest.mark.parametrize(
        "command", [registration, update, deactivation, activation], ids=lambda c: c.__name__
    )
    def test_is_no_entity(self, command: Any) -> None:
        """Every command about it is refused at once, on the subject."""
        refusal = refused(decide(command(names.CENTRAL)))
        assert (refusal.code, refusal.errors[0].field) == ("invalid", "subject")
        assert not isinstance(refusal, Unknown)
        assert "reserved" in refusal.message

    def test_is_no_mailbox_of_a_new_entity(self) -> None:
        """An entity never reads what is meant for operators."""
        refusal = refused(decide(registration(mailbox=names.CENTRAL)))
        assert (refusal.code, refusal.errors[0].field) == ("invalid", "data.mailbox")

    def test_is_no_mailbox_of_a_known_entity(self) -> None:
        """Nor does it by a change."""
        refusal = refused(decide(update(mailbox=names.CENTRAL), entity()))
        assert (refusal.code, refusal.errors[0].field) == ("invalid", "data.mailbox")


class TestAnUpdate:
    """entity.update changes what it names."""

    @pytest.mark.parametrize(("field", "value"), CHANGED)
    def test_changes_the_field_it_names_and_no_other(self, field: str, value: Any) -> None:
        """An absent field is unchanged; the version counts the change."""
        event = event_of(decide(update(**{field: value}), entity()))
        assert event.state == entity(**{field: value}, version=5, changed_at=NOW)

    @pytest.mark.parametrize(("field", "left"), CLEARED)
    def test_with_null_clears_an_optional_field(self, field: str, left: Any) -> None:
        """A field with a default falls back to it: mailbox to the entity's id."""
        cleared: dict[str, Any] = {field: None}
        event = event_of(decide(update(**cleared), entity()))
        assert event.model_dump(mode="json")[field] == left

    @pytest.mark.parametrize("field", [*GIVEN, "nothing"])
    def test_with_the_present_value_changes_nothing(self, field: str) -> None:
        """A value equal to the present one is no change, and no change at all is unchanged."""
        given = {} if field == "nothing" else {field: GIVEN[field]}
        assert decide(update(**given), entity()) == Unchanged(
            "entity OU3 has these values already", 4
        )

    def test_with_null_for_its_own_mailbox_changes_nothing(self) -> None:
        """Null names the same mailbox that the entity has without a mailbox of another name."""
        assert isinstance(decide(update(mailbox=None), entity(mailbox="OU3")), Unchanged)

    def test_replaces_a_list_as_a_whole(self) -> None:
        """A list is not merged with the one before."""
        two = [{"id": "a", "label": "A"}, {"id": "b", "label": "B"}]
        event = event_of(decide(update(notify=two[1:]), entity(notify=two)))
        assert [operator.id for operator in event.notify or []] == ["b"]

    def test_reaches_an_inactive_entity(self) -> None:
        """An entity is corrected without being activated."""
        assert event_of(decide(update(label="Agence"), entity(active=False))).active is False


class TestADeactivation:
    """entity.deactivate and entity.activate change nothing but whether an entity is active."""

    @pytest.mark.parametrize("active", [True, False])
    def test_changes_nothing_else(self, active: bool) -> None:
        """Everything an entity said of itself waits for its return."""
        command = deactivation() if active else activation()
        event = event_of(decide(command, entity(active=active)))
        assert event.state == entity(active=not active, version=5, changed_at=NOW)


class TestAnUnknownEntity:
    """A command about an entity that may be registered a moment later waits."""

    def test_is_waited_for(self) -> None:
        """The refusal is one that is decided again for a while."""
        assert isinstance(decide(update(label="Agence")), Unknown)

    def test_is_named_with_the_command_that_makes_it_known(self) -> None:
        """Who reads the refusal knows what to send."""
        message = refused(decide(deactivation("OU9"))).message
        assert "OU9" in message
        assert "entity.register" in message


def test_a_state_is_whole() -> None:
    """Every field of the state is on the event, also where nothing was given."""
    event = event_of(decide(registration()))
    assert set(event.model_dump()) == set(EntityState.model_fields)
