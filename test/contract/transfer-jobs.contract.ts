/** What every `TransferJobs` must do: a wish is carried out once, by whichever process, and what became of it stays. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TransferJobs } from '@isthmus/replication/ports/transfer-jobs';
import { record, region } from './record-store.contract.ts';
import { beat, entry, incarnation, origin, wish } from './transfer-store.contract.ts';

export interface OpenTransferJobs {
  readonly jobs: TransferJobs;
  readonly close: () => Promise<void>;
}

export function transferJobsContract(name: string, open: () => Promise<OpenTransferJobs>): void {
  describe(`TransferJobs: ${name}`, () => {
    let opened: OpenTransferJobs;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    it('that are wanted of one donor are one while it is open, a dry run beside it', async () => {
      const first = await opened.jobs.want(wish);
      expect(await opened.jobs.want({ ...wish, cause: 'repair' })).toBe(first);
      const dry = await opened.jobs.want({ ...wish, isDryRun: true });
      const other = await opened.jobs.want({ ...wish, donor: region('ap') });
      expect((await opened.jobs.open()).map(({ id, cause }) => [id, cause])).toEqual([
        [first, 'gap'],
        [dry, 'gap'],
        [other, 'gap'],
      ]);
      await opened.jobs.end(first, { state: 'done', detail: '' });
      expect(await opened.jobs.want(wish)).not.toBe(first);
    });

    it('keep their place, for whoever goes on with them', async () => {
      const id = await opened.jobs.want(wish);
      await opened.jobs.start(id);
      const counts = { examined: 9, differing: 4, merged: 3, refused: 1, bytes: 2 ** 33 };
      const passed = { region: origin, incarnation, beat: beat(9, 2n ** 62n, null) };
      const place = { cursor: record('é😀'), vector: [entry(0, 2n ** 62n)], beats: [passed], counts };
      await opened.jobs.note(id, place);
      await opened.jobs.postpone(id, 'the link is cut');
      await opened.jobs.start(id);
      const found = await opened.jobs.find(id);
      expect(found).toMatchObject({ ...wish, id, state: 'running', place, detail: 'the link is cut' });
      expect(found?.startedAtMs).not.toBeNull();
      expect(found?.endedAtMs).toBeNull();
      await opened.jobs.note(id, place);
      expect(await opened.jobs.find(id)).toMatchObject({ detail: '' });
    });

    it('that have ended stay to be looked at, and do not change any more', async () => {
      const id = await opened.jobs.want(wish);
      await opened.jobs.end(id, { state: 'failed', detail: 'away' });
      await opened.jobs.end(id, { state: 'done', detail: '' });
      await opened.jobs.start(id);
      expect(await opened.jobs.open()).toEqual([]);
      expect(await opened.jobs.recent()).toMatchObject([{ id, state: 'failed', detail: 'away' }]);
      expect(await opened.jobs.find(id + 1000)).toBeNull();
    });
  });
}
