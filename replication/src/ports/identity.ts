/**
 * Who a region is. A region's name is configured; its incarnation is minted once for each database that it has ever
 * lived in. Together they form the actor under which its writes get their dots, so two databases must never share
 * one. Everything here is a plain value; nothing here decides when an incarnation changes (P1, P9).
 */
import { assert } from '../errors.ts';

declare const regionBrand: unique symbol;
declare const actorBrand: unique symbol;

/** Name of a region: lower-case letters, digits and inner hyphens, 1 to 32 characters. */
export type RegionId = string & { readonly [regionBrand]: true };

/** Identity of the writer of a dot: `region.counter.nonce`, the nonce as 8 hexadecimal digits. */
export type Actor = string & { readonly [actorBrand]: true };

/** The highest of either number of an incarnation. */
export const maxIncarnationNumber = 2 ** 32 - 1;

/** One life of a region's database. Both numbers are unsigned 32-bit integers; `counter` starts at 1. */
export interface Incarnation {
  readonly counter: number;
  readonly nonce: number;
}

/** A region as it was or is under one incarnation. */
export interface Life {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
}

const regionPattern = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
const actorPattern = /^([a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?)\.([1-9][0-9]{0,9})\.([0-9a-f]{8})$/;

/** Returns the name branded, or `null` where it is not a region's name. */
export function parseRegionId(name: string): RegionId | null {
  return isRegionId(name) ? name : null;
}

function isRegionId(name: string): name is RegionId {
  return regionPattern.test(name);
}

export function actorOf(region: RegionId, incarnation: Incarnation): Actor {
  const nonce = incarnation.nonce.toString(16).padStart(8, '0');
  const actor = `${region}.${incarnation.counter}.${nonce}`;
  assert(isActor(actor), `not an actor: ${actor}`);
  return actor;
}

function isActor(text: string): text is Actor {
  return actorPattern.test(text);
}

/** Returns the text branded, or `null` where it is no actor. */
export function parseActor(text: string): Actor | null {
  return isActor(text) ? text : null;
}

/** The region that an actor belongs to, or `null` where the text is no actor. */
export function regionOfActor(actor: string): RegionId | null {
  const match = actorPattern.exec(actor);
  return match?.[1] === undefined ? null : parseRegionId(match[1]);
}

export function sameLife(a: Life, b: Life): boolean {
  return a.region === b.region && sameIncarnation(a.incarnation, b.incarnation);
}

export function sameIncarnation(a: Incarnation, b: Incarnation): boolean {
  return a.counter === b.counter && a.nonce === b.nonce;
}
