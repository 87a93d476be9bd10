-- migrate:up

-- The jobs of packages are jobs of the runtime: the line is the package; each edition has two
-- places, that of its reinitialization before that of its cancel.
INSERT INTO jobs (line, place, kind, state, cursor, counts, arguments, cause, last_piece)
SELECT package_id, 2 * edition + (kind = 'cancel')::int, kind,
       CASE WHEN done THEN 'done' ELSE 'running' END,
       CASE WHEN after_campaign <> '' THEN jsonb_build_array(after_campaign, after_process) END,
       jsonb_build_object('visited', visited,
                          'expected', CASE WHEN after_campaign <> '' THEN expected ELSE 0 END,
                          'campaigns', campaigns, 'processes_stopped', processes_stopped,
                          'too_late', too_late),
       jsonb_build_object('edition', edition, 'campaign_id', campaign_id, 'is_late', true),
       cause, nextval('job_pieces')
FROM (SELECT * FROM package_jobs ORDER BY visited) AS j;
DROP TABLE package_jobs;

-- migrate:down

CREATE TABLE package_jobs (
    package_id        text    NOT NULL,
    edition           integer NOT NULL,
    kind              text    NOT NULL,
    campaign_id       text    NOT NULL,
    after_campaign    text    NOT NULL,
    after_process     text,
    visited           integer NOT NULL,
    expected          integer NOT NULL,
    campaigns         integer NOT NULL,
    processes_stopped integer NOT NULL,
    too_late          integer NOT NULL,
    done              boolean NOT NULL,
    cause             jsonb   NOT NULL,
    PRIMARY KEY (package_id, edition, kind)
) WITH (fillfactor = 60);
CREATE INDEX jobs_under_way ON package_jobs (package_id) WHERE NOT done;
CREATE INDEX jobs_visited ON package_jobs (visited) WHERE NOT done;
INSERT INTO package_jobs
SELECT line, (arguments ->> 'edition')::int, kind, coalesce(arguments ->> 'campaign_id', ''),
       coalesce(cursor ->> 0, ''), cursor ->> 1, coalesce((counts ->> 'visited')::int, 0),
       coalesce((counts ->> 'expected')::int, 0), coalesce((counts ->> 'campaigns')::int, 0),
       coalesce((counts ->> 'processes_stopped')::int, 0),
       coalesce((counts ->> 'too_late')::int, 0), state = 'done', cause
FROM jobs;
DELETE FROM jobs;
