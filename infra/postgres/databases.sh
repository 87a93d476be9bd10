#!/bin/sh
# A database and a role of its own for each of RELAIS_SERVICES (names with spaces between them);
# run once, by the image, on an empty volume.
set -eu
for service in $RELAIS_SERVICES; do
  psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    -v role="relais_$service" -v password="$RELAIS_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"role" OWNER :"role" TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE :"role" FROM PUBLIC;
SQL
done
