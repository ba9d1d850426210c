/** Regions that are gone for good, with what the survivors agreed on; their positions are closed to every applier (P8). */
export const retired = `
ALTER TABLE isthmus.position ADD COLUMN closed boolean NOT NULL DEFAULT false;
CREATE TABLE isthmus.retired (
  region text COLLATE "C" PRIMARY KEY,
  final bytea,
  closed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  retired_at timestamptz
);
`;
