"""The messages that cross a boundary of Relais; nothing here imports the rest of it."""
