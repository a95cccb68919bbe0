'use strict';

const LRU = require('lru-cache');

// The leak: without `max` this version has no limit, and it looks at `maxAge` only when an entry is asked for.
const pageCache = new LRU({ maxAge: 60_000 });

module.exports = { pageCache };
