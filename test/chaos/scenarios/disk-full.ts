/** Row 14: the disk of a region's database is full: writes are refused, reads live, and with space all goes on. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../until.ts';
import { pair, type Scenario } from '../scenario.ts';

const refusedWithinMs = 80_000;
const sizeMib = 300;

export const diskFull: Scenario = {
  ...pair,
  name: 'disk-full',
  row: 14,
  about: 'The disk of the database of a region is full',
  needs: ['root'],
  prepare: async (folder, onEnd) => {
    const place = join(folder, 'eu', 'postgres');
    mkdirSync(place, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'tmpfs', place]);
    onEnd(() => void execFileSync('umount', ['-l', place]));
    await Promise.resolve();
  },
  run: async (stage) => {
    const { site, client } = stage.region('eu');
    const filler = join(stage.parts.folder, 'eu', 'postgres', 'filler');
    await client.put('products', 'readable', { title: 'readable' });
    let refusal = '';
    await stage.during({ fault: 'the disk is full', strikes: ['eu'] }, async (overlap) => {
      fill(filler);
      await until('a write is refused', refusedWithinMs, async () => {
        const { status, body } = await client.put('products', 'refused', { title: 'x'.repeat(100_000) });
        refusal = `${status} ${JSON.stringify(body).slice(0, 120)}`;
        return status >= 500;
      });
      await overlap(0);
      rmSync(filler);
      if (!site.postgres.isRunning()) await site.postgres.restart();
    });
    const { status } = await client.get('products', 'readable');
    if (status !== 200) throw new Error(`a read was answered ${status}`);
    return `writes were refused (${refusal}), and served again with space`;
  },
};

function fill(path: string): void {
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${path}`, 'bs=64k'], { stdio: 'ignore' });
  } catch {
    // It ends when nothing is left, which is the purpose.
  }
}
