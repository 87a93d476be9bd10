"""The sentences that say why a thing is as it is, in English: each is whole, with named places.

A translation is another module with the same names.
"""

STATES = {
    "package.being_edited": "{id} is being edited",
    "package.pending_approval": "{id} waits for approval",
    "package.approved": "{id} is approved",
    "package.rejected": "{id} is rejected",
    "package.published": "{id} is published",
    "package.canceled": "{id} is canceled",
    "order.ordered": "{id} waits for approval",
    "order.approved": "{id} is approved",
    "order.rejected": "{id} is rejected",
    "order.available": "{id} is available",
    "order.canceled": "{id} is canceled",
    "campaign.being_edited": "{id} is being edited",
    "campaign.started": "{id} is started",
    "campaign.finished": "{id} is finished",
    "campaign.canceled": "{id} is canceled",
    "process.pending": "{id} waits to be started",
    "process.running": "{id} is running",
    "process.paused": "{id} is paused",
    "process.finished": "{id} is finished",
    "process.failed": "{id} has failed",
    "process.stopped": "{id} is stopped",
    "entity.active": "{id} is active",
    "entity.inactive": "{id} is inactive",
    "notification.pending": "the notice {notice} to {owner} waits to be sent",
    "notification.sent": "the notice {notice} to {owner} was sent",
    "notification.failed": "the notice {notice} to {owner} has failed ({detail})",
    "notification.superseded": "the notice {notice} to {owner} was not sent",
    "parked.parked": "message {id} is parked ({notice}: {detail})",
    "parked.handled": "message {id} was handled again",
    "parked.refused": "message {id} was retried and refused",
    "parked.replaced": "message {id} was replaced",
    "parked.discarded": "message {id} was discarded",
}
"""What a thing is, by kind and status."""
STATE = "{id} is {status}"
"""The same of a status that is new."""

DEEDS = {
    "package.created": "{actor} created {subject} at {time}",
    "package.edited": "{actor} edited {subject} at {time}",
    "package.submitted": "{actor} submitted {subject} at {time}",
    "package.approved": "{actor} approved {subject} at {time}",
    "package.rejected": "{actor} rejected {subject} at {time}",
    "package.published": "{actor} published {subject} at {time}",
    "package.canceled": "{actor} canceled {subject} at {time}",
    "package.reinitialized": "{actor} reinitialized {subject} at {time}",
    "order.placed": "{actor} placed {subject} at {time}",
    "order.edited": "{actor} edited {subject} at {time}",
    "order.approved": "{actor} approved {subject} at {time}",
    "order.rejected": "{actor} rejected {subject} at {time}",
    "order.available": "{subject} became available at {time}",
    "order.canceled": "{actor} canceled {subject} at {time}",
    "orders.placed": "the orders of {subject} were placed at {time}",
    "orders.available": "the orders of {subject} became available at {time}",
    "orders.canceled": "the orders of {subject} were canceled at {time}",
    "campaign.created": "{actor} created {subject} at {time}",
    "campaign.started": "{actor} started {subject} at {time}",
    "campaign.finished": "the last process of {subject} ended at {time}",
    "campaign.canceled": "{actor} canceled {subject} at {time}",
    "campaign.reinitialized": "{actor} reinitialized {subject} at {time}",
    "process.started": "{actor} started {subject} at {time}",
    "process.paused": "{actor} reported that it was paused at {time}",
    "process.finished": "{actor} reported that it was finished at {time}",
    "process.failed": "{actor} reported that it had failed at {time}",
    "process.stopped": "{actor} stopped {subject} at {time}",
    "entity.registered": "{actor} registered {subject} at {time}",
    "entity.updated": "{actor} updated {subject} at {time}",
    "entity.deactivated": "{actor} deactivated {subject} at {time}",
    "entity.activated": "{actor} activated {subject} at {time}",
}
"""What somebody did, as the reason why a thing is as it is."""
OWN_DEEDS = {
    "package.created": "{actor} created it at {time}",
    "package.submitted": "{actor} submitted it at {time}",
    "package.approved": "{actor} approved it at {time}",
    "package.rejected": "{actor} rejected it at {time}",
    "package.published": "{actor} published it at {time}",
    "package.canceled": "{actor} canceled it at {time}",
    "package.reinitialized": "{actor} reinitialized it at {time}",
    "order.placed": "{actor} placed it at {time}",
    "order.placed.approved": "{actor} placed it at {time} and {package_id} approves by itself",
    "order.approved": "{actor} approved it at {time}",
    "order.rejected": "{actor} rejected it at {time}",
    "order.available": "it became available at {time}",
    "order.canceled": "{actor} canceled it at {time}",
    "campaign.created": "{actor} created it at {time}",
    "campaign.started": "{actor} started it at {time}",
    "campaign.finished": "its last process ended at {time}",
    "campaign.canceled": "{actor} canceled it at {time}",
    "campaign.reinitialized": "{actor} reinitialized it at {time}",
    "entity.registered": "{actor} registered it at {time}",
    "entity.deactivated": "{actor} deactivated it at {time}",
    "entity.activated": "{actor} activated it at {time}",
}
"""The same where the thing itself is what it was done to."""
TIMED = {
    "package.published": "the time came at which {subject} is published: {time}",
    "order.available": "the time came at which {subject} is available: {time}",
    "orders.available": "the time came at which the orders of {subject} are available: {time}",
    "orders.placed": "orders of {subject} were made by themselves at {time}",
}
"""The same where nobody did it: a moment was reached."""
DEED = "{actor} caused {type} of {subject} at {time}"
"""The same of an event that is new."""
COMMANDED = "{actor} sent {type} for {subject} at {time}"
SENT = "{actor} sent the command {command_id} at {time}"
"""The same where a command led to no event of its own."""
COMMAND_ID = "the command {command_id} did"
MESSAGE = "of the message {message_id}"
"""Where nothing but its id is known."""

BECAUSE = "{state} because {deed}"
BECAUSE_AS_SAID = "{state} because {deed}: {comment}"
SINCE = "{state} since {time}"

SOMEBODY = "somebody"
TIME = "{at:%H:%M:%S}"
DAY_AND_TIME = "{at:%H:%M:%S} on {at.day} {month} {at.year}"
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)

OUTCOMES = {
    "accepted": "{type} of {subject} was accepted",
    "unchanged": "{type} of {subject} changed nothing: {message}",
    "refused": "{type} of {subject} was refused: {message}",
    "parked": "{type} of {subject} is parked: {message}",
    "planned": "{type} of {subject} is planned",
    "withdrawn": "{type} of {subject} was withdrawn",
    "sent": "{type} of {subject} was sent and has no outcome yet",
    "sending": "{type} of {subject} is being sent",
}
"""What became of a command."""
SOME_COMMAND = "the command {command_id} had effect"
"""The same of one of which only the events are known."""

PARTS_OF_MANY = {
    "orders.placed": (
        "{service} made an order of {subject}",
        "{service} made {n} orders of {subject}",
    ),
    "orders.available": (
        "{service} made an order of {subject} available",
        "{service} made {n} orders of {subject} available",
    ),
    "orders.canceled": (
        "{service} canceled an order of {subject}",
        "{service} canceled {n} orders of {subject}",
    ),
    "campaign.created": (
        "{service} made a campaign for {subject}",
        "{service} made {n} campaigns for {subject}",
    ),
    "campaign.started": (
        "{service} started a campaign of {subject}",
        "{service} started {n} campaigns of {subject}",
    ),
    "campaign.canceled": (
        "{service} canceled a campaign of {subject}",
        "{service} canceled {n} campaigns of {subject}",
    ),
    "campaign.reinitialized": (
        "{service} reinitialized a campaign of {subject}",
        "{service} reinitialized {n} campaigns of {subject}",
    ),
    "process.started": (
        "{service} started a process for {subject}",
        "{service} started {n} processes for {subject}",
    ),
    "process.stopped": (
        "{service} stopped a process for {subject}",
        "{service} stopped {n} processes for {subject}",
    ),
    "notification.sent": (
        "{service} sent a notice about {subject}",
        "{service} sent {n} notices about {subject}",
    ),
    "notification.failed": (
        "{service} could not send a notice about {subject}",
        "{service} could not send {n} notices about {subject}",
    ),
    "notification.superseded": (
        "{service} dropped a notice about {subject}",
        "{service} dropped {n} notices about {subject}",
    ),
}
"""What a service did to one, and to several things, because of one cause."""
PART = "{service}: {type} of {subject}"
"""What a service did of which there is no text yet."""
PARTS = {
    "package.created": "{service} created {subject}",
    "package.submitted": "{service} submitted {subject} for approval",
    "package.approved": "{service} approved {subject}",
    "package.rejected": "{service} rejected {subject}",
    "package.published": "{service} published {subject}",
    "package.canceled": "{service} canceled {subject}",
    "package.reinitialized": "{service} reinitialized {subject}",
    "order.placed": "{service} took the order {subject}",
    "order.approved": "{service} approved {subject}",
    "order.rejected": "{service} rejected {subject}",
    "order.available": "{service} made {subject} available",
    "order.canceled": "{service} canceled {subject}",
    "campaign.created": "{service} created {subject}",
    "campaign.started": "{service} started {subject}",
    "campaign.finished": "{service} finished {subject}",
    "campaign.canceled": "{service} canceled {subject}",
    "campaign.reinitialized": "{service} reinitialized {subject}",
    "process.started": "{service} started a process of {subject}",
    "process.paused": "{service} noted that a process of {subject} was paused",
    "process.finished": "{service} noted that a process of {subject} was finished",
    "process.failed": "{service} noted that a process of {subject} had failed",
    "process.stopped": "{service} stopped a process of {subject}",
    "entity.registered": "{service} registered {subject}",
    "entity.deactivated": "{service} deactivated {subject}",
    "entity.activated": "{service} activated {subject}",
    "command.refused": "{service} refused the command for {subject}",
    "command.unchanged": "{service} found nothing to change for {subject}",
    "message.parked": "{service} parked a message",
    "message.released": "{service} released a parked message",
}
"""What a service did."""
ASKED = "{actor} asked for {type} of {subject}"
ASKED_ID = "{actor} sent the command {command_id}"

REMARKS = {
    "older": "What caused this is older than the records of tracking.",
    "gap": "The steps between the first and the next of these are not recorded one by one.",
    "cut": "There are more causes than are shown.",
    "by_itself": "No command caused this.",
}
"""What else is to be known of a chain."""
