'use strict';

const { catalog, metrics, recent } = require('./platform');
const { shutdown } = require('./lifecycle');

class Query {
  constructor(text, options) {
    this.words = text.split(' ');
    this.options = options;
    this.hits = [];
    this.cancelled = false;
  }

  async run() {
    for (let i = 0; i < 24; i++) {
      const product = catalog.at(this.options.page * 24 + i + this.words.length);
      this.hits.push({ sku: product.sku, score: 1 / (i + 1) });
    }
    return this.hits;
  }

  cancel(reason) {
    this.cancelled = true;
    this.hits.length = 0;
    this.reason = reason;
  }
}

// The leak: the listener stays on the signal of the whole service when the search is over.
async function search(text, options) {
  const query = new Query(text, options);
  shutdown.signal.addEventListener('abort', () => query.cancel(shutdown.signal.reason));
  const hits = await query.run();
  recent.push({ text, hits: hits.length });
  metrics.observe('search', hits.length);
  return hits.slice(0, 6);
}

module.exports = { Query, search };
