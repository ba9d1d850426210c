/**
 * The tables of a log that is kept in the region's own database. One counter gives all records of a topic their
 * offsets, under its row's lock, so offsets follow the order of commits and none is ever passed over. Records lie in
 * segments, which form a ring for each topic and are emptied whole: 0 to 15 for changes, 16 and 17 for progress, 18
 * for control. Records are stored as they come, because who writes them has compressed them already.
 *
 * `read_log` is what peers call across the link, so it is part of the protocol between regions: another shape takes
 * another name. It waits in the server until there is something at `scan_from`, at most `wait_ms`, and looks the more
 * rarely the longer it has waited, at least every `max_pause_ms`. Then it gives a row of kind 0 for each record at or
 * beyond what its partition wants, and last a row of kind 1 with the place up to which it has looked, or of kind 2 where
 * nothing lies at `scan_from`, with the place of what comes next. No row at all: there is no such topic.
 */
export const log = `
CREATE TABLE isthmus.log_topic (
  name text COLLATE "C" PRIMARY KEY,
  region text COLLATE "C" NOT NULL,
  partition_count integer NOT NULL CHECK (partition_count BETWEEN 1 AND 1024),
  next_offset bigint NOT NULL DEFAULT 0,
  segment smallint NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE isthmus.log_segment (
  segment smallint PRIMARY KEY,
  topic text COLLATE "C" NOT NULL,
  first_offset bigint NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE isthmus.log_record (
  log_offset bigint NOT NULL,
  segment smallint NOT NULL,
  partition smallint NOT NULL,
  compressed boolean NOT NULL,
  bytes bytea STORAGE EXTERNAL NOT NULL
) PARTITION BY LIST (segment);

DO $$
BEGIN
  FOR segment IN 0..18 LOOP
    EXECUTE format('CREATE TABLE isthmus.log_record_%s PARTITION OF isthmus.log_record FOR VALUES IN (%s)
      WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off)', segment, segment);
    EXECUTE format('CREATE UNIQUE INDEX log_record_%s_offset ON isthmus.log_record_%s (log_offset)', segment, segment);
  END LOOP;
END
$$;

CREATE FUNCTION isthmus.read_log(
  topic_name text, wanted bigint[], scan_from bigint, max_bytes integer, wait_ms integer, max_pause_ms integer
) RETURNS TABLE (kind smallint, log_offset bigint, partition smallint, compressed boolean, bytes bytea)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  max_records constant integer := 10000;
  row_cost constant integer := 64;
  least_pause_ms constant double precision := 1;
  pause_per_wait constant double precision := 0.5;
  began constant timestamptz := clock_timestamp();
  waited_ms double precision;
  next_offset bigint;
  looked bigint := scan_from;
  beyond bigint;
  size bigint := 0;
  part smallint;
  held record;
BEGIN
  LOOP
    SELECT topic.next_offset INTO next_offset FROM isthmus.log_topic AS topic WHERE topic.name = topic_name;
    IF NOT FOUND THEN RETURN; END IF;
    waited_ms := extract(epoch FROM clock_timestamp() - began) * 1000;
    EXIT WHEN next_offset <> scan_from OR waited_ms >= wait_ms;
    PERFORM pg_sleep(least(max_pause_ms, greatest(least_pause_ms, waited_ms * pause_per_wait)) / 1000);
  END LOOP;
  IF next_offset < scan_from THEN
    SELECT 2, min(ours.first_offset) INTO kind, log_offset FROM isthmus.log_segment AS ours WHERE ours.topic = topic_name;
    RETURN NEXT;
    RETURN;
  END IF;
  <<scan>>
  FOR part IN
    SELECT ours.segment FROM (
      SELECT segment, first_offset, lead(first_offset) OVER (ORDER BY first_offset) AS next_first
      FROM isthmus.log_segment WHERE topic = topic_name) AS ours
    WHERE ours.next_first IS NULL OR ours.next_first > scan_from
    ORDER BY ours.first_offset
  LOOP
    FOR held IN EXECUTE format('SELECT log_offset, partition, compressed, bytes FROM isthmus.log_record_%s
      WHERE log_offset >= $1 ORDER BY log_offset LIMIT $2', part) USING looked, max_records
    LOOP
      beyond := held.log_offset;
      EXIT scan WHEN beyond <> looked OR size >= max_bytes OR looked - scan_from >= max_records;
      looked := looked + 1;
      CONTINUE WHEN beyond < wanted[held.partition + 1];
      size := size + length(held.bytes) + row_cost;
      kind := 0;
      log_offset := beyond;
      partition := held.partition;
      compressed := held.compressed;
      bytes := held.bytes;
      RETURN NEXT;
    END LOOP;
  END LOOP;
  kind := 1;
  log_offset := looked;
  partition := NULL;
  compressed := NULL;
  bytes := NULL;
  IF looked = scan_from AND next_offset > scan_from THEN
    kind := 2;
    log_offset := coalesce(beyond, next_offset);
  END IF;
  RETURN NEXT;
END
$$;

CREATE FUNCTION isthmus.log_edges(topic_name text, of_partition integer)
RETURNS TABLE (region text, partition_count integer, first_offset bigint, next_offset bigint, partition_end bigint)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  part smallint;
  newest bigint;
BEGIN
  FOR part IN
    SELECT ours.segment FROM isthmus.log_segment AS ours WHERE ours.topic = topic_name ORDER BY ours.first_offset DESC
  LOOP
    EXECUTE format('SELECT log_offset FROM isthmus.log_record_%s WHERE partition = $1
      ORDER BY log_offset DESC LIMIT 1', part) INTO newest USING of_partition;
    EXIT WHEN newest IS NOT NULL;
  END LOOP;
  RETURN QUERY SELECT topic.region, topic.partition_count,
    (SELECT min(ours.first_offset) FROM isthmus.log_segment AS ours WHERE ours.topic = topic_name),
    topic.next_offset, coalesce(newest + 1, 0)
    FROM isthmus.log_topic AS topic WHERE topic.name = topic_name;
END
$$;

REVOKE EXECUTE ON FUNCTION isthmus.read_log, isthmus.log_edges FROM PUBLIC;
`;
