/**
 * Keeps the pages of other sites from commanding a region through the browser of somebody who can reach its admin
 * listener. A browser sends some requests to any address without asking first, and says where they come from; programs say
 * nothing of that and are not concerned.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';

export function refuseOtherPages(app: Listener): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (isOfOwnPage(request.headers)) done();
    else done(new Problem('cross-origin', 'The request comes from a page of another site.'));
  });
}

/** A browser's own word for it is better than ours: a proxy in between may have changed the host. */
function isOfOwnPage(headers: IncomingHttpHeaders): boolean {
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (typeof site === 'string') return site === 'same-origin' || site === 'none';
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}
