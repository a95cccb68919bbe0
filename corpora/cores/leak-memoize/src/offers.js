'use strict';

const { catalog, metrics } = require('./platform');
const { memoize } = require('./memoize');

class Offer {
  constructor(customer, products, pieces) {
    this.customer = customer;
    this.lines = products.map((product) => ({ sku: product.sku, pieces, sum: product.price * pieces }));
    this.total = this.lines.reduce((sum, line) => sum + line.sum, 0);
    this.validUntil = '2024-12-31';
  }
}

function calculateOffer(customer, number, pieces) {
  return new Offer(customer, catalog.page(number, 6), pieces);
}

// The leak: the number of the request is one of the arguments, so no result is ever used twice.
const offerFor = memoize(calculateOffer);

class OfferService {
  made = 0;

  offer(customer, number, pieces) {
    this.made++;
    const offer = offerFor(customer, number, pieces);
    metrics.observe('offer', offer.total);
    return offer;
  }
}

module.exports = { Offer, OfferService };
