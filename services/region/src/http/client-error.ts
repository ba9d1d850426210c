/**
 * Answers for connections on which no request could be read: too slow, headers too large, or not HTTP. They are
 * written by hand because there is no request to answer; the connection ends with them, also where the other side keeps
 * its half of it open.
 */
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import type { ProblemCode } from '../problem-codes.ts';
import { Problem, problemBody, problemMediaType } from '../problem.ts';

const codes: Readonly<Record<string, ProblemCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
};

const details: Readonly<Partial<Record<ProblemCode, string>>> = {
  'request-timeout': 'The request was not complete in time.',
  'headers-too-large': 'Request line and headers are larger than 16 KiB.',
};

export interface ClientErrorMarks {
  readonly requestId: string;
  readonly region: string;
}

/** For the answer to be read: bytes that come after a close would take it away from whoever sends them. */
const lingerMs = 1000;

/** The socket takes writes. */
export function answerClientError(
  error: { readonly code?: string | undefined },
  socket: Socket,
  marks: ClientErrorMarks,
): void {
  const code = codes[error.code ?? ''] ?? 'bad-request';
  const detail = details[code] ?? 'The bytes received are not an HTTP/1.1 request.';
  const problem = new Problem(code, detail);
  const body = JSON.stringify(problemBody(problem, marks.requestId));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Request-Id: ${marks.requestId}`,
    `Isthmus-Region: ${marks.region}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const linger = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(linger));
}
