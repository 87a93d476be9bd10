-- migrate:up

-- What somebody has saved to look at again: a list with its filters and its sort.
CREATE TABLE views (
    owner      text        COLLATE "C" NOT NULL,
    view_id    text        COLLATE "C" NOT NULL,
    label      text        NOT NULL,
    list       text        NOT NULL,
    filter     jsonb       NOT NULL,
    version    integer     NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (owner, view_id)
);

-- What `relais proof` has found, as whoever ran it says.
CREATE TABLE proofs (
    proof_id   text        COLLATE "C" PRIMARY KEY,
    made_at    timestamptz NOT NULL,
    made_by    text        NOT NULL,
    proved     boolean     NOT NULL,
    report     jsonb       NOT NULL
);
CREATE INDEX proofs_made ON proofs (made_at, proof_id);

-- migrate:down

DROP TABLE proofs, views;
