/**
 * The paths that an editor takes, computed from the declarations: `title`, `address.city` and, in open maps,
 * `labels.` with any name. Where declarations are known only when the program runs, every text is a path. Maps are
 * followed through eight levels; what lies deeper is any text, so that no declaration is too deep for the compiler.
 * Only types; nothing here runs.
 */
import type { DeclaredMapField, Field, Fields, OpenMapField } from './field.ts';
import type { Element } from './set.ts';

/** What names the fields of each type, or of `any`: a path as one text, or an array of names. */
export type FieldPaths<F extends Fields> = {
  readonly [Type in Field['type'] | 'any']: FieldPath<F, Type> | readonly string[];
};

/** Paths as one text of the fields of one type, or of `any`. */
export type FieldPath<F extends Fields, Type extends Field['type'] | 'any'> = string &
  { [Name in keyof F & string]: PathAt<F[Name], Type, Name, EightLevels> }[keyof F & string];

/** Paths of registers as one text, as a reading lists them. */
export type RegisterPath<F extends Fields> = FieldPath<F, 'register'>;

export type EightLevels = readonly [1, 2, 3, 4, 5, 6, 7, 8];

type PathWithin<F extends Fields, Type, Levels extends readonly unknown[]> = {
  [Name in keyof F & string]: PathAt<F[Name], Type, Name, Levels>;
}[keyof F & string];

/** Of a field whose type is not known, everything that may be there. */
export type PathAt<
  F extends Field,
  Type,
  Name extends string,
  Levels extends readonly unknown[],
> = Field extends F ? Name | `${Name}.${string}` : OwnPath<F, Type, Name> | MemberPath<F, Type, Name, Levels>;

type OwnPath<F extends Field, Type, Name> = Type extends F['type'] | 'any' ? Name : never;

type MemberPath<F extends Field, Type, Name extends string, Levels extends readonly unknown[]> = F extends
  | DeclaredMapField
  | OpenMapField
  ? Levels extends readonly [unknown, ...infer Rest]
    ? `${Name}.${PathInMap<F, Type, Rest>}`
    : `${Name}.${string}`
  : never;

type PathInMap<
  F extends DeclaredMapField | OpenMapField,
  Type,
  Levels extends readonly unknown[],
> = F extends DeclaredMapField
  ? PathWithin<F['fields'], Type, Levels>
  : F extends OpenMapField
    ? PathAt<F['of'], Type, string, Levels>
    : never;

/** What `put` makes of a record; of fields that are known only when the program runs, anything. */
export type RecordInput<F extends Fields> = string extends keyof F
  ? unknown
  : { readonly [Name in keyof F]?: FieldInput<F[Name]> };

type FieldInput<F extends Field> = Field extends F
  ? unknown
  : F extends DeclaredMapField
    ? RecordInput<F['fields']>
    : F extends OpenMapField
      ? { readonly [member: string]: FieldInput<F['of']> }
      : {
          register: unknown;
          counter: number;
          'bounded-counter': number;
          set: readonly Element[];
          text: string;
          map: unknown;
        }[F['type']];

/** Elements of a set; of fields that are known only when the program runs, anything. */
export type ElementInput<F extends Fields> = string extends keyof F ? unknown : Element;
