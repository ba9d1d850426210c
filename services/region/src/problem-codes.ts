/**
 * Every error that the HTTP listeners can answer, with what it means and how it is mended. The registry is the
 * documentation: `/problems/{code}` prints these texts, so that the `type` of an answer always resolves. A code, once
 * published, keeps its status and its meaning.
 */
interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly meaning: string;
  readonly mend: string;
}

const kinds = {
  'bad-request': {
    status: 400,
    title: 'The request is not HTTP that we read',
    meaning: 'The bytes on the connection do not form a request.',
    mend: 'Send a well-formed HTTP/1.1 request. Look for a proxy in between that rewrites it.',
  },
  'malformed-json': {
    status: 400,
    title: 'The body is not JSON',
    meaning: 'The body is empty, is not valid UTF-8, is not JSON, or names a member of one object twice.',
    mend: 'Send one JSON value in UTF-8. The detail says what stands in the way.',
  },
  'too-deep': {
    status: 400,
    title: 'The JSON is nested too deeply',
    meaning: 'Arrays and objects of the body stand in more than 32 levels.',
    mend: 'Flatten the value, or store the inner part as a string.',
  },
  'invalid-key': {
    status: 400,
    title: 'The key is not allowed',
    meaning:
      'A key has 1 to 512 bytes of UTF-8 without control characters, is neither "." nor "..", and is percent-encoded in the path.',
    mend: 'Encode each key with encodeURIComponent or its like; "/" in a key is written %2F.',
  },
  'invalid-cursor': {
    status: 400,
    title: 'The cursor is not one of ours',
    meaning: 'The cursor was not handed out for this list: this collection, with this prefix or key.',
    mend: 'Send `next` of the previous page unchanged, with the same filters, or start again without a cursor.',
  },
  'session-invalid': {
    status: 400,
    title: 'The session is not one of ours',
    meaning:
      'The `Isthmus-Session` header was not handed out by a region of this installation, or was changed on its way; or `Isthmus-Wait` is no whole number of milliseconds up to 10000.',
    mend: 'Send the header of the last answer unchanged, or none to begin anew. Every region needs the same ISTHMUS_SESSION_KEY.',
  },
  unauthenticated: {
    status: 401,
    title: 'The caller is not known',
    meaning:
      'Only peers may read all records of a region, and the request did not show that it comes from one.',
    mend: 'Give every region the same ISTHMUS_PEER_SECRET. Without one, only programs on the same machine are served.',
  },
  'cross-origin': {
    status: 403,
    title: 'The request comes from a page of another site',
    meaning: 'A browser sent it for a page that the region did not serve; nothing was done.',
    mend: 'Use the `isthmus` command, or any program that is no web page.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing here',
    meaning: 'The record or the conflict does not exist in this region, or the path is none of ours.',
    mend: 'Check the key and its encoding. A record written in another region appears once its change has arrived.',
  },
  'unknown-collection': {
    status: 404,
    title: 'No such collection',
    meaning: 'The collection is not declared in this region.',
    mend: 'Check the name, or declare the collection.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'This path does not take this method',
    meaning: 'The path exists; the `Allow` header names what it takes.',
    mend: 'Use one of the methods in the `Allow` header.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request came too slowly',
    meaning: 'Its headers or its body were not complete in time.',
    mend: 'Send it again. Check the network between the caller and the region.',
  },
  'insufficient-rights': {
    status: 409,
    title: 'This region holds too few rights',
    meaning:
      'A bounded counter is spent only from rights that this region holds, so that the bound holds under any partition.',
    mend: 'Spend less, or let a region that holds rights move some here. `have` and `need` say what is held and what was asked.',
  },
  'session-lost': {
    status: 409,
    title: 'What the session knows may be lost',
    meaning:
      'The session has seen or written something whose region went on under a new incarnation, from a copy that did not have it, or was retired before it had handed it on. It may have come back by another way; nobody can promise it.',
    mend: 'Read without a session what is there, and begin a new one.',
  },
  'precondition-failed': {
    status: 412,
    title: 'The record is not as the condition says',
    meaning:
      'If-Match or If-None-Match did not hold. Such conditions bind this region only: another region may write meanwhile.',
    mend: 'Read the record again and decide anew with its current ETag.',
  },
  'body-too-large': {
    status: 413,
    title: 'The request is too large',
    meaning:
      'A body has at most 1 MiB and 100,000 values; one change has at most 256 KiB and one transaction 1 MiB of changes; deletes and clears of one record have up to 3 MiB. The writes of one batch take at most 64 MiB of stored records, each counted for each write of it.',
    mend: 'Divide the work over several requests, or store large contents elsewhere.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is not declared as JSON',
    meaning: 'Bodies are `application/json` in UTF-8.',
    mend: 'Send `Content-Type: application/json`.',
  },
  'invalid-value': {
    status: 422,
    title: 'A value is not allowed',
    meaning: 'A member has the wrong type, is out of its range, or is not one that the request takes.',
    mend: 'See `violations`: each names the field, the rule, the limit and the value.',
  },
  'unknown-field': {
    status: 422,
    title: 'No such field',
    meaning: 'The collection does not declare the field.',
    mend: 'Check the name, or add the field to the declaration of the collection.',
  },
  'wrong-operation': {
    status: 422,
    title: 'The field does not take this operation',
    meaning:
      'Each type of field has its own operations: `set` for registers, `increment` for counters, `add` and `remove` for sets, `spend`, `refill` and `moveRights` for bounded counters, `splice` for texts, `clear` for any.',
    mend: 'Use the operation that the detail names.',
  },
  'counter-out-of-range': {
    status: 422,
    title: 'The counter would leave its range',
    meaning: 'A counter is a whole number within ±9007199254740991 (2^53 - 1), and so is each amount.',
    mend: 'Use smaller amounts, or clear the counter.',
  },
  'headers-too-large': {
    status: 431,
    title: 'The headers are too large',
    meaning: 'Request line and headers together have at most 16 KiB.',
    mend: 'Send fewer or shorter headers.',
  },
  internal: {
    status: 500,
    title: 'The region failed',
    meaning: 'A fault of ours. The log of the region has it under the request id.',
    mend: 'Tell the operator the request id.',
  },
  'newer-format': {
    status: 501,
    title: 'This version of Isthmus is too old to show the record',
    meaning:
      'A region with a newer version wrote something into the record that this one does not know. It is stored, merged and handed on whole; what needs to understand it is refused, and nothing was written.',
    mend: 'Read it in a region that is upgraded, or upgrade this one: `violations` names the format that it needs, `record` the record. A PATCH of fields that are known, and a DELETE, are taken here as well.',
  },
  'outcome-unknown': {
    status: 503,
    title: 'The write may or may not have happened',
    meaning: 'The commit was sent to the database and no answer came.',
    mend: 'Read the record to learn what happened before sending an increment again. Writes that set values may be sent again.',
  },
  overloaded: {
    status: 503,
    title: 'The region has too much to do',
    meaning: 'A queue is at its limit, or a write or a list has waited in it for 4 s; nothing was written.',
    mend: 'Wait as `Retry-After` says, then send it again with growing pauses.',
  },
  'peer-not-heard': {
    status: 503,
    title: 'The peer has not been heard yet',
    meaning: 'Rights are moved to a region as it writes now, and nothing has arrived from that region yet.',
    mend: 'Wait until the link to that region is connected, then send it again.',
  },
  'database-unavailable': {
    status: 503,
    title: 'The database of the region does not answer',
    meaning: 'Nothing was written.',
    mend: 'Wait as `Retry-After` says and send it again, or use another region.',
  },
  'session-not-reached': {
    status: 503,
    title: 'This region is not as far as the session',
    meaning:
      'What the caller has seen or written elsewhere has not arrived here within `Isthmus-Wait` milliseconds. Nothing was read or written.',
    mend: 'Try again, wait longer (`Isthmus-Wait`, at most 10000), go back to the former region, or send no session and take what is here.',
  },
  'write-guarded': {
    status: 503,
    title: 'The guard of the collection lets no write pass now',
    meaning:
      "The collection's owner chose that it is written in its home region only, or only while enough other regions have confirmed what was written before. Reads go on.",
    mend: 'With a home region, write there: `violations` names it. With a budget, wait as `Retry-After` says and send it again; it opens once enough peers have caught up.',
  },
  'region-joining': {
    status: 503,
    title: 'The region is new and not filled yet',
    meaning:
      'Peers have records that this region has not got yet, so what it shows is not what there is, or a peer is not configured with it and would not take what is written here. Reads go on, of what has come.',
    mend: 'Write in another region, or wait as `Retry-After` says. `isthmus status` and `isthmus identity` say what it waits for.',
  },
  'region-drained': {
    status: 503,
    title: 'The region was drained',
    meaning: 'An operator has taken its writes away, so that its callers go elsewhere. Reads go on.',
    mend: 'Write in another region. `isthmus region join` ends it, and `isthmus region` says who has all of it by now.',
  },
  'region-retired': {
    status: 503,
    title: 'The region was retired',
    meaning:
      'Its peers have agreed to take no change of it any more, so what it acknowledged now would be lost. Reads go on, of what it held.',
    mend: 'Write in another region. What was written here after the retirement is in this database alone.',
  },
  'identity-healthy': {
    status: 409,
    title: 'The region continues its past',
    meaning: 'A new incarnation is for a database that is not its own past; this one is proven to be.',
    mend: 'Leave it. If you know better, insist with `force`: writes stop for some seconds and the past is learnt again.',
  },
  'not-the-replicator': {
    status: 409,
    title: 'Another process does this',
    meaning:
      'The process has not the role `replicator`, or its region has neither a log beside its database nor peers.',
    mend: 'Ask a process with that role. A region alone with its database needs no other identity.',
  },
  'no-donor': {
    status: 503,
    title: 'There is no peer to fill the region from',
    meaning:
      'A region is filled anew out of a snapshot of a peer, and none of them offers one now. Nothing was changed.',
    mend: 'The detail says what each peer answered. Ask again once it serves, or name another with `--from`.',
  },
  'refill-would-lose': {
    status: 409,
    title: 'Filling the region anew would lose writes',
    meaning:
      'Its records are dropped first, and some of what it acknowledged, or has settled of regions that do not answer, is at no peer that answers. Nothing was changed.',
    mend: 'Repair the links and ask again. Else drain the region, write down what only its log has with `isthmus region export`, and accept the loss of each life that `violations` names.',
  },
  'refill-under-way': {
    status: 409,
    title: 'The region is being filled anew already',
    meaning: 'It is about to take a new incarnation, and who claims one listens for others first.',
    mend: 'Wait; `isthmus region` says how far it is and why it waits.',
  },
  'claim-waits': {
    status: 503,
    title: 'Somebody may hold more of the region that is gone',
    meaning:
      'Stranded rights are claimed under dots of whoever held them, so every survivor is asked first whether it holds more of that writer in this record. One of them does, or does not answer; or something that this region wrote in an earlier life has not settled here, because it is put aside here or at a peer.',
    mend: 'Claim again when every survivor answers. Where one holds more, fetch it with `isthmus digest --repair` first. What is put aside is shown by `isthmus dead-letters list`, here and at the peer that `detail` names: it settles once its cause is mended.',
  },
  'claimed-since': {
    status: 409,
    title: 'Rights were claimed in this record meanwhile',
    meaning:
      'A row of an export is issued again by merging it for a moment under the dots that it had, and a claim of stranded rights has taken dots of the same writer since.',
    mend: 'Look at the row in the file, and write by hand what is missing. Issue exports again before rights are claimed.',
  },
  'not-retired': {
    status: 409,
    title: 'The region was neither retired nor drained',
    meaning:
      'What a region wrote is exported only once it writes no more: its peers have closed it for good, or it was drained. Until then all of it may still reach them by itself.',
    mend: 'Repair the link, or retire the region at its survivors with `isthmus region retire`, or drain it to fill it anew, and ask again.',
  },
  'no-final-vector': {
    status: 503,
    title: 'No survivor says what it keeps',
    meaning:
      'Which writes are missing elsewhere follows from the final vector that the survivors agreed on, and none of them that has reached it answers.',
    mend: 'See that the region reaches the admin listener of a survivor and that `isthmus region retire` has ended there, and ask again.',
  },
  'export-too-large': {
    status: 409,
    title: 'The export is too large for one answer',
    meaning:
      'More is missing at the survivors than the process holds in memory for one answer. Nothing was changed.',
    mend: 'Ask for it in parts, as `?part=1/4` to `?part=4/4`, or more of them; `isthmus region export` does that by itself.',
  },
  'export-unavailable': {
    status: 503,
    title: 'The export could not be read',
    meaning:
      'The own log, or the survivor that tells what it holds of the records, did not answer. Nothing was changed.',
    mend: 'The detail says which of them. Ask again once it answers.',
  },
  draining: {
    status: 503,
    title: 'The process is being stopped',
    meaning: 'It takes no new writes; nothing was written.',
    mend: 'Send it again: the load balancer leads to another process.',
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof kinds;

const byCode: ReadonlyMap<string, ProblemKind> = new Map(Object.entries(kinds));

export function problemKind(code: ProblemCode): ProblemKind {
  return kinds[code];
}

/** The kind of any text that may be a code; `null` where it is none. */
export function findProblemKind(code: string): ProblemKind | null {
  return byCode.get(code) ?? null;
}
