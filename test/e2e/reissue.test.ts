/**
 * A region that was retired while it was alone and went on writing: what it acknowledged and nobody took is exported, and
 * issued again in a survivor as ordinary edits, once however often it is tried (P6, I5, I7). Between the two, survivors
 * write as well, and what they wrote later stays.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import { isthmus } from './isthmus.ts';
import type { RegionClient } from './region-client.ts';
import { useDemo } from './use-demo.ts';
import { converged } from './verdict.ts';

const demo = useDemo(['--regions', 'eu,us,ap']);
const folder = mkdtempSync(join(tmpdir(), 'isthmus-export-'));
const file = join(folder, 'ap.jsonl');
let eu: RegionClient;
let us: RegionClient;
let ap: RegionClient;

beforeAll(() => {
  [eu, us, ap] = [demo.region('eu'), demo.region('us'), demo.region('ap')];
});

afterAll(() => rmSync(folder, { recursive: true }));

async function done(answer: Promise<{ readonly status: number }>): Promise<void> {
  expect((await answer).status).toBeLessThan(300);
}

async function valueAt(region: RegionClient, key: string): Promise<unknown> {
  return (await region.list('products')).get(key) ?? null;
}

test('what a retired region wrote alone is exported, and nothing is before it is retired', async () => {
  await done(eu.put('products', 'shared', { title: 'first', tags: ['old', 'kept'] }));
  await done(eu.patch('products', 'shared', { increment: { likes: 5 }, refill: { stock: 10 } }));
  await done(eu.put('products', 'later', { title: 'first' }));
  await done(eu.put('products', 'ended', { title: 'first' }));
  await converged([eu, us, ap], 'products', 20_000);
  await done(ap.patch('products', 'shared', { increment: { likes: 2 }, refill: { stock: 4 } }));
  await converged([eu, us, ap], 'products', 20_000);
  expect(await isthmus(demo.pid, 'region export --dry-run --region us --json').catch(() => 'refused')).toBe(
    'refused',
  );

  for (const other of ['eu', 'us'])
    for (const [origin, target] of [
      [other, 'ap'],
      ['ap', other],
    ] as const)
      await demo.setLink(origin, target, 'cut');
  const retired = await isthmus(demo.pid, 'region retire ap --json');
  expect(retired.code).toBe(0);
  await done(
    ap.patch('products', 'shared', {
      set: { title: 'by ap' },
      increment: { likes: 3 },
      spend: { stock: 1 },
      add: { tags: ['new'] },
    }),
  );
  await done(ap.patch('products', 'shared', { remove: { tags: ['old'] } }));
  await done(ap.put('products', 'later', { title: 'by ap' }));
  await done(ap.put('products', 'alone', { title: 'only here', notes: 'some words' }));
  await done(ap.patch('products', 'alone', { increment: { likes: 1 } }));
  await done(ap.delete('products', 'ended'));
  await done(eu.put('products', 'later', { title: 'by eu, later' }));

  await demo.setLinks('ok');
  await until('ap knows that it was retired', 30_000, async () => {
    const { status, body } = await ap.put('products', 'beyond', { title: 'x' });
    return status === 503 && JSON.stringify(body).includes('"region-retired"');
  });
  const dry = await isthmus(demo.pid, 'region export --dry-run --region ap --json');
  expect(dry).toMatchObject({ code: 0, answer: { region: 'ap', holes: [] } });
  const exported = await isthmus(demo.pid, `region export ${file} --region ap --json`);
  expect(exported).toMatchObject({ code: 0, answer: { region: 'ap', holes: [], file } });
  const rows = readFileSync(file, 'utf8');
  for (const key of ['shared', 'later', 'alone', 'ended']) expect(rows).toContain(`"key":"${key}"`);
}, 240_000);

const missing = { title: 'only here', notes: 'some words', likes: 1 };

test('it is issued again in a survivor as ordinary edits, and later writes stay', async () => {
  const dry = await isthmus(demo.pid, `region reissue ${file} --dry-run --region eu --json`);
  expect(dry).toMatchObject({ code: 0, answer: { dryRun: true, counts: { refused: 0, uncertain: 0 } } });
  expect((await eu.get('products', 'alone')).status).toBe(404);

  const issued = await isthmus(demo.pid, `region reissue ${file} --region eu --json`);
  expect(issued).toMatchObject({
    code: 0,
    answer: { left: [], counts: { 'done-before': 0, 'nothing-left': 1 } },
  });
  const shared = { title: 'by ap', likes: 10, stock: 13, tags: ['kept', 'new'] };
  expect(await valueAt(eu, 'shared')).toMatchObject(shared);
  expect(await valueAt(eu, 'later')).toMatchObject({ title: 'by eu, later' });
  expect(await valueAt(eu, 'alone')).toMatchObject(missing);
  expect((await eu.get('products', 'ended')).status).toBe(404);
  await converged([eu, us], 'products', 20_000);
  expect(await valueAt(us, 'shared')).toMatchObject(shared);
}, 120_000);

test('issuing it again does no harm, in the same region or in another, also with a fresh export', async () => {
  const again = join(folder, 'again.jsonl');
  expect((await isthmus(demo.pid, `region export ${again} --region ap --json`)).code).toBe(0);
  for (const [name, path] of [
    ['eu', file],
    ['us', again],
  ] as const) {
    const run = await isthmus(demo.pid, `region reissue ${path} --region ${name} --json`);
    expect(run).toMatchObject({ code: 0, answer: { counts: { issued: 0, 'nothing-left': 0 } } });
  }
  await converged([eu, us], 'products', 20_000);
  expect(await valueAt(us, 'shared')).toMatchObject({ likes: 10, stock: 13 });
  expect(await valueAt(us, 'alone')).toMatchObject(missing);
}, 120_000);

test('an export that lacks its end is not read', async () => {
  const cut = join(folder, 'cut.jsonl');
  writeFileSync(cut, readFileSync(file, 'utf8').split('\n').slice(0, -2).join('\n'));
  await expect(isthmus(demo.pid, `region reissue ${cut} --region eu --json`)).rejects.toThrow(
    /ends too early/,
  );
}, 30_000);
