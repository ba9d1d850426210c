/**
 * A region that is gone for good: two survivors agree on how far its changes are kept, also where one of them was away
 * when it was said; the one that lacks some of that gets it from the other, and tombstones are collected again (P8).
 */
import { beforeAll, expect, test } from 'vitest';
import { query } from '../contract/fresh-database.ts';
import { until } from '../until.ts';
import { isthmus } from './isthmus.ts';
import { chooseLogUnderTest } from './log-under-test.ts';
import type { RegionClient } from './region-client.ts';
import { useDemo } from './use-demo.ts';
import { converged } from './verdict.ts';

chooseLogUnderTest('postgres');
const demo = useDemo(['--regions', 'eu,us,ap']);
let eu: RegionClient;
let us: RegionClient;
let ap: RegionClient;

beforeAll(() => {
  [eu, us, ap] = [demo.region('eu'), demo.region('us'), demo.region('ap')];
});

const recordAt = (region: string, key: string) =>
  `${demo.serversOf(region).api}/v1/collections/products/records/${key}`;

test('the survivors agree, share what one of them had more, and collect without it', async () => {
  await eu.put('products', 'doomed', { title: 'x' });
  await converged([eu, us, ap], 'products', 20_000);
  await demo.setLink('ap', 'us', 'cut');
  for (let index = 0; index < 10; index++) await ap.put('products', `tail-${index}`, { title: 'from ap' });
  await until('eu has the tail', 20_000, async () => (await eu.get('products', 'tail-9')).status === 200);
  expect((await us.get('products', 'tail-9')).status).toBe(404);
  await demo.setLink('ap', 'eu', 'cut');
  const { headers } = await fetch(recordAt('ap', 'unheard'), {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ value: { title: 'nobody has it' } }),
  });
  await demo.signal('ap', 'region', 'SIGKILL');
  await demo.signal('ap', 'postgres', 'SIGKILL');
  await eu.delete('products', 'doomed');

  const dry = await isthmus(demo.pid, 'region retire ap --dry-run --json');
  expect(dry).toMatchObject({ code: 0, answer: { regions: [{ region: 'eu' }, { region: 'us' }] } });
  const [untouched] = await query(demo.serversOf('eu').database, 'SELECT count(*)::int FROM isthmus.retired');
  expect(untouched).toEqual({ count: 0 });

  await demo.signal('us', 'region', 'SIGKILL');
  const half = await isthmus(demo.pid, 'region retire ap --heir eu --json');
  expect(half).toMatchObject({
    code: 3,
    answer: {
      regions: [
        { region: 'eu', state: 'closed' },
        { region: 'us', state: 'unreachable' },
      ],
    },
  });
  await demo.signal('us', 'region', 'start');
  for (const survivor of ['eu', 'us'])
    await until(`${survivor} knows by itself that ap is retired`, 60_000, async () => {
      const { database } = demo.serversOf(survivor);
      const rows = await query(database, "SELECT FROM isthmus.retired WHERE region = 'ap' AND heir = 'eu'");
      return rows.length === 1;
    });
  const retired = await isthmus(demo.pid, 'region retire ap --heir us --json');
  expect(retired).toMatchObject({
    code: 1,
    answer: {
      regions: [
        { region: 'eu', state: 'retired', heir: 'eu' },
        { region: 'us', state: 'retired', heir: 'eu' },
      ],
    },
  });
  expect((await isthmus(demo.pid, 'region retire ap --json')).code).toBe(0);
  expect((await us.get('products', 'tail-9')).status).toBe(200);
  const session = headers.get('isthmus-session') ?? expect.fail('ap gave a session');
  const lost = await fetch(recordAt('eu', 'unheard'), {
    headers: { 'isthmus-session': session, 'isthmus-wait': '10000' },
  });
  expect(await lost.json()).toMatchObject({ status: 409, code: 'session-lost' });
  await converged([eu, us], 'products', 20_000);
  for (const name of ['eu', 'us'])
    await until(`${name} has dropped what was deleted`, 90_000, async () => {
      const { database } = demo.serversOf(name);
      return (await query(database, "SELECT FROM isthmus.record WHERE key = 'doomed'")).length === 0;
    });
  await converged([eu, us], 'products', 10_000);
}, 240_000);

test('the retired region takes no more writes, also after a restart that nobody tells it at (P8)', async () => {
  for (const survivor of ['eu', 'us']) await demo.setLink('ap', survivor, 'ok');
  await demo.signal('ap', 'postgres', 'start');
  await demo.signal('ap', 'region', 'start');
  const refused = async (): Promise<boolean> => {
    const answer = await ap.put('products', 'beyond', { title: 'too late' }).catch(() => null);
    if (answer?.status === 200 || answer?.status === 201) expect.fail('the retired region took a write');
    return JSON.stringify(answer?.body ?? null).includes('"region-retired"');
  };
  await until('ap is back and refuses', 60_000, refused);
  expect((await ap.get('products', 'tail-0')).status).toBe(200);
  expect(await isthmus(demo.pid, 'identity --region ap --json')).toMatchObject({
    code: 1,
    answer: { retired: true },
  });
  await until('the word is in the database of ap', 20_000, async () => {
    const rows = await query(
      demo.serversOf('ap').database,
      "SELECT FROM isthmus.retired WHERE region = 'ap'",
    );
    return rows.length === 1;
  });
  await demo.signal('ap', 'region', 'SIGKILL');
  await demo.setLinks('cut');
  await demo.signal('ap', 'region', 'start');
  await until('ap is back alone and refuses', 60_000, refused);
  await demo.setLinks('ok');
  await eu.put('products', 'goes-on', { title: 'x' });
  await converged([eu, us], 'products', 20_000);
  for (const survivor of [eu, us]) expect((await survivor.get('products', 'beyond')).status).toBe(404);
}, 150_000);
