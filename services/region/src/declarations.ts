/**
 * The collections that a region serves, as the file named by `ISTHMUS_COLLECTIONS` declares them. Parsing reports
 * every fault at once, each with its path in the file and what may stand there, and accepts nothing that it does not
 * understand: a misspelt policy must not silently become the default.
 */
import type { Guard } from '@isthmus/replication/guard/write-guard';
import { z } from 'zod';
import { collectionFields, type FieldDeclarations, members, named } from './field-declarations.ts';
import { guardDeclaration } from './guard-declaration.ts';

const collectionNamePattern = /^[a-z][a-z0-9_-]{0,62}$/;
const maxCollections = 1000;

const collection = members({
  deletes: z.enum(['add-wins', 'last-writer-wins']).default('add-wins'),
  guard: guardDeclaration(),
  fields: collectionFields(),
});
const file = members({
  collections: named(collection, {
    pattern: collectionNamePattern,
    what: 'a collection name ([a-z][a-z0-9_-]*, at most 63 characters)',
    least: 0,
    limit: { max: maxCollections, count: (collections) => Object.keys(collections).length },
  }),
});

export interface CollectionDeclaration {
  readonly deletes: 'add-wins' | 'last-writer-wins';
  readonly guard: Guard;
  readonly fields: FieldDeclarations;
}

export type Declarations = ReadonlyMap<string, CollectionDeclaration>;

type ParsedDeclarations =
  | { readonly kind: 'declared'; readonly declarations: Declarations }
  | { readonly kind: 'faulty'; readonly faults: readonly string[] };

/** Reads the text of a declarations file; each fault starts with its path in the file. */
export function parseDeclarations(text: string): ParsedDeclarations {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'unreadable';
    return { kind: 'faulty', faults: [`is not JSON: ${reason}`] };
  }
  const parsed = file.safeParse(value);
  if (parsed.success) return { kind: 'declared', declarations: parsed.data.collections };
  return { kind: 'faulty', faults: parsed.error.issues.map(describeIssue) };
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.');
  return `${path === '' ? '(top)' : path}: ${issue.message}`;
}
