'use strict';

const { catalog, metrics, recent } = require('./platform');
const { inSpan } = require('./tracing');

class Poller {
  constructor({ onPoll }) {
    this.polls = 0;
    this.onPoll = onPoll;
  }

  start() {
    this.poll();
  }

  // The leak: the next poll is started inside the span of this one and gets it as its parent, and so on for ever.
  poll() {
    inSpan('poll', async (span) => {
      const product = catalog.at(this.polls++);
      span.event('received', { sku: product.sku, at: this.polls });
      span.event('stored', { stock: product.stock.pieces });
      recent.push(product.sku);
      metrics.observe('poll', product.price);
      this.onPoll(this.polls);
      setImmediate(() => this.poll());
    });
  }
}

module.exports = { Poller };
