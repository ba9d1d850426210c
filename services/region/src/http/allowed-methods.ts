/**
 * Which methods a path takes, learned from the routes as they are registered, so that a request with another method is
 * answered 405 with `Allow` and never looks like a missing record.
 */
interface Route {
  readonly segments: readonly string[];
  readonly methods: Set<string>;
}

export class AllowedMethods {
  readonly #routes = new Map<string, Route>();

  add(pattern: string, methods: readonly string[]): void {
    const route = this.#routes.get(pattern) ?? { segments: pattern.split('/'), methods: new Set() };
    for (const method of methods) route.methods.add(method);
    this.#routes.set(pattern, route);
  }

  /** Methods in order of their names; empty where no route has the path. */
  of(path: string): readonly string[] {
    const segments = path.split('/');
    for (const route of this.#routes.values()) {
      if (matches(route.segments, segments)) return [...route.methods].toSorted();
    }
    return [];
  }
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, index) => {
    const segment = segments[index] ?? '';
    return part.startsWith(':') ? segment !== '' : part === segment;
  });
}
