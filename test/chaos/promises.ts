/** What is promised, in words for readers, and which checks attack it: the first half of the page about the tests. */
export interface Promised {
  readonly number: string;
  readonly promised: string;
  readonly attacked: string;
}

export const promises: readonly Promised[] = [
  {
    number: 'I1',
    promised: 'A write that was answered with 2xx is on the disk of its region',
    attacked:
      'processes and databases are killed under load; every acknowledged write is looked for afterwards',
  },
  {
    number: 'I2',
    promised: 'Postgres is told to forget a change only when the log holds it',
    attacked: 'relays are killed while the log has not answered; logs are stopped and reset',
  },
  {
    number: 'I3',
    promised: 'What is missing in a log is noticed, counted and fetched',
    attacked: 'retention, a new topic, wrong offsets and a lost slot take changes away',
  },
  {
    number: 'I4',
    promised: 'Regions that have the same changes show the same, byte for byte',
    attacked: 'after each fault digests must be equal, and so must every record that is shown',
  },
  {
    number: 'I5',
    promised: 'No acknowledged write is lost but with its region, and then no more than the RPO gauge said',
    attacked: 'unique values are looked for one by one; whole regions are destroyed at random moments',
  },
  {
    number: 'I6',
    promised: 'What was deleted does not come back',
    attacked: 'records are written and deleted from all sides in each fault; old log records come again',
  },
  {
    number: 'I7',
    promised: 'Counters are exact, and bounded counters never pass their bound',
    attacked: 'large random amounts: the sum must be that of the acknowledged ones and of some unknown ones',
  },
  {
    number: 'I8',
    promised: 'No fault between regions touches local reads and writes',
    attacked: 'every call to a region that was not struck itself must be answered, with success or a reason',
  },
  {
    number: 'I9',
    promised: 'A session reads its own writes and never goes back in time',
    attacked: 'sessions move between regions that lag, in `e2e/sessions.suite.ts`',
  },
  {
    number: 'I10',
    promised: 'Lag and RPO are never better than the truth, and unknown is not zero',
    attacked: 'an oracle reads the truth from the records themselves, before and after each scrape',
  },
  {
    number: 'I11',
    promised: 'Two databases never write as one region',
    attacked: 'copies of a living database are started beside it, and older copies in its place',
  },
  {
    number: 'I12',
    promised: 'Everything is bounded',
    attacked: 'links flap, logs are poisoned, disks are full; sockets and memory are looked at',
  },
];
