"""What Relais runs on."""
