-- migrate:up

-- Fan-outs are jobs of the runtime: the line is the package, the place that of the happening.
INSERT INTO jobs (line, place, kind, state, cursor, counts, arguments, cause, last_piece)
SELECT f.package_id, f.happening_id * 1000000 + f.fanout_id % 1000000, 'fan_out', 'running',
       CASE WHEN f.audience IS NOT NULL AND f.position > 0 THEN to_jsonb(f.position)
            WHEN f.audience IS NULL AND f.cursor <> '' THEN to_jsonb(f.cursor) END,
       '{}',
       jsonb_build_object('kind', h.kind, 'edition', f.edition, 'audience', to_jsonb(f.audience),
                          'as_of', f.as_of),
       h.cause, nextval('job_pieces')
FROM (SELECT * FROM fanouts ORDER BY worked_at) AS f JOIN happenings h USING (happening_id);
DROP TABLE fanouts;

-- migrate:down

CREATE TABLE fanouts (
    fanout_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happening_id bigint      NOT NULL,
    package_id   text        NOT NULL,
    edition      integer     NOT NULL,
    audience     text[],
    as_of        timestamptz NOT NULL,
    position     integer     NOT NULL DEFAULT 0,
    cursor       text        NOT NULL DEFAULT '',
    worked_at    timestamptz NOT NULL
) WITH (fillfactor = 60);
CREATE INDEX fanouts_package ON fanouts (package_id, happening_id);
INSERT INTO fanouts (happening_id, package_id, edition, audience, as_of, position, cursor, worked_at)
SELECT place / 1000000, line, (arguments ->> 'edition')::int,
       CASE WHEN jsonb_typeof(arguments -> 'audience') = 'array'
            THEN ARRAY(SELECT jsonb_array_elements_text(arguments -> 'audience')) END,
       (arguments ->> 'as_of')::timestamptz,
       CASE WHEN jsonb_typeof(cursor) = 'number' THEN cursor::text::int ELSE 0 END,
       CASE WHEN jsonb_typeof(cursor) = 'string' THEN cursor #>> '{}' ELSE '' END, now()
FROM jobs WHERE kind = 'fan_out';
DELETE FROM jobs WHERE kind = 'fan_out';
