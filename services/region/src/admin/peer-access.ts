/**
 * Who may read this region's records as a peer: whoever shows the secret that the regions share, compared in constant
 * time. Without a secret nobody may but programs on this machine, so a region that listens further and has none configured
 * serves no transfers rather than everybody.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../problem.ts';

/** `secret` empty: none is configured. Throws `unauthenticated`. */
export function requirePeer(request: FastifyRequest, secret: string): void {
  if (secret === '') {
    if (isLoopback(request.socket.remoteAddress ?? '')) return;
    throw refused('no ISTHMUS_PEER_SECRET is configured here, so only this machine is served');
  }
  const shown = /^Bearer ([!-~]+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (shown === undefined) throw refused('the request shows no secret');
  if (!isSame(shown, secret)) throw refused('the request shows another secret');
}

export function peerHeaders(secret: string): Readonly<Record<string, string>> {
  return secret === '' ? {} : { authorization: `Bearer ${secret}` };
}

/** Digests are of one length, so nothing is told by when the comparison ends. */
function isSame(shown: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(shown), digest(secret));
}

function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return address === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}

function refused(reason: string): Problem {
  return new Problem('unauthenticated', `This region's records are read by its peers only: ${reason}.`, {
    headers: { 'www-authenticate': 'Bearer' },
  });
}
