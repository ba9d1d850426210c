/** What each error means and how it is mended, as plain text at the address that answers name in `type`. */
import type { Listener } from '../http/listener.ts';
import { findProblemKind } from '../problem-codes.ts';
import { Problem } from '../problem.ts';
import { pathParameter } from './requests.ts';

export function addProblemPages(app: Listener): void {
  app.get('/problems/:code', (request, reply) => {
    const code = pathParameter(request, 'code');
    const kind = findProblemKind(code);
    if (kind === null) throw new Problem('not-found', 'No error has this code.');
    const lines = [
      `${code} (HTTP ${kind.status})`,
      kind.title,
      '',
      kind.meaning,
      '',
      `To mend it: ${kind.mend}`,
      '',
    ];
    return reply.type('text/plain; charset=utf-8').send(lines.join('\n'));
  });
}
