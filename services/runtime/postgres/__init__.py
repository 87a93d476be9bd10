"""What talks to Postgres: connections and migrations."""
