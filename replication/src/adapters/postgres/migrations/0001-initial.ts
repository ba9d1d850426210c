/**
 * The tables of a region's database. Names sort by their UTF-8 bytes everywhere, so that every process locks in one
 * order. A state in `record` is empty only inside the transaction that put its placeholder there.
 * Positions change with every batch, so their pages keep room for new versions of a row. States keep the default
 * storage: compression of those over 2 kB costs a third more per write and halves what they take.
 */
export const initial = `
CREATE TABLE isthmus.identity (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  region text COLLATE "C" NOT NULL,
  incarnation_counter bigint NOT NULL CHECK (incarnation_counter BETWEEN 1 AND 4294967295),
  incarnation_nonce bigint NOT NULL CHECK (incarnation_nonce BETWEEN 0 AND 4294967295),
  partition_count integer NOT NULL CHECK (partition_count BETWEEN 1 AND 1024),
  system_identifier numeric NOT NULL,
  timeline bigint NOT NULL,
  postmaster_started_at timestamptz NOT NULL,
  floor bigint NOT NULL DEFAULT 0,
  generation bigint NOT NULL DEFAULT 1
);

CREATE TABLE isthmus.record (
  collection text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  state bytea NOT NULL,
  gen bigint NOT NULL,
  PRIMARY KEY (collection, key)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE TYPE isthmus.counted_beat AS (
  number bigint,
  lsn pg_lsn,
  at_ms double precision,
  count bigint,
  end_lsn pg_lsn
);

CREATE TABLE isthmus.position (
  origin text COLLATE "C" NOT NULL,
  incarnation_counter bigint NOT NULL,
  incarnation_nonce bigint NOT NULL,
  partition integer NOT NULL,
  applied pg_lsn NOT NULL,
  settled pg_lsn NOT NULL,
  beat isthmus.counted_beat,
  next_offset bigint NOT NULL,
  PRIMARY KEY (origin, incarnation_counter, incarnation_nonce, partition),
  CHECK (settled <= applied)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE isthmus.dead_letter (
  origin text COLLATE "C" NOT NULL,
  incarnation_counter bigint NOT NULL,
  incarnation_nonce bigint NOT NULL,
  partition integer NOT NULL,
  lsn pg_lsn NOT NULL,
  index integer NOT NULL,
  collection text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  delta bytea NOT NULL,
  cause text NOT NULL,
  detail text NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  closed_at timestamptz,
  PRIMARY KEY (origin, incarnation_counter, incarnation_nonce, partition, lsn, index)
);
CREATE INDEX dead_letter_open ON isthmus.dead_letter
  (origin, incarnation_counter, incarnation_nonce, partition, lsn) WHERE closed_at IS NULL;

CREATE TABLE isthmus.beat (
  number bigint PRIMARY KEY,
  lsn pg_lsn NOT NULL,
  xid xid8,
  at timestamptz NOT NULL,
  count bigint,
  end_lsn pg_lsn,
  published boolean NOT NULL DEFAULT false
);
CREATE INDEX beat_at ON isthmus.beat (at);
CREATE INDEX beat_count ON isthmus.beat (count, number) WHERE count IS NOT NULL;
CREATE INDEX beat_end ON isthmus.beat (end_lsn) WHERE end_lsn IS NOT NULL;
CREATE INDEX beat_published ON isthmus.beat (number) WHERE published;

CREATE TYPE isthmus.clock_offset AS (
  offset_ms double precision,
  error_ms double precision,
  measured_at_ms double precision
);

CREATE TABLE isthmus.peer_progress (
  peer text COLLATE "C" PRIMARY KEY,
  incarnation_counter bigint NOT NULL,
  incarnation_nonce bigint NOT NULL,
  own_counter bigint NOT NULL,
  own_nonce bigint NOT NULL,
  settled pg_lsn[],
  settled_beat bigint,
  echoed_beat bigint,
  heard_at_ms double precision NOT NULL,
  clock_offset isthmus.clock_offset
);

CREATE TABLE isthmus.heard (
  origin text COLLATE "C" PRIMARY KEY,
  incarnation_counter bigint NOT NULL,
  incarnation_nonce bigint NOT NULL,
  beat isthmus.counted_beat NOT NULL,
  received_at_ms double precision NOT NULL
);
`;
