"""The names of this service's sweeps: whoever leaves them work calls them by these."""

FAN_OUT = "fan_out"
SEND = ("send", "send_too")
"""Two that do the same: while one talks to the broker, the other talks to the database."""
CANCELS = "cancels"
MAILBOXES = "mailboxes"
