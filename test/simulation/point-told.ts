/** Rare points of the engine's life that only its own words in the log tell, by those words. */
export const pointTold: Readonly<Record<string, string>> = {
  'the server that was started anew continues the own log': 'identity proven',
  'an interval is missing; reading again': 'read again',
  'this process replicates': 'process took over',
  'a barrier is complete': 'barrier finished',
  'the lock of the replicator is lost': 'lock lost',
  'this region joins; writes wait for what peers have': 'region waits for its peers',
  'the own log did not take a publish; sent again': 'publish repeated',
  'counts could not be stored; they come with a later beat': 'counts not stored',
  'a peer has closed a region for good; it is closed here as well': 'retirement heard of',
  'the survivors have agreed: a region is retired': 'region retired',
  'nobody can say what this database may lack; it takes a new incarnation': 'renewed in silence',
  'these peers do not answer; the region takes writes and learns the rest later': 'writes opened in silence',
  'peers know the region under another incarnation; it takes a new one': 'another life noticed',
};
