/**
 * How much the public listener takes in at once: requests under way, the bytes of their bodies, and those of answers that
 * their callers have not taken yet. What would go past a bound is refused before its body is read, so memory stays bounded
 * however many callers send however much and read however slowly (I12). A body of unknown length counts as the largest one.
 */
interface AdmissionLimits {
  readonly maxRequests: number;
  readonly maxBodyBytes: number;
  /** No more is let in while answers hold so much; those under way then add to it. */
  readonly maxAnswerBytes: number;
}

export class Admission {
  readonly #limits: AdmissionLimits;
  #requests = 0;
  #bodyBytes = 0;
  #answerBytes = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** True: taken in, and `leave` must follow with the same number. */
  tryEnter(bodyBytes: number): boolean {
    if (this.#requests >= this.#limits.maxRequests) return false;
    if (this.#bodyBytes + bodyBytes > this.#limits.maxBodyBytes) return false;
    if (this.#answerBytes >= this.#limits.maxAnswerBytes) return false;
    this.#requests++;
    this.#bodyBytes += bodyBytes;
    return true;
  }

  leave(bodyBytes: number): void {
    this.#requests--;
    this.#bodyBytes -= bodyBytes;
  }

  /** An answer is there to be taken; `taken` must follow with the same number. */
  answer(bytes: number): void {
    this.#answerBytes += bytes;
  }

  taken(bytes: number): void {
    this.#answerBytes -= bytes;
  }
}
