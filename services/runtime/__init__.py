"""The engines that every service runs on; knows no business word."""
