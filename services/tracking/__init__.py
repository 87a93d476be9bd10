"""The tracking service: the read model that every list, page and question is answered from."""
