"""The messages of the sixth service, which no catalogue lists."""

from typing import ClassVar

from contracts.fields import Id
from contracts.message import Command, Event


class Greet(Command):
    """Greet a guest."""

    TYPE: ClassVar[str] = "relais.sixth.greet.v1"
    SUBJECT: ClassVar[str] = "guest_id"

    guest_id: Id


class Greeted(Event):
    """A guest was greeted; version counts how often."""

    TYPE: ClassVar[str] = "relais.sixth.greeted.v1"
    SUBJECT: ClassVar[str] = "guest_id"

    guest_id: Id
    version: int
