"""Other ways to do the same work: one message, one transaction.

Each module names its queue, fills it (`python -m tests.bench.peers.<name> COUNT`), and works.
They run in an environment of their own and import nothing of ours but this folder and the orders.
"""
