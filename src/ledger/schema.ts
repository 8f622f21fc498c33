/**
 * The ledger's tables.
 *
 * Everything that was computed hangs on an image's *content* (the sha256 of its bytes), not on its path: two files with equal
 * bytes share it. Marker rows (`detection`, `sampling`, `scoring`) say that something was done even where it found nothing.
 *
 * @module
 */

/** Stored in `user_version`; a ledger of another version is refused. */
export const LEDGER_VERSION = 1;

/** Stored in `application_id` ("EMOC"): tells a ledger from any other SQLite file. */
export const LEDGER_APPLICATION = 0x454d4f43;

/** Tables as of {@link LEDGER_VERSION}. NaN is stored as NULL, because SQLite has no NaN. Blobs are float32, little-endian. */
export const LEDGER_SCHEMA = `
CREATE TABLE stage (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  fingerprint TEXT NOT NULL UNIQUE,
  settings TEXT NOT NULL -- canonical JSON
);
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  manifest TEXT NOT NULL, -- JSON
  status TEXT NOT NULL,
  started TEXT NOT NULL,
  finished TEXT
);
CREATE TABLE content (
  id INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,
  width INTEGER,
  height INTEGER,
  format TEXT,
  orientation INTEGER
);
CREATE TABLE image (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  content INTEGER REFERENCES content,
  bytes INTEGER,
  modified REAL, -- always NULL: not used any more, and kept so that older ledgers are read and written alike
  status TEXT NOT NULL CHECK (status IN ('ok', 'failed')),
  error TEXT,
  annotation TEXT, -- JSON object
  CHECK (status = 'failed' OR content IS NOT NULL)
);
CREATE TABLE run_image (
  run INTEGER NOT NULL REFERENCES run,
  ordinal INTEGER NOT NULL,
  image INTEGER NOT NULL REFERENCES image,
  PRIMARY KEY (run, ordinal)
) WITHOUT ROWID;
CREATE TABLE detection (
  content INTEGER NOT NULL REFERENCES content,
  stage INTEGER NOT NULL REFERENCES stage,
  faces TEXT NOT NULL, -- JSON
  PRIMARY KEY (content, stage)
) WITHOUT ROWID;
CREATE TABLE box (
  id INTEGER PRIMARY KEY,
  content INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  label TEXT NOT NULL,
  confidence REAL,
  x0 REAL NOT NULL, y0 REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL, -- image pixels
  face INTEGER,
  UNIQUE (content, stage, idx),
  FOREIGN KEY (content, stage) REFERENCES detection ON DELETE CASCADE
);
CREATE TABLE sampling (
  content INTEGER NOT NULL REFERENCES content,
  stage INTEGER NOT NULL REFERENCES stage,
  PRIMARY KEY (content, stage)
) WITHOUT ROWID;
CREATE TABLE sample (
  id INTEGER PRIMARY KEY,
  content INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  x0 REAL NOT NULL, y0 REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL, -- image pixels
  face INTEGER,
  UNIQUE (content, stage, idx),
  FOREIGN KEY (content, stage) REFERENCES sampling ON DELETE CASCADE
);
CREATE TABLE prediction (
  sample INTEGER NOT NULL REFERENCES sample ON DELETE CASCADE,
  stage INTEGER NOT NULL REFERENCES stage,
  predicted INTEGER NOT NULL,
  probabilities BLOB NOT NULL, -- [classes]
  logits BLOB, -- [classes]
  PRIMARY KEY (sample, stage)
) WITHOUT ROWID;
CREATE TABLE activation ( -- with a rowid: long rows in a tree of keys make every search walk them
  sample INTEGER NOT NULL REFERENCES sample ON DELETE CASCADE,
  stage INTEGER NOT NULL REFERENCES stage,
  data BLOB NOT NULL,
  UNIQUE (sample, stage)
);
CREATE TABLE map (
  sample INTEGER NOT NULL REFERENCES sample ON DELETE CASCADE,
  stage INTEGER NOT NULL REFERENCES stage,
  class INTEGER NOT NULL,
  height INTEGER NOT NULL,
  width INTEGER NOT NULL,
  raw BLOB NOT NULL, -- [height, width]
  UNIQUE (sample, stage, class)
);
CREATE TABLE scoring (
  sample INTEGER NOT NULL REFERENCES sample ON DELETE CASCADE,
  stage INTEGER NOT NULL REFERENCES stage,
  class INTEGER NOT NULL,
  PRIMARY KEY (sample, stage, class)
) WITHOUT ROWID;
CREATE TABLE score (
  sample INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  class INTEGER NOT NULL,
  box INTEGER NOT NULL REFERENCES box ON DELETE CASCADE,
  importance REAL, -- NULL is NaN
  share REAL, -- fraction of the box inside the sample's frame
  PRIMARY KEY (sample, stage, class, box),
  FOREIGN KEY (sample, stage, class) REFERENCES scoring ON DELETE CASCADE
) WITHOUT ROWID;
`;
