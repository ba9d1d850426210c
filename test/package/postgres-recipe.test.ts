/** The recipe for a service with Postgres, as it stands on the page, against a real one. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '@isthmus/local/postgres';
import type { Postgres } from '@isthmus/local/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { query } from '../contract/fresh-database.ts';
import { root } from '../tidy/tree.ts';
import { expectedOf, printedBy, programOf } from './doc-program.ts';
import { compile, packPackage } from './packed-package.ts';
import type { PackedPackage } from './packed-package.ts';

let packed: PackedPackage;
let postgres: Postgres;

beforeAll(async () => {
  packed = await packPackage();
  postgres = await startPostgres();
}, 120_000);

afterAll(async () => {
  await postgres.stop();
  packed.remove();
});

test('the recipe for Postgres prints what its comments say', { timeout: 60_000 }, async () => {
  const project = await packed.install('pg', '@types/pg', '@types/node');
  const program = programOf(join(root, 'conflict/RECIPES.md'), 'Your own Postgres service');
  writeFileSync(join(project.folder, 'service.ts'), program.code);
  await compile(project, { moduleResolution: 'nodenext', skipLibCheck: true });
  for (const name of ['eu', 'us']) await query(postgres.url, `CREATE DATABASE ${name}`);
  expect(await printedBy(project, 'service', environmentOf(postgres.url))).toEqual(expectedOf(program));
  const left = await query(postgres.url.replace(/\/postgres$/, '/eu'), 'SELECT count(*)::int FROM outbox');
  expect(left).toEqual([{ count: 0 }]);
});

/** Drivers read these themselves. */
function environmentOf(url: string): Readonly<Record<string, string>> {
  const { hostname, port, username, password } = new URL(url);
  return { PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: decodeURIComponent(password) };
}
