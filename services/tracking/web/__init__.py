"""What tracking serves over HTTP."""
