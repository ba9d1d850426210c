import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { root } from '../tidy/tree.ts';
import { until } from '../until.ts';
import type { RegionClient } from './region-client.ts';
import { useDemo } from './use-demo.ts';
import { converged } from './verdict.ts';

const demo = useDemo();
let eu: RegionClient;
let us: RegionClient;

beforeAll(() => {
  eu = demo.region('eu');
  us = demo.region('us');
});

test.each([
  ['lamp', 'status'],
  ['vase', 'address.city'],
])(
  'a conflict of %s in %s is the same in both regions; one restores what lost for all (I4)',
  async (key, field) => {
    await conflictOn(key, field);
    const [inEu, inUs] = [await eu.conflicts('products', key), await us.conflicts('products', key)];
    expect(inEu).toEqual(inUs);
    expect(inEu).toMatchObject([
      {
        field,
        siblings: [
          {
            value: 'reserved',
            region: 'us',
            shown: true,
            why: expect.stringMatching(/^it is later by \d+ ms$/),
          },
          {
            value: 'sold',
            region: 'eu',
            shown: false,
            why: expect.stringMatching(/^concurrent with what us\./),
          },
        ],
      },
    ]);
    const id = inEu[0]?.id ?? '';
    const restored = await us.restore(id, { region: 'eu' });
    expect(restored.status).toBe(200);
    expect(shows(restored.body, field, 'sold')).toBe(true);
    await until('eu shows the restored value without a conflict', 20_000, async () => {
      const { body } = await eu.get('products', key);
      return shows(body, field, 'sold');
    });
    expect(await eu.conflicts('products', key)).toEqual([]);
    expect((await eu.restore(id, { region: 'us' })).status).toBe(404);
    await converged([eu, us], 'products', 20_000);
  },
  120_000,
);

test('the command lists it, says why one won, and restores the other', async () => {
  await conflictOn('desk', 'status');
  const listed = await isthmus('list', 'products', '--key', 'desk');
  expect([listed.code, listed.out]).toEqual([
    0,
    expect.stringMatching(/products\/desk status: 2 values.*\n.*\n +shown +us .*"reserved" +it is later by/),
  ]);
  const shown = await isthmus('show', 'products/desk', '--json');
  const id = String(/"id":"([^"]+)"/.exec(shown.out)?.[1]);
  const dry = await isthmus('restore', id, '--region', 'eu', '--in', 'us', '--dry-run', '--json');
  expect([dry.code, JSON.parse(dry.out)]).toMatchObject([0, { dryRun: true, value: { status: 'sold' } }]);
  expect(await eu.conflicts('products', 'desk')).toHaveLength(1);
  expect((await isthmus('restore', id, '--region', 'eu', '--in', 'us')).code).toBe(0);
  await until('both regions show the restored value', 20_000, async () => {
    const bodies = [(await eu.get('products', 'desk')).body, (await us.get('products', 'desk')).body];
    return bodies.every((body) => shows(body, 'status', 'sold'));
  });
  expect((await isthmus('show', id)).code).toBe(1);
  await converged([eu, us], 'products', 20_000);
}, 120_000);

/** Both regions write one field while neither hears of the other; us is the later. */
async function conflictOn(key: string, field: string): Promise<void> {
  await eu.patch('products', key, { set: { title: key, [field]: 'new' } });
  await until('the record is in us', 20_000, async () => (await us.get('products', key)).status === 200);
  await demo.setLinks('cut');
  expect((await eu.patch('products', key, { set: { [field]: 'sold' } })).status).toBe(200);
  const { body } = await eu.get('products', key);
  await until('the clock of us is past the write in eu', 20_000, async () => {
    const reply = await us.patch('products', key, { set: { [field]: 'reserved' } });
    return updatedAt(reply.body) > updatedAt(body);
  });
  await demo.setLinks('ok');
  await until('both regions hold both values', 30_000, async () => {
    const counts = await Promise.all([eu, us].map(async (region) => region.conflicts('products', key)));
    return counts.every(({ length }) => length === 1);
  });
  await converged([eu, us], 'products', 20_000);
}

function updatedAt(body: unknown): string {
  return String(Object(body).updatedAt);
}

function shows(body: unknown, field: string, wanted: string): boolean {
  const { value, conflicts } = Object(body);
  const shown = field.split('.').reduce<unknown>((at, name) => Object(at)[name], value);
  return shown === wanted && Array.isArray(conflicts) && conflicts.length === 0;
}

async function isthmus(...args: string[]): Promise<{ readonly code: number; readonly out: string }> {
  const bin = join(root, 'services/cli/bin/isthmus.js');
  const child = spawn(process.execPath, [bin, 'conflicts', ...args, '--demo', String(demo.pid)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { code: Number(code), out };
}
