/**
 * Collection of tombstones (P8): the barrier, the floor of stamps beside that of counters, and which records may be
 * dead. `dead` is null where nobody has looked yet. The index holds those alone, and neither it nor anything else
 * names the generation, so that writing a record that lives changes no index.
 */
export const tombstones = `
ALTER TABLE isthmus.identity ADD COLUMN stamp_floor_ms bigint NOT NULL DEFAULT 0;

ALTER TABLE isthmus.record ADD COLUMN dead boolean;
CREATE INDEX record_dead ON isthmus.record (collection, key) WHERE dead IS NOT FALSE;

CREATE TABLE isthmus.barrier (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  completed bigint NOT NULL DEFAULT 0,
  round bigint NOT NULL DEFAULT 0,
  opened_at timestamptz,
  completed_at timestamptz
);
INSERT INTO isthmus.barrier DEFAULT VALUES;
`;
