"""The packages service: the life of a package, and the ledger of its cancels."""
