/** The contract of `OwnLog` on a real Kafka. */
import { KafkaOwnLog } from '@isthmus/replication/adapters/kafka/own-log';
import { KafkaBench } from './change-sink-feed.bench.ts';
import { ownLogContract } from './own-log.contract.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

ownLogContract('kafka', async () => {
  const bench = await KafkaBench.open();
  return {
    bench,
    ownLogOf: (region) => new KafkaOwnLog({ region, cluster: bench.cluster, logger: quiet }),
  };
});
