/**
 * What a person reads when the demo is ready: the addresses, and three things to try.
 * The lines can be pasted as they stand; they show the product's point in the order of its story.
 */
import type { LogChoice } from '@isthmus/local/log-choice';
import type { RegionAddresses } from '@isthmus/local/running-demo';
import { table } from './remote/show.ts';

export interface ReadyDemo {
  readonly readyMs: number;
  readonly delayMs: number;
  readonly regions: readonly RegionAddresses[];
  readonly control: string;
  readonly log: LogChoice;
}

const logNames = { kafka: 'Kafka', postgres: 'their own Postgres' } as const;

export function demoText({ readyMs, delayMs, regions, control, log }: ReadyDemo): string {
  const names = regions.map(({ region }) => region).join(', ');
  const seconds = (readyMs / 1000).toFixed(1);
  const addresses = table([
    ['REGION', 'API', 'ADMIN', 'POSTGRES', 'LOG'],
    ...regions.map(({ region, api, admin, database, brokers }) => [region, api, admin, database, brokers]),
  ]);
  return [
    `\nRegions ${names} are ready after ${seconds} s, ${delayMs} ms apart each way.\n\n`,
    addresses,
    `\nTheir logs lie in ${logNames[log.kind]}, because ${log.why}.\n`,
    `Faults on demand: ${control} (links and processes)\n`,
    ...tour(regions, control),
    '\nIt runs until Ctrl-C, which ends every process and removes every temporary file.\n',
  ].join('');
}

function tour(regions: readonly RegionAddresses[], control: string): readonly string[] {
  const [here, there] = regions;
  if (here === undefined || there === undefined) return [];
  const record = '/v1/collections/products/records/lamp';
  const json = "-H 'content-type: application/json'";
  const link = (origin: string, target: string, state: string): string =>
    `  curl -s ${control}/links -d '${JSON.stringify({ origin, target, state })}'\n`;
  const both = (state: string): string =>
    link(here.region, there.region, state) + link(there.region, here.region, state);
  const patch = (api: string, status: string): string =>
    `  curl -s -X PATCH ${api}${record} ${json} -d '{"set":{"status":"${status}"}}'\n`;
  return [
    `\n1. Write in ${here.region}, read in ${there.region}:\n`,
    `  curl -s -X PUT ${here.api}${record} ${json} -d '{"value":{"title":"Lamp","price":40}}'\n`,
    `  curl -s ${there.api}${record}\n`,
    '\n2. Cut them apart, write on both sides, and see how much is at risk:\n',
    both('cut'),
    patch(here.api, 'sold'),
    patch(there.api, 'reserved'),
    `  curl -s ${here.admin}/v1/status\n`,
    '\n3. Heal, and see both agree: one value shows everywhere, the other is kept beside it:\n',
    both('ok'),
    `  curl -s '${here.api}${record}?siblings=all'\n`,
    `  curl -s '${there.api}${record}?siblings=all'\n`,
    '   Who won, why, and how to show the other value instead:\n',
    '  npx isthmus conflicts show products/lamp\n',
  ];
}
