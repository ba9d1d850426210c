/**
 * Row 14: the disk of a region's database is full: writes are refused, reads live, and with space all goes on. The disk of
 * its broker is full: local writes go on and wait in the database, and with space they reach the log.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../until.ts';
import { known } from '../gauges.ts';
import { pair, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const refusedWithinMs = 80_000;
const waitsWithinMs = 80_000;
const leastWaitSeconds = 3;
const sizeMib = 300;

export const diskFull: Scenario = {
  ...pair,
  name: 'disk-full',
  row: 14,
  about: 'The disk of the database of a region is full, then that of its broker',
  needs: ['root'],
  prepare: async (folder, onEnd) => {
    for (const server of ['postgres', 'kafka']) {
      const place = join(folder, 'eu', server);
      mkdirSync(place, { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'tmpfs', place]);
      onEnd(() => void execFileSync('umount', ['-l', place]));
    }
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
    await fillBroker(stage);
    return `writes were refused (${refusal}), and served again with space; with the broker's disk full they waited`;
  },
};

async function fillBroker(stage: Stage): Promise<void> {
  const { kafka } = stage.region('eu').site;
  const { oracle, folder } = stage.parts;
  const filler = join(folder, 'eu', 'kafka', 'filler');
  await stage.during({ fault: 'the disk of the broker is full', strikes: [] }, async (overlap) => {
    fill(filler);
    await until('the log takes nothing', waitsWithinMs, () => {
      return (known(oracle.gauges('eu'), 'rpo_seconds{peer="log"}') ?? 0) > leastWaitSeconds;
    });
    await overlap(0);
    rmSync(filler);
    if (kafka?.isRunning() === false) await kafka.restart();
  });
  await until('the log has all', waitsWithinMs, () => {
    return (known(oracle.gauges('eu'), 'rpo_seconds{peer="log"}') ?? Infinity) < 2;
  });
}

function fill(path: string): void {
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${path}`, 'bs=64k'], { stdio: 'ignore' });
  } catch {
    // It ends when nothing is left, which is the purpose.
  }
}
