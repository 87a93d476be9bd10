"""What holds of entities whatever is asked of them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.directory import EntityCommand, EntityEvent, EntityState
from services.directory import handlers
from services.runtime.decision import Accepted, Refused, Unchanged
from tests.directory.given import (
    GIVEN,
    activation,
    deactivation,
    received,
    registration,
    update,
    world,
)

IDS = st.sampled_from(["OU1", "OU2", "central"])
MAILBOXES = st.sampled_from([None, "REGION1", "OU1", "central"])
OPTIONAL = {
    "email": st.sampled_from([None, GIVEN["email"]]),
    "channels": st.sampled_from([None, ["mailbox"], ["email", "webhook"]]),
    "mailbox": MAILBOXES,
    "notify": st.sampled_from([None, [], GIVEN["notify"]]),
}
COMMANDS: st.SearchStrategy[EntityCommand] = st.one_of(
    st.builds(registration, IDS, mailbox=MAILBOXES),
    st.builds(
        lambda entity_id, changes: update(entity_id, **changes),
        IDS,
        st.fixed_dictionaries({}, optional=OPTIONAL | {"label": st.sampled_from(["A", "B"])}),
    ),
    st.builds(deactivation, IDS),
    st.builds(activation, IDS),
)


@given(st.lists(COMMANDS, max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_sequence_leaves_sound_entities(commands: list[EntityCommand]) -> None:
    """Versions count changes one by one, states read back as they are, and central stays free."""
    known = world()
    versions: dict[str, int] = {}
    for command in commands:
        decision = handlers.handle(known, received(command))
        if isinstance(decision, Accepted):
            (event,) = decision.events
            assert isinstance(event, EntityEvent)
            versions[event.entity_id] = versions.get(event.entity_id, 0) + 1
            assert event.version == versions[event.entity_id]
    for state in known.entities.values():
        assert EntityState.model_validate_json(state.model_dump_json()) == state
        assert "central" not in (state.entity_id, state.mailbox)
        assert state.version == versions[state.entity_id]


@given(st.lists(COMMANDS, max_size=30))
@settings(max_examples=200, deadline=None)
def test_a_repeat_changes_nothing(commands: list[EntityCommand]) -> None:
    """A command decided again right after itself is unchanged, or refused as it was."""
    known = world()
    for command in commands:
        first = handlers.handle(known, received(command))
        before = known.entities.get(command.entity_id)
        again = handlers.handle(known, received(command))
        assert known.entities.get(command.entity_id) is before
        match first, again:
            case Accepted(), Unchanged():
                pass
            case Accepted(), Refused(code="already_exists"):
                assert command.wire_type == "relais.entity.register.v1"
            case _:
                assert again == first
