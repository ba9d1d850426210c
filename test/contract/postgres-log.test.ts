/** The contract of sink and feed on a log in Postgres. */
import { changeSinkFeedContract } from './change-sink-feed.contract.ts';
import { PostgresLogBench } from './postgres-log.bench.ts';

changeSinkFeedContract('postgres-log', () => PostgresLogBench.open());
