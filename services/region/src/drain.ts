/**
 * Whether this process is being stopped. It turns once and never back: from then on new writes are refused with
 * `draining` and `/readyz` fails, so that the load balancer leads callers elsewhere while what is in flight ends.
 */
export class Drain {
  #draining = false;

  get draining(): boolean {
    return this.#draining;
  }

  start(): void {
    this.#draining = true;
  }
}
