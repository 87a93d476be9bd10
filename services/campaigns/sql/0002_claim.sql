-- migrate:up

-- The job that was left alone longest is claimed, however many are under way.
CREATE INDEX jobs_visited ON jobs (visited) WHERE NOT done;

-- migrate:down

DROP INDEX jobs_visited;
