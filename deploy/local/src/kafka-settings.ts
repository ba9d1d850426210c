/**
 * The configuration of one local Kafka: a single node that is broker and controller.
 * Settings beyond the addresses make it start fast and stay small; durability is as a real broker's
 * with one replica. Topics are never created by asking for them.
 */

/** One address that clients connect to, and the address that the broker tells them to come back to. */
export interface KafkaListener {
  readonly name: string;
  readonly port: number;
  readonly advertised: { readonly host: string; readonly port: number };
}

export interface KafkaLayout {
  readonly dataFolder: string;
  readonly controllerPort: number;
  /** The first one serves the broker's own region. */
  readonly listeners: readonly KafkaListener[];
  readonly settings: Readonly<Record<string, string>>;
}

const singleNode = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.listener.names': 'CONTROLLER',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'share.coordinator.state.topic.num.partitions': '1',
  'group.initial.rebalance.delay.ms': '0',
  'auto.create.topics.enable': 'false',
};

/** A killed broker must wait out its old session before it may register again: keep that short. */
const quickAndSmall = {
  'broker.heartbeat.interval.ms': '300',
  'broker.session.timeout.ms': '2000',
  'metric.reporters': '',
  'log.cleaner.dedupe.buffer.size': '4194304',
  'num.network.threads': '2',
  'num.io.threads': '4',
  'background.threads': '2',
  'num.recovery.threads.per.data.dir': '1',
};

export function kafkaProperties(layout: KafkaLayout): string {
  const { listeners, controllerPort, dataFolder, settings } = layout;
  const names = [...listeners.map(({ name }) => name), 'CONTROLLER'];
  const bound = listeners.map(({ name, port }) => `${name}://127.0.0.1:${port}`);
  const advertised = listeners.map(({ name, advertised: to }) => `${name}://${to.host}:${to.port}`);
  const properties: Readonly<Record<string, string>> = {
    ...singleNode,
    ...quickAndSmall,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: [...bound, `CONTROLLER://127.0.0.1:${controllerPort}`].join(','),
    'advertised.listeners': advertised.join(','),
    'inter.broker.listener.name': listeners[0]?.name ?? '',
    'listener.security.protocol.map': names.map((name) => `${name}:PLAINTEXT`).join(','),
    'log.dirs': dataFolder,
    ...settings,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('');
}
