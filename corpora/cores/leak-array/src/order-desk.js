'use strict';

const { catalog, config, metrics, sessions } = require('./platform');
const { audit } = require('./audit');

class Order {
  constructor(number, customer, lines) {
    this.number = number;
    this.customer = customer;
    this.lines = lines;
    this.state = 'new';
  }

  get sum() {
    return this.lines.reduce((sum, line) => sum + line.price * line.pieces, 0);
  }
}

class OrderDesk {
  booked = 0;

  book({ customer, lines }) {
    const number = ++this.booked;
    const order = new Order(number, customer, this.#linesFor(number, lines));
    sessions.set(customer, { customer, last: number });
    audit(customer, 'order.booked', null, { number, sum: order.sum, lines: order.lines });
    order.state = 'booked';
    metrics.observe(`orders.${config.service.region}`, order.sum);
    return order;
  }

  #linesFor(number, count) {
    return Array.from({ length: count }, (_, i) => {
      const product = catalog.at(number * 3 + i);
      return { sku: product.sku, price: product.price, pieces: 1 + (i % 2) };
    });
  }
}

module.exports = { Order, OrderDesk };
