/**
 * What transfers keep (P6): the lives of the relay's slot, jobs with the place that they have come to and the states
 * that they had to refuse, what may have come ahead of the positions (P5), what collection has made final (P8), and
 * what sweeps have proven (P7). An open job is known by its donor, so that asking twice asks for one.
 */
export const transfer = `
CREATE TABLE isthmus.slot_life (
  number bigint PRIMARY KEY,
  from_lsn pg_lsn NOT NULL,
  reason text NOT NULL,
  began_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE isthmus.transfer (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  donor text COLLATE "C" NOT NULL,
  origin text COLLATE "C" NOT NULL,
  cause text NOT NULL,
  dry_run boolean NOT NULL,
  state text NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'running', 'done', 'failed')),
  wanted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at timestamptz,
  ended_at timestamptz,
  cursor_collection text COLLATE "C" NOT NULL DEFAULT '',
  cursor_key text COLLATE "C" NOT NULL DEFAULT '',
  vector bytea,
  examined bigint NOT NULL DEFAULT 0,
  differing bigint NOT NULL DEFAULT 0,
  merged bigint NOT NULL DEFAULT 0,
  refused bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  detail text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX transfer_open ON isthmus.transfer (donor, dry_run) WHERE state IN ('wanted', 'running');

CREATE TABLE isthmus.transfer_refused (
  transfer bigint NOT NULL REFERENCES isthmus.transfer ON DELETE CASCADE,
  collection text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  state bytea NOT NULL,
  cause text NOT NULL,
  detail text NOT NULL,
  stamp_ms bigint,
  PRIMARY KEY (transfer, collection, key)
);

CREATE TABLE isthmus.ahead (
  region text COLLATE "C" NOT NULL,
  incarnation_counter bigint NOT NULL,
  incarnation_nonce bigint NOT NULL,
  partition integer NOT NULL,
  lsn pg_lsn NOT NULL,
  PRIMARY KEY (region, incarnation_counter, incarnation_nonce, partition)
);

CREATE TABLE isthmus.horizon (
  region text COLLATE "C" NOT NULL,
  incarnation_counter bigint NOT NULL,
  incarnation_nonce bigint NOT NULL,
  partition integer NOT NULL,
  lsn pg_lsn NOT NULL,
  PRIMARY KEY (region, incarnation_counter, incarnation_nonce, partition)
);

CREATE TABLE isthmus.verification (
  peer text COLLATE "C" PRIMARY KEY,
  through_ms double precision,
  diverged boolean,
  swept_at_ms double precision,
  wanted boolean NOT NULL DEFAULT false
);
`;
