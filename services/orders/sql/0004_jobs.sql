-- migrate:up

-- The cancels of packages are jobs of the runtime: the line is the package, the place its edition.
INSERT INTO jobs (line, place, kind, state, cursor, counts, arguments, cause, last_piece)
SELECT package_id, edition, 'cancel', state,
       CASE WHEN expected IS NOT NULL THEN jsonb_build_array(cursor_entity, cursor_order) END,
       jsonb_build_object('expected', coalesce(expected, 0), 'canceled', canceled,
                          'already_final', already_final),
       '{}', cause, nextval('job_pieces')
FROM (SELECT * FROM cancels ORDER BY worked_at) AS c;
DROP TABLE cancels;

-- migrate:down

CREATE TABLE cancels (
    package_id    text        NOT NULL,
    edition       integer     NOT NULL,
    state         text        NOT NULL,
    cursor_entity text        NOT NULL DEFAULT '',
    cursor_order  text        NOT NULL DEFAULT '',
    expected      integer,
    canceled      integer     NOT NULL DEFAULT 0,
    already_final integer     NOT NULL DEFAULT 0,
    worked_at     timestamptz NOT NULL,
    cause         jsonb       NOT NULL,
    PRIMARY KEY (package_id, edition)
) WITH (fillfactor = 60);
CREATE INDEX cancels_running ON cancels (worked_at) WHERE state = 'running';
INSERT INTO cancels
SELECT line, place, state, coalesce(cursor ->> 0, ''), coalesce(cursor ->> 1, ''),
       (counts ->> 'expected')::int, coalesce((counts ->> 'canceled')::int, 0),
       coalesce((counts ->> 'already_final')::int, 0), now(), cause
FROM jobs WHERE kind = 'cancel';
DELETE FROM jobs WHERE kind = 'cancel';
