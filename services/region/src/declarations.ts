/**
 * The collections that a region serves, as the file named by `ISTHMUS_COLLECTIONS` declares them. Parsing reports
 * every fault at once, each with its path in the file and what may stand there, and accepts nothing that it does not
 * understand: a misspelt policy must not silently become the default.
 */
import { z } from 'zod';
import { nearest } from './nearest.ts';

const collectionNamePattern = /^[a-z][a-z0-9_-]{0,62}$/;
const fieldNamePattern = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;
const maxCollections = 1000;
const maxFields = 256;

const register = z.strictObject({
  type: z.literal('register'),
  resolve: z.enum(['last-writer', 'siblings']).default('last-writer'),
});
const counter = z.strictObject({ type: z.literal('counter') });
const field = z.discriminatedUnion('type', [register, counter]);
const collection = z.strictObject({
  deletes: z.enum(['add-wins', 'last-writer-wins']).default('add-wins'),
  fields: named(field, {
    pattern: fieldNamePattern,
    what: 'a field name ([A-Za-z][A-Za-z0-9_]*, at most 63 characters)',
    max: maxFields,
  }),
});
const file = z.strictObject({
  collections: named(collection, {
    pattern: collectionNamePattern,
    what: 'a collection name ([a-z][a-z0-9_-]*, at most 63 characters)',
    max: maxCollections,
  }),
});

export type FieldDeclaration = z.infer<typeof field>;

export interface CollectionDeclaration {
  readonly deletes: 'add-wins' | 'last-writer-wins';
  readonly fields: ReadonlyMap<string, FieldDeclaration>;
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

interface Naming {
  readonly pattern: RegExp;
  readonly what: string;
  readonly max: number;
}

/** An object with free names, read into a map so that no name can reach a prototype. */
function named<T extends z.ZodType>(member: T, naming: Naming) {
  return z.custom<object>(isPlainObject, 'takes an object').transform((value, context) => {
    const members = new Map<string, z.infer<T>>();
    const entries = Object.entries(value);
    if (entries.length > naming.max) context.addIssue(`has ${entries.length} members; takes ${naming.max}`);
    for (const [name, raw] of entries) {
      if (!naming.pattern.test(name))
        context.addIssue({
          code: 'custom',
          path: [name],
          message: `the name is not ${naming.what}`,
        });
      const parsed = member.safeParse(raw);
      if (parsed.success) members.set(name, parsed.data);
      else
        for (const issue of parsed.error.issues)
          context.addIssue({
            code: 'custom',
            path: [name, ...issue.path],
            message: explain(issue),
          });
    }
    return members;
  });
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.');
  return `${path === '' ? '(top)' : path}: ${explain(issue)}`;
}

function explain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return issue.keys.map(explainUnknown).join('; ');
  if (issue.code === 'invalid_union') return "takes {type: 'register' | 'counter', …}";
  return issue.message;
}

const knownMembers = ['collections', 'deletes', 'fields', 'type', 'resolve'];

function explainUnknown(name: string): string {
  const near = nearest(name, knownMembers);
  const hint = near === null ? '' : `; did you mean ${JSON.stringify(near)}?`;
  return `unknown member ${JSON.stringify(name)}${hint}`;
}
