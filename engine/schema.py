"""The tables of the journal. Another shape is another version, and a step from the one before."""

SCHEMA_VERSION = 2
APPLICATION_ID = 0x53746F72
SCHEMA = f"""
CREATE TABLE meta (born_at REAL NOT NULL);
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    owner TEXT,
    client TEXT,
    attended INTEGER NOT NULL,
    deadline_s REAL,
    reuse INTEGER NOT NULL,
    request TEXT NOT NULL,
    seed INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL,
    result TEXT,
    error TEXT,
    bytes INTEGER NOT NULL DEFAULT 0,
    gone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_by_owner ON jobs (owner, seq);
CREATE INDEX jobs_by_state ON jobs (state, finished_at);
CREATE TABLE scenes (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    recipe TEXT NOT NULL,
    file TEXT NOT NULL,
    draw_s REAL NOT NULL,
    PRIMARY KEY (job_id, number)
);
CREATE INDEX scenes_by_recipe ON scenes (recipe);
CREATE TABLE keys (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    created_at REAL NOT NULL,
    PRIMARY KEY (owner, key)
);
CREATE INDEX keys_by_job ON keys (job_id);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""
STEPS = {
    1: """
    ALTER TABLE jobs ADD COLUMN reuse INTEGER NOT NULL DEFAULT 0;
    UPDATE jobs SET reuse = parent IS NOT NULL;
    ALTER TABLE jobs DROP COLUMN parent;
    CREATE INDEX scenes_by_recipe ON scenes (recipe);
    """,
}
"""How a journal of that version becomes one of the next."""
