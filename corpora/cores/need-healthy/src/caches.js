'use strict';

const { Lru, Ring } = require('./platform');
const { TtlCache } = require('./ttl-cache');

// Each has a limit: together some 60 MB.
module.exports = {
  pages: new Lru(4_000),
  thumbnails: new Lru(250),
  baskets: new TtlCache({ ttl: 40_000, maxEntries: 12_000 }),
  accessLog: new Ring(8_000),
};
