"""The services of Relais, what they run on, and the command line."""
