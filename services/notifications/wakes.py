"""The names of this service's sweeps: whoever leaves them work calls them by these."""

SEND = "send"
SEND_TOO = "send_too"
"""It does the same: while one talks to the broker, the other talks to the database.  Only where
there is more than one can take it is called; otherwise it looks by itself."""
CANCELS = "cancels"
MAILBOXES = "mailboxes"
