"""A sixth service, as somebody else would add it: a package of its own beside this project.

A test copies it to where nothing of Relais is, so its modules import each other relatively.
"""
