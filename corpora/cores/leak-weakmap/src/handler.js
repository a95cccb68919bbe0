'use strict';

const { catalog, metrics } = require('./platform');
const { notesFor } = require('./request-notes');

class IncomingRequest {
  constructor({ number, path }) {
    this.number = number;
    this.path = path;
  }
}

function handle(raw) {
  const request = new IncomingRequest(raw);
  notesFor(request).steps.push({ step: 'received', at: raw.number });
  const product = catalog.at(raw.number);
  notesFor(request).steps.push({ step: 'found', sku: product.sku });
  notesFor(request).timings[0] = raw.number % 17;
  metrics.observe('request', 1);
  return product.price;
}

module.exports = { IncomingRequest, handle };
