-- migrate:up

-- The runtime makes a table of this name, into which the next file moves these.
ALTER TABLE jobs RENAME TO package_jobs;
ALTER INDEX jobs_pkey RENAME TO package_jobs_pkey;

-- migrate:down

ALTER INDEX package_jobs_pkey RENAME TO jobs_pkey;
ALTER TABLE package_jobs RENAME TO jobs;
