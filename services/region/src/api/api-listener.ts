/**
 * The public listener. It admits requests up to a bound, and past it refuses at once with `overloaded` instead of
 * letting everybody wait; its routes never look at other regions, so no fault between regions reaches its callers (I8).
 */
import { Admission } from '../admission.ts';
import { maxBodyBytes } from '../http/json-body.ts';
import { type Listener, type ListenerOptions, createListener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import type { ApiParts } from './api-parts.ts';
import { addBatchRoute } from './batch-route.ts';
import { addListRoute } from './list-route.ts';
import { addProblemPages } from './problem-pages.ts';
import { addRecordRoutes } from './records-routes.ts';
import { ApiSessions } from './sessions.ts';

const admissionLimits = {
  maxRequests: 4096,
  maxBodyBytes: 128 * 1024 * 1024,
  maxAnswerBytes: 128 * 1024 * 1024,
} as const;
/** An answer up to this is not counted: as many as there may be requests take no more than the others. */
const smallAnswerBytes = 16 * 1024;

export function createApiListener(options: ListenerOptions, parts: ApiParts): Listener {
  const app = createListener(options);
  const admission = new Admission(admissionLimits);
  admit(app, admission);
  countAnswers(app, admission);
  const sessions = new ApiSessions(parts.sessions);
  sessions.addTo(app);
  addRecordRoutes(app, parts, sessions);
  addListRoute(app, parts, sessions);
  addBatchRoute(app, parts, sessions);
  addProblemPages(app);
  return app;
}

function admit(app: Listener, admission: Admission): void {
  app.addHook('onRequest', (request, reply, done) => {
    const bytes = announcedBytes(request.headers);
    if (!admission.tryEnter(bytes)) {
      done(new Problem('overloaded', 'Too many requests are under way; nothing was written.'));
      return;
    }
    reply.raw.once('close', () => {
      admission.leave(bytes);
    });
    done();
  });
}

function countAnswers(app: Listener, admission: Admission): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    const bytes = typeof payload === 'string' ? payload.length : 0;
    if (bytes > smallAnswerBytes && !reply.raw.destroyed) {
      admission.answer(bytes);
      reply.raw.once('close', () => {
        admission.taken(bytes);
      });
    }
    done();
  });
}

function announcedBytes(headers: {
  readonly 'content-length'?: string | undefined;
  readonly 'transfer-encoding'?: string | undefined;
}): number {
  if (headers['transfer-encoding'] !== undefined) return maxBodyBytes;
  return Math.min(Number(headers['content-length'] ?? 0), maxBodyBytes);
}
