/**
 * What every `TransferPeer` must do: each question gets the answer that its donor gave to it, whole, or ends as
 * `peer-unavailable`; nobody waits without end for a peer that is silent, and nobody at all once the answer is of no use.
 */
import { getEventListeners } from 'node:events';
import { ReplicationError } from '@isthmus/replication/errors';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { TransferAnswer, TransferPeer, TransferRequest } from '@isthmus/replication/ports/transfer-peer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** How the peer's donor answers. */
export type Answering = (request: TransferRequest) => Promise<TransferAnswer>;

export interface TransferPeerGround {
  readonly peer: TransferPeer;
  /** Who is asked. */
  readonly region: RegionId;
  /** The donor answers like this from now on. */
  readonly answer: (answering: Answering) => void;
  /** Lets time pass until this has come. */
  readonly go: <T>(coming: Promise<T>) => Promise<T>;
  /** Nothing reaches the peer any more and what is under way never comes, until the returned function is called. */
  readonly cut: () => () => void;
  /** Answers that are sent from now on are damaged on the way; `null`: there is no way on which they could be. */
  readonly damage: (() => void) | null;
  readonly close: () => Promise<void>;
}

const unavailable = { code: 'peer-unavailable', retriable: true };
const mebibyte = 1024 * 1024;
const silent: Answering = () => new Promise(() => undefined);
const closed: TransferAnswer = { kind: 'closed' };
const id = (key: string) => ({ collection: 'products', key });
const bytes = (...values: readonly number[]) => Uint8Array.from(values);

export function transferPeerContract(name: string, begin: () => Promise<TransferPeerGround>): void {
  describe(`TransferPeer: ${name}`, () => {
    let ground: TransferPeerGround;
    beforeEach(async () => {
      ground = await begin();
    });
    afterEach(() => ground.close());

    const asking = (request: TransferRequest, signal?: AbortSignal): Promise<TransferAnswer> =>
      ground.peer.ask(ground.region, request, signal);
    const ask = (request: TransferRequest, signal?: AbortSignal): Promise<TransferAnswer> =>
      ground.go(asking(request, signal));
    const refused = (asked: Promise<TransferAnswer>): Promise<void> =>
      expect(ground.go(asked)).rejects.toMatchObject(unavailable);

    /** Ends once the donor was asked so often, without an answer. */
    function hanging(count = 1): Promise<void> {
      return new Promise((resolve) => {
        let left = count;
        ground.answer(() => {
          if (--left === 0) resolve();
          return silent({ kind: 'open' });
        });
      });
    }

    it('brings the question to the donor and its answer back, whatever stands in them', async () => {
      const seen: TransferRequest[] = [];
      const requests: readonly TransferRequest[] = [
        { kind: 'ranges', snapshot: 'é😀', after: id('') },
        { kind: 'states', snapshot: 's', ids: [id('ключ'), id('a/b')] },
        {
          kind: 'fetch',
          snapshot: 's',
          range: { after: id(''), until: id('b') },
          have: [bytes(), bytes(0, 255)],
        },
      ];
      const answers: readonly TransferAnswer[] = [
        { kind: 'ranges', ranges: [] },
        { kind: 'states', states: [bytes(), bytes(0, 255, 10)] },
        { kind: 'refused', refusal: 'busy', detail: '2 snapshots are open' },
      ];
      ground.answer(async (request) => {
        seen.push(request);
        return answers[seen.length - 1] ?? closed;
      });
      for (const [index, request] of requests.entries()) expect(await ask(request)).toEqual(answers[index]);
      expect(seen).toEqual(requests);
    });

    it('gives each of many who ask at once the answer to the own question, in whatever order they come', async () => {
      const names = Array.from({ length: 12 }, (_, number) => `s${number}`);
      const waiting: (() => void)[] = [];
      ground.answer(async (request) => {
        const asked = request.kind === 'close' || request.kind === 'open' ? '' : request.snapshot;
        const turn = new Promise<void>((resolve) => void waiting.push(resolve));
        // Of those who wait the last one is answered first.
        setImmediate(() => waiting.pop()?.());
        await turn;
        return { kind: 'refused', refusal: 'snapshot-gone', detail: asked };
      });
      const answers = names.map((snapshot) => asking({ kind: 'ranges', snapshot, after: id('') }));
      const expected = names.map((detail) => ({ kind: 'refused', refusal: 'snapshot-gone', detail }));
      expect(await ground.go(Promise.all(answers))).toEqual(expected);
    });

    it('passes on an answer of nearly eight mebibytes, and takes a longer one for none', async () => {
      const answerOf = (length: number) => async (): Promise<TransferAnswer> => ({
        kind: 'states',
        states: [new Uint8Array(length).fill(7)],
      });
      const request = { kind: 'states', snapshot: 's', ids: [id('a')] } as const;
      ground.answer(answerOf(8 * mebibyte - 64));
      expect(await ask(request)).toMatchObject({ kind: 'states', states: [{ length: 8 * mebibyte - 64 }] });
      ground.answer(answerOf(8 * mebibyte));
      await refused(asking(request));
    });

    it('takes the failure of a donor for no answer, and its refusal for one', async () => {
      ground.answer(() =>
        Promise.reject(
          new ReplicationError('database-unavailable', 'its database is down', { retriable: true }),
        ),
      );
      await refused(asking({ kind: 'open' }));
      ground.answer(async () => closed);
      expect(await ask({ kind: 'close', snapshot: 's' })).toEqual(closed);
    });

    it('lets a donor refuse what it cannot read', async () => {
      let asked = 0;
      ground.answer(async () => {
        asked++;
        return closed;
      });
      const answer = await ask({ kind: 'states', snapshot: 's', ids: [id('a\0b')] });
      expect(answer).toMatchObject({ kind: 'refused', refusal: 'malformed-request' });
      expect(asked).toBe(0);
    });

    it('takes what was damaged on the way for no answer', async () => {
      ground.answer(async () => ({ kind: 'states', states: [bytes(1, 2, 3)] }));
      if (ground.damage === null) return;
      ground.damage();
      await refused(asking({ kind: 'states', snapshot: 's', ids: [id('a')] }));
    });

    it('asks nobody where nobody waits', async () => {
      let asked = 0;
      ground.answer(async () => {
        asked++;
        return closed;
      });
      await refused(asking({ kind: 'open' }, AbortSignal.abort()));
      await ask({ kind: 'open' });
      expect(asked).toBe(1);
    });

    it('ends at once when nobody waits any more, and leaves the others alone', async () => {
      const hung = hanging(3);
      const [one, two] = [new AbortController(), new AbortController()];
      const asked = [one.signal, two.signal, undefined].map((signal) => asking({ kind: 'open' }, signal));
      const first = Promise.race(asked.slice(1)).then(
        () => 'answered',
        () => 'gone',
      );
      await ground.go(hung);
      one.abort();
      // Not by time: nobody lets it pass.
      await expect(asked[0]).rejects.toMatchObject(unavailable);
      expect(await Promise.race([first, soon('under way')])).toBe('under way');
      two.abort();
      await expect(asked[1]).rejects.toMatchObject(unavailable);
      for (const each of asked) each.catch(() => undefined);
    });

    it('leaves nothing behind at a signal that outlives the question', async () => {
      const life = new AbortController();
      ground.answer(async () => closed);
      await ask({ kind: 'open' }, life.signal);
      const uncut = ground.cut();
      await refused(asking({ kind: 'close', snapshot: 's' }, life.signal));
      uncut();
      expect(await ask({ kind: 'open' }, life.signal)).toEqual(closed);
      await ground.go(untilNone(life.signal));
      life.abort();
    });

    it('waits for no silent donor without end, and hardly to give a snapshot back', async () => {
      const hung = hanging(2);
      const end = new AbortController();
      const open = asking({ kind: 'open' }, end.signal);
      const first = open.then(
        () => 'open',
        () => 'open',
      );
      const close = asking({ kind: 'close', snapshot: 's' });
      close.catch(() => undefined);
      await ground.go(hung);
      const over = close.catch(() => 'close');
      expect(await ground.go(Promise.race([first, over]))).toBe('close');
      await refused(close);
      end.abort();
      await refused(open);
    });

    it('has no answer where the peer cannot be reached, and asks it anew once it can', async () => {
      ground.answer(async () => closed);
      const uncut = ground.cut();
      await refused(asking({ kind: 'close', snapshot: 's' }));
      uncut();
      expect(await ask({ kind: 'open' })).toEqual(closed);
    });

    it('does not wait on for what was under way when the peer went away', async () => {
      const hung = hanging();
      const asked = asking({ kind: 'close', snapshot: 's' });
      asked.catch(() => undefined);
      await ground.go(hung);
      const uncut = ground.cut();
      await refused(asked);
      uncut();
      ground.answer(async () => closed);
      expect(await ask({ kind: 'open' })).toEqual(closed);
    });
  });
}

/** Once everything that has happened by now was heard of. */
function soon<T>(value: T): Promise<T> {
  return new Promise((resolve) => void setImmediate(resolve, value));
}

/** Nobody listens to the signal. */
async function untilNone(signal: AbortSignal): Promise<void> {
  while (getEventListeners(signal, 'abort').length > 0) await soon(null);
}
