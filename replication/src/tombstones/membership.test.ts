import { expect, test } from 'vitest';
import { AgendaWatch } from '../agenda-watch.ts';
import { MemoryAgendaStore } from '../adapters/memory/agenda-store.ts';
import { MemoryDatabase } from '../adapters/memory/database.ts';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { MemoryRecordStore } from '../adapters/memory/record-store.ts';
import { MemoryRetirementStore } from '../adapters/memory/retirement-store.ts';
import { parseRegionId, type RegionId } from '../ports/identity.ts';
import { Membership } from './membership.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const ap = parseRegionId('ap') ?? expect.fail('ap is a region');
const ignore = () => undefined;
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

test('whoever was closed is told again and again, and is a member until its final vector is agreed on (P8)', async () => {
  const timer = new ManualTimer();
  const database = new MemoryDatabase({ nowMs: () => 0 });
  const retirements = new MemoryRetirementStore(database, new MemoryRecordStore(database));
  const agenda = new AgendaWatch({ store: new MemoryAgendaStore({ retirements }), timer, logger });
  const told: RegionId[] = [];
  const onClosed = (region: RegionId) => void told.push(region);
  const membership = new Membership({ peers: [us, ap], agenda, onClosed });
  membership.start();
  agenda.start();
  await timer.advance(1000);
  expect([membership.members(), membership.closed(), told]).toEqual([[us, ap], [], []]);
  await retirements.close(ap, null);
  await timer.advance(1000);
  expect([membership.members(), membership.closed(), told]).toEqual([[us, ap], [ap], [ap, ap]]);
  expect(await retirements.retire(ap, { final: [], heir: us }, [ap])).toBe(true);
  await timer.advance(500);
  expect([membership.members(), membership.retired()]).toEqual([[us], [ap]]);
  const later = new Membership({ peers: [us, ap], agenda, onClosed });
  expect([later.members(), later.closed(), later.retired()]).toEqual([[us], [ap], [ap]]);
});
