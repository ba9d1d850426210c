import http from 'node:http';
import { encodeVector } from '@isthmus/replication/log/offer-bytes';
import type { Overview } from '@isthmus/replication/ports/beat-store';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { afterEach, expect, test } from 'vitest';
import { answerEcho, HttpPeerClient } from './peer-client.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const us = parseRegionId('us') ?? expect.fail('us is a region');
const incarnation = { counter: 1, nonce: 5 };
const written = { incarnation: { counter: 2, nonce: 9 }, beat: 77, count: 1000 };
const made = { lsn: '9223372036854775809', atMs: 1234.5 };
const right = {
  region: 'us',
  incarnation,
  echoedBeat: 42,
  made,
  applied: '18446744073709551614',
  changesAgeMs: 120,
  written,
  namesCaller: true,
};
const going = new AbortController().signal;
const echo = { echoedBeat: 42, changesAgeMs: 120, written, namesCaller: true };

/** A vector with one place of each of these regions, as it travels. */
function of(...names: readonly string[]): string {
  const entries = names.map((name) => {
    const region = parseRegionId(name) ?? expect.fail(`${name} is a region`);
    return { region, incarnation, partition: 0, lsn: 5n };
  });
  return encodeVector(entries).toString('base64');
}

let server: http.Server | null = null;

/** A peer on a real socket that answers like this, and our client of it. */
async function peer(handle: http.RequestListener, timeoutMs = 5000): Promise<HttpPeerClient> {
  const listening = http.createServer(handle);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  const admins = new Map([[us, `http://127.0.0.1:${address.port}`]]);
  return new HttpPeerClient({ region: eu, incarnation, admins, timeoutMs });
}

function answering(body: unknown, status = 200): http.RequestListener {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

test('asks under the own name and takes the echo', async () => {
  const seen: (string | undefined)[] = [];
  const client = await peer((request, response) => {
    seen.push(request.url);
    answering(right)(request, response);
  });
  expect(await client.ping(us)).toEqual(echo);
  expect(await client.ping(us)).toEqual(echo);
  expect(seen).toEqual(['/v1/echo?region=eu', '/v1/echo?region=eu']);
  client.close();
});

test('an answer without a beat, or about another incarnation of ours, is an answer and no echo', async () => {
  const none = await peer(answering({ ...right, incarnation: null, echoedBeat: null }));
  expect(await none.ping(us)).toEqual({ ...echo, echoedBeat: null });
  server?.close();
  const other = await peer(answering({ ...right, incarnation: { counter: 2, nonce: 5 } }));
  expect(await other.ping(us)).toEqual({ ...echo, echoedBeat: null });
});

test('what a peer remembers of us comes with all that the beat says of itself, as far as the peer tells it', async () => {
  const whole = await peer(answering(right));
  const beat = { incarnation, number: 42, made: { lsn: 2n ** 63n + 1n, atMs: 1234.5 } };
  expect(await whole.rememberedBy(us)).toEqual({ ...beat, applied: 2n ** 64n - 2n });
  server?.close();
  const { made: _made, applied: _applied, ...earlier } = right;
  const old = await peer(answering(earlier));
  expect(await old.rememberedBy(us)).toEqual({ ...beat, made: null, applied: null });
  server?.close();
  const none = await peer(answering({ ...right, incarnation: null, echoedBeat: null, made: null }));
  expect(await none.rememberedBy(us)).toBe('nothing');
  server?.close();
  const wrong = await peer(answering({ ...right, made: { ...made, lsn: '-1' } }));
  expect(await wrong.rememberedBy(us)).toBeNull();
});

test('an answer about a life that no database can hold is no answer', async () => {
  for (const life of [
    { counter: 2 ** 32, nonce: 5 },
    { counter: 1, nonce: 2 ** 32 },
  ]) {
    const client = await peer(answering({ ...right, incarnation: life }));
    expect(await client.ping(us)).toBeNull();
    expect(await client.rememberedBy(us)).toBeNull();
    server?.close();
  }
});

test('what a peer of an earlier version does not say is unknown', async () => {
  const { changesAgeMs: _changesAgeMs, written: _written, namesCaller: _namesCaller, ...earlier } = right;
  const client = await peer(answering(earlier));
  expect(await client.ping(us)).toEqual({
    echoedBeat: 42,
    changesAgeMs: null,
    written: null,
    namesCaller: null,
  });
});

test('digests are those of the collections that the peer has', async () => {
  const digests = await peer((request, response) => {
    const known = request.url === '/v1/digests/a' || request.url === '/v1/digests/b%20c';
    answering({ digest: `of ${request.url}`, records: 1, asOf: '' }, known ? 200 : 404)(request, response);
  });
  expect(await digests.digests(us, ['a', 'b c'], going)).toEqual(
    new Map([
      ['a', 'of /v1/digests/a'],
      ['b c', 'of /v1/digests/b%20c'],
    ]),
  );
  expect([...(await digests.digests(us, ['other', 'a'], going)).keys()]).toEqual(['a']);
  expect(await digests.digests(eu, ['a'], going)).toEqual(new Map());
});

test('digests that nobody waits for any more are not waited for', async () => {
  const end = new AbortController();
  const asked: unknown[] = [];
  const silent = await peer((request) => {
    asked.push(request.url);
    end.abort();
  });
  expect(await silent.digests(us, ['a', 'b'], end.signal)).toEqual(new Map());
  expect(asked).toEqual(['/v1/digests/a']);
});

test.each([
  ['another region', answering({ ...right, region: 'ap' })],
  ['a failure', answering(right, 503)],
  ['no JSON', answering('<html>')],
  ['another shape', answering({ ...right, echoedBeat: '42' })],
  ['too much', answering({ ...right, padding: 'x'.repeat(10_000) })],
  ['a redirect', answering(right, 302)],
])('%s is no answer', async (_what, handle) => {
  const client = await peer(handle);
  expect(await client.ping(us)).toBeNull();
});

test('a peer that accepts and never answers, or never ends its answer, is left at the time-out', async () => {
  const silent = await peer(() => undefined, 50);
  expect(await silent.ping(us)).toBeNull();
  server?.closeAllConnections();
  const endless = await peer((_request, response) => response.write('{"region":'), 50);
  expect(await endless.ping(us)).toBeNull();
});

test.each([
  ['of another region', { region: 'ap', final: of('us') }],
  ['that speaks of another region', { region: 'us', final: of('ap') }],
  ['that speaks of another region as well', { region: 'us', final: of('us', 'ap') }],
  ['that is no vector', { region: 'us', final: 'AAEC' }],
])('an end %s is none', async (_what, body) => {
  const client = await peer(answering(body));
  expect(await client.finalOf(us, us)).toBeNull();
});

test('an end of the region that was asked about is one, be it empty', async () => {
  const client = await peer(answering({ region: 'us', final: of('us') }));
  expect(await client.finalOf(us, us)).toEqual([{ region: us, incarnation, partition: 0, lsn: 5n }]);
  server?.close();
  const nothing = await peer(answering({ region: 'us', final: of() }));
  expect(await nothing.finalOf(us, us)).toEqual([]);
});

test('closing ends all that is under way or still waits for a connection', async () => {
  let asked = 0;
  let heard = (): void => undefined;
  const busy = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const client = await peer(() => (++asked === 2 ? heard() : undefined), 600_000);
  const pings = Promise.all(Array.from({ length: 5 }, () => client.ping(us)));
  await busy;
  client.close();
  expect(await pings).toEqual([null, null, null, null, null]);
  expect(await client.ping(us)).toBeNull();
  expect(asked).toBe(2);
});

test('a peer that is not there, and one that is not known, give no answer', async () => {
  const client = await peer(answering(right));
  const gone = new Promise<void>((resolve) => server?.close(() => resolve()));
  await gone;
  expect(await client.ping(us)).toBeNull();
  expect(await client.ping(eu)).toBeNull();
});

test('the answer to a caller carries its newest beat that we hold, and how far we have written', async () => {
  const beat = { number: 42, count: 0, atMs: made.atMs, lsn: BigInt(made.lsn), end: 1n };
  const own = { ...beat, number: 77, count: 1000 };
  const links = { dataAgeMs: () => 120 };
  const row = { origin: eu, settled: 0n, beat: null, nextOffset: 0n };
  const overview: Overview = {
    rpo: [],
    own: { newest: own, newestCounted: own, logCoveredAtMs: null, logCount: null },
    heard: [{ origin: eu, incarnation, beat, receivedAtMs: 0 }],
    progress: [],
    positions: [
      { ...row, incarnation, partition: 0, applied: 7n },
      { ...row, incarnation, partition: 1, applied: BigInt(right.applied) },
      { ...row, incarnation: { counter: 9, nonce: 9 }, partition: 0, applied: 2n ** 64n - 1n },
    ],
  };
  const beats = { overview: async () => overview };
  const sources = { region: us, incarnation: written.incarnation, peers: [eu], beats, links };
  expect(await answerEcho(sources, eu)).toEqual(right);
  expect(await answerEcho(sources, us)).toMatchObject({
    region: 'us',
    incarnation: null,
    echoedBeat: null,
    namesCaller: false,
  });
});
