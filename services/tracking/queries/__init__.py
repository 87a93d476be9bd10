"""What is read from the tables of tracking: one module for each kind of question."""
