-- migrate:up

-- Who may ask, and how they prove who they are.  A rebuild of the model leaves all of it alone.

-- What programs send as `Authorization: Bearer`: only a digest of the secret is kept.
CREATE TABLE tokens (
    token_id     text        COLLATE "C" PRIMARY KEY,
    digest       bytea       NOT NULL UNIQUE,
    name         text        COLLATE "C" NOT NULL,
    role         text        NOT NULL,
    entity       text        COLLATE "C",
    created_at   timestamptz NOT NULL DEFAULT now(),
    ends_at      timestamptz,
    withdrawn_at timestamptz,
    -- To the minute, so that a busy program does not write a row at each request.
    last_used_at timestamptz,
    CHECK ((role = 'local') = (entity IS NOT NULL))
);
CREATE INDEX tokens_name ON tokens (name);

-- People with a password of their own; those of a provider of OIDC have no row.
CREATE TABLE operators (
    name            text        COLLATE "C" PRIMARY KEY,
    password        text        NOT NULL,
    role            text        NOT NULL,
    entity          text        COLLATE "C",
    created_at      timestamptz NOT NULL DEFAULT now(),
    disabled_at     timestamptz,
    last_sign_in_at timestamptz,
    CHECK ((role = 'local') = (entity IS NOT NULL))
);

-- Browsers that are signed in.  operator is the row that role and entity come from at each look;
-- without one they are what the provider said.
CREATE TABLE sessions (
    digest     bytea       PRIMARY KEY,
    name       text        COLLATE "C" NOT NULL,
    role       text        NOT NULL,
    entity     text        COLLATE "C",
    operator   text        COLLATE "C" REFERENCES operators ON DELETE CASCADE,
    started_at timestamptz NOT NULL DEFAULT now(),
    -- To the minute.
    seen_at    timestamptz NOT NULL DEFAULT now(),
    CHECK ((role = 'local') = (entity IS NOT NULL))
);
CREATE INDEX sessions_operator ON sessions (operator);
CREATE INDEX sessions_started ON sessions (started_at);

-- Attempts to sign in that have not succeeded, each under what it counts against.
CREATE TABLE sign_in_attempts (
    scope text        COLLATE "C" NOT NULL,
    at    timestamptz NOT NULL DEFAULT now(),
    id    uuid        NOT NULL
);
CREATE INDEX sign_in_attempts_scope ON sign_in_attempts (scope, at);
CREATE INDEX sign_in_attempts_id ON sign_in_attempts (id);
CREATE INDEX sign_in_attempts_at ON sign_in_attempts (at);

-- migrate:down

DROP TABLE sign_in_attempts, sessions, operators, tokens;
