"""Answers to senders of commands, through the default exchange."""

import re
import uuid

from contracts import envelope, names
from contracts.outcomes import CommandOutcome, Outcome, RefusalCode
from services.runtime.amqp.frames import Outgoing
from services.runtime.decision import Answer
from services.runtime.messages.item import Item

OURS = re.compile(r"(relais|mailbox)\..*|.*\.(lane\.\d+|dead(\.expired)?)")
"""Queues that nobody may have answers put into."""


def reply(service: str, asked: Item, answer: Answer) -> Outgoing | None:
    """The answer to one command; None where nobody asked, or nothing is decided yet."""
    to = asked.origin.reply_to if asked.origin.is_command else None
    if not (to and answer.outcome in list(Outcome)) or OURS.fullmatch(to):
        return None
    correlation = asked.origin.correlation_id or asked.id or asked.origin.message_id
    body = CommandOutcome(
        about=asked.subject,
        command_id=asked.id,
        command_type=asked.type,
        outcome=Outcome(answer.outcome),
        code=RefusalCode(answer.code) if answer.code else None,
        message=answer.message,
        version=answer.version,
        errors=list(answer.errors) or None,
    )
    data = body.data_json()
    # The same answer again is the same message; one that follows it is another.
    named = f"{service}|{asked.identity or asked.digest}|{data.decode()}"
    id = str(uuid.uuid5(uuid.NAMESPACE_OID, named))
    return Outgoing(
        exchange="",
        routing_key=to,
        body=envelope.write(
            id=id,
            source=names.source(service),
            type=body.TYPE,
            subject=body.subject,
            data_json=data,
            correlationid=asked.correlationid,
            causationid=asked.id,
        ),
        type=body.TYPE,
        message_id=id,
        correlation_id=names.short(correlation) or "",
        content_type=names.CLOUDEVENT,
        app_id=names.source(service),
        mandatory=False,
    )
