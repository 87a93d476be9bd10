"""The schemas that hold the model: one is read, the other is there while a rebuild fills it."""

MODEL, NEXT = "model", "next"


def within(schema: str, statement: str) -> str:
    """A statement about the model, in one of its schemas."""
    return statement if schema == MODEL else statement.replace("model.", f"{schema}.")
