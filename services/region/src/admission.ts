/**
 * How much the public listener takes in at once: requests under way and the bytes of their bodies. What would go past
 * either bound is refused before its body is read, so memory stays bounded however many callers send however much
 * (I12). A body of unknown length counts as the largest one.
 */
interface AdmissionLimits {
  readonly maxRequests: number;
  readonly maxBodyBytes: number;
}

export class Admission {
  readonly #limits: AdmissionLimits;
  #requests = 0;
  #bodyBytes = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** True: taken in, and `leave` must follow with the same number. */
  tryEnter(bodyBytes: number): boolean {
    if (this.#requests >= this.#limits.maxRequests) return false;
    if (this.#bodyBytes + bodyBytes > this.#limits.maxBodyBytes) return false;
    this.#requests++;
    this.#bodyBytes += bodyBytes;
    return true;
  }

  leave(bodyBytes: number): void {
    this.#requests--;
    this.#bodyBytes -= bodyBytes;
  }
}
