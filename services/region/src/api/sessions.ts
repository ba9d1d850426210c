/**
 * Sessions over HTTP (P5): `Isthmus-Session` comes with a request and goes back with every answer. A request that brings
 * one is not looked at further before the region includes what the session has seen, for at most `Isthmus-Wait`
 * milliseconds. The token is opaque to callers; one that was changed or made elsewhere is refused, never guessed at. Only so
 * many wait at once, and the others are answered at once: in a partition the callers of other regions could otherwise hold
 * all places of the listener, and take its time from local callers (I8).
 */
import { ReplicationError } from '@isthmus/replication/errors';
import type { RecordId } from '@isthmus/replication/ports/change';
import type { SeenCommit } from '@isthmus/replication/ports/session-store';
import type { Session, SessionJudgement } from '@isthmus/replication/sessions/session';
import type { SessionDesk } from '@isthmus/replication/sessions/session-desk';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';

export type SessionParts = Pick<SessionDesk, 'parse' | 'reach' | 'tokenOf' | 'afterRead' | 'afterWrite'>;

export interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

const sessionHeader = 'isthmus-session';
const waitHeader = 'isthmus-wait';
const defaultWaitMs = 1000;
const maxWaitMs = 10_000;
/** Each is judged dozens of times a second. */
const maxWaiting = 256;

export class ApiSessions {
  readonly #desk: SessionParts;
  readonly #open = new WeakMap<FastifyRequest, Session>();
  #waiting = 0;

  constructor(desk: SessionParts) {
    this.#desk = desk;
  }

  addTo(app: Listener): void {
    app.addHook('preHandler', (request, reply, done) => {
      const entering = this.#enter({ request, reply });
      // Most requests bring no session, and a promise for each of them would cost more than all else here.
      if (entering === null) done();
      else void passOn(entering, done);
    });
  }

  /** To be called once the records were read, also where there were none; `null` stands for some of all. */
  async read({ request, reply }: Exchange, ids: readonly RecordId[] | null): Promise<void> {
    void reply.header(sessionHeader, await this.#desk.afterRead(this.#sessionOf(request), ids));
  }

  /** `commit` is `null` where nothing had to be written: then what is stored was seen. */
  async wrote(exchange: Exchange, ids: readonly RecordId[], commit: SeenCommit | null): Promise<void> {
    if (commit === null) return this.read(exchange, ids);
    const { request, reply } = exchange;
    void reply.header(sessionHeader, this.#desk.afterWrite(this.#sessionOf(request), ids, commit));
  }

  #sessionOf(request: FastifyRequest): Session | null {
    return this.#open.get(request) ?? null;
  }

  /**
   * `null`: it brings no session. A refusal carries what the caller may go on with: the session that it brought, or none
   * where that is no use.
   */
  #enter(exchange: Exchange): Promise<void> | null {
    const { request, reply } = exchange;
    void reply.header(sessionHeader, this.#desk.tokenOf(null));
    const waitMs = waitOf(request);
    const header = request.headers[sessionHeader];
    return header === undefined ? null : this.#reach(exchange, String(header), waitMs);
  }

  async #reach({ request, reply }: Exchange, header: string, waitMs: number): Promise<void> {
    const give = (token: string) => void reply.header(sessionHeader, token);
    const session = this.#parse(header);
    give(header);
    const at = await this.#desk.reach(session, 0);
    const mayWait = at.kind === 'waiting' && waitMs > 0 && this.#waiting < maxWaiting;
    const judgement = mayWait ? await this.#await(session, waitMs) : at;
    if (judgement.kind === 'lost') give(this.#desk.tokenOf(null));
    requireReached(judgement, mayWait ? waitMs : 0);
    this.#open.set(request, session);
    give(this.#desk.tokenOf(session));
  }

  async #await(session: Session, waitMs: number): Promise<SessionJudgement> {
    this.#waiting++;
    try {
      return await this.#desk.reach(session, waitMs);
    } finally {
      this.#waiting--;
    }
  }

  #parse(token: string): Session {
    try {
      return this.#desk.parse(token);
    } catch (error) {
      if (!(error instanceof ReplicationError)) throw error;
      throw new Problem('session-invalid', `The session is refused: ${error.message}.`, { cause: error });
    }
  }
}

async function passOn(entering: Promise<void>, done: (refusal?: Error) => void): Promise<void> {
  try {
    await entering;
  } catch (error) {
    return done(error instanceof Error ? error : new Problem('internal', 'The session could not be read.'));
  }
  done();
}

function requireReached(judgement: SessionJudgement, waitMs: number): void {
  if (judgement.kind === 'reached') return;
  const { region, incarnation, partition } = judgement.missing;
  if (judgement.kind === 'lost') {
    throw new Problem(
      'session-lost',
      `What the session knows of region ${region} was written by incarnation ${incarnation.counter}, which is kept only up to a place before it; it may be lost.`,
    );
  }
  const value = `${region}.${incarnation.counter}/${partition}`;
  throw new Problem(
    'session-not-reached',
    `This region does not have what the session knows of region ${region}, and has waited for it for ${waitMs} ms at most.`,
    { violations: [{ field: sessionHeader, rule: 'reached', limit: waitMs, value }] },
  );
}

function waitOf({ headers }: FastifyRequest): number {
  const header = headers[waitHeader];
  if (header === undefined) return defaultWaitMs;
  const text = String(header);
  const waitMs = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  if (waitMs <= maxWaitMs) return waitMs;
  const violation = { field: waitHeader, rule: 'wait', limit: maxWaitMs, value: text.slice(0, 16) };
  const detail = `Isthmus-Wait takes whole milliseconds, at most ${maxWaitMs}.`;
  throw new Problem('session-invalid', detail, { violations: [violation] });
}
