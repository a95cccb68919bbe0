'use strict';

const { BaseFeed } = require('./base-feed');

class Order {
  constructor(raw) {
    this.symbol = raw.symbol;
    this.price = raw.price;
    this.at = new Date();
  }
}

class OrderFeed extends BaseFeed {
  constructor() {
    super();
    this.bySymbol = {};
  }

  receive(raw) {
    const order = new Order(raw);
    this.track(order);
    this.emit('order', order);
  }

  count(symbol) {
    this.bySymbol[symbol] = (this.bySymbol[symbol] ?? 0) + 1;
  }
}

module.exports = { OrderFeed };
