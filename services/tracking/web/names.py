"""What names of people and programs, and ids of entities, look like."""

import re

FORM = "1 to 128 characters without blanks at its ends and without control characters"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_name(text: str) -> bool:
    """Whether a text may be the name of an operator or of a token: it is an actor in messages."""
    return 0 < len(text) <= 128 and text == text.strip() and text.isprintable()


def is_id(text: str) -> bool:
    """Whether a text may be the id of an entity."""
    return _ID.fullmatch(text) is not None
