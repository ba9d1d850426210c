/**
 * Declarations of fields as the file of collections writes them: every type of the conflict library, maps nested to a
 * bound. Each fault is told with its path and what may stand there, all of them at once; an option that a type does
 * not take is a fault, because it would otherwise be ignored in silence. What comes out has every default filled in.
 */
import { z } from 'zod';
import { nearest } from './nearest.ts';

const fieldNamePattern = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;
/** Fields of one collection, those within maps included. */
const maxFields = 256;
/** Names in a field's path; of members with any name too. */
const maxLevels = 8;

export type FieldDeclaration =
  | { readonly type: 'register'; readonly resolve: 'last-writer' | 'siblings' }
  | { readonly type: 'counter' }
  | { readonly type: 'bounded-counter'; readonly min: number }
  | { readonly type: 'set'; readonly bias: 'add' | 'remove' }
  | { readonly type: 'text' }
  | MapDeclaration;

export type MapDeclaration =
  | { readonly type: 'map'; readonly fields: FieldDeclarations }
  | { readonly type: 'map'; readonly of: FieldDeclaration };

export type FieldDeclarations = ReadonlyMap<string, FieldDeclaration>;

const simple = {
  register: members({
    type: z.literal('register'),
    resolve: z.enum(['last-writer', 'siblings']).default('last-writer'),
  }),
  counter: members({ type: z.literal('counter') }),
  'bounded-counter': members({ type: z.literal('bounded-counter'), min: z.int().default(0) }),
  set: members({ type: z.literal('set'), bias: z.enum(['add', 'remove']).default('add') }),
  text: members({ type: z.literal('text') }),
};
const typeNames = [...Object.keys(simple), 'map'];

/** The fields of a collection. */
export function collectionFields() {
  return named(fieldAt(1), { ...fieldNaming, limit: { max: maxFields, count: countFields } });
}

interface Naming {
  readonly pattern: RegExp;
  readonly what: string;
  readonly least: number;
  readonly limit: { readonly max: number; readonly count: (members: object) => number } | null;
}

const fieldNaming: Naming = {
  pattern: fieldNamePattern,
  what: 'a field name ([A-Za-z][A-Za-z0-9_]*, at most 63 characters)',
  least: 1,
  limit: null,
};

/** An object with known members only; the others are told with the nearest known name. */
export function members<T extends z.core.$ZodLooseShape>(shape: T) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((name) => explainUnknown(name, known)).join('; ')
        : undefined,
  });
}

function explainUnknown(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  const hint = near === null ? `; it takes ${known.join(', ')}` : `; did you mean ${JSON.stringify(near)}?`;
  return `unknown member ${JSON.stringify(name)}${hint}`;
}

/** An object with free names, read into a map so that no name can reach a prototype. */
export function named<T>(member: z.ZodType<T>, { pattern, what, least, limit }: Naming) {
  return z.custom<object>(isPlainObject, 'takes an object').transform((value, context) => {
    const found = new Map<string, T>();
    if (Object.keys(value).length < least) context.addIssue(`takes at least ${least} member`);
    const count = limit?.count(value) ?? 0;
    if (limit !== null && count > limit.max) context.addIssue(`has ${count} members; takes ${limit.max}`);
    for (const [name, raw] of Object.entries(value)) {
      if (!pattern.test(name)) addIssue(context, [name], `the name is not ${what}`);
      const parsed = member.safeParse(raw);
      if (parsed.success) found.set(name, parsed.data);
      else for (const issue of parsed.error.issues) addIssue(context, [name, ...issue.path], issue.message);
    }
    return found;
  });
}

function addIssue(context: z.RefinementCtx, path: PropertyKey[], message: string): void {
  context.addIssue({ code: 'custom', path, message });
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field whose path has `level` names. */
function fieldAt(level: number): z.ZodType<FieldDeclaration> {
  const map = level < maxLevels ? mapAt(level) : noMap;
  const types = new Map<unknown, z.ZodType<FieldDeclaration>>(Object.entries({ ...simple, map }));
  return z.custom<object>(isPlainObject, `takes {type, …}`).transform((value, context) => {
    const type = memberOf(value, 'type');
    const parsed = types.get(type)?.safeParse(value);
    if (parsed?.success === true) return parsed.data;
    if (parsed === undefined) addIssue(context, ['type'], explainType(type));
    else for (const issue of parsed.error.issues) addIssue(context, [...issue.path], issue.message);
    return z.NEVER;
  });
}

function explainType(type: unknown): string {
  const near = typeof type === 'string' ? nearest(type, typeNames) : null;
  const hint = near === null ? '' : `; did you mean ${JSON.stringify(near)}?`;
  return `takes one of ${typeNames.join(', ')}${hint}`;
}

const noMap = z.custom<never>(
  () => false,
  `a path has at most ${maxLevels} names, so there is no room for a map here`,
);

function mapAt(level: number): z.ZodType<FieldDeclaration> {
  const field = fieldAt(level + 1);
  const shape = {
    type: z.literal('map'),
    fields: named(field, fieldNaming).optional(),
    of: field.optional(),
  };
  return members(shape).transform(({ type, fields, of }, context) => {
    if (fields !== undefined && of === undefined) return { type, fields };
    if (of !== undefined && fields === undefined) return { type, of };
    context.addIssue('a map takes either fields, by name, or of: one declaration for members of any name');
    return z.NEVER;
  });
}

function memberOf(value: unknown, name: string): unknown {
  return isPlainObject(value) ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
}

/** Counts what is written, right or wrong, so that too much is told beside other faults. */
function countFields(fields: unknown, level = 1): number {
  if (!isPlainObject(fields) || level > maxLevels) return 0;
  const each = Object.values(fields).map((field: unknown) => 1 + countWithin(field, level));
  return each.reduce((sum, count) => sum + count, 0);
}

function countWithin(field: unknown, level: number): number {
  const of = memberOf(field, 'of');
  return (
    countFields(memberOf(field, 'fields'), level + 1) +
    (of === undefined ? 0 : countFields({ of }, level + 1))
  );
}
