/**
 * Incidents, the records found in conflict while one was open, and when a dead letter that came too early is due.
 * What only the machine reads of an incident is one JSON value; what is searched for has a column.
 */
export const incidents = `
CREATE TABLE isthmus.incident (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  revision bigint NOT NULL DEFAULT 1,
  peer text COLLATE "C" NOT NULL,
  state text NOT NULL,
  ended boolean NOT NULL DEFAULT false,
  body jsonb NOT NULL,
  conflict_count bigint NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX incident_open ON isthmus.incident (peer) WHERE NOT ended;

CREATE TABLE isthmus.incident_conflict (
  incident bigint NOT NULL REFERENCES isthmus.incident ON DELETE CASCADE,
  collection text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  fields integer NOT NULL,
  PRIMARY KEY (incident, collection, key)
);

ALTER TABLE isthmus.dead_letter ADD COLUMN stamp_ms bigint;
CREATE INDEX dead_letter_due ON isthmus.dead_letter (stamp_ms) WHERE closed_at IS NULL AND stamp_ms IS NOT NULL;
`;
