'use strict';

const { catalog } = require('./platform');

class Order {
  constructor(number) {
    const product = catalog.at(number * 17);
    this.number = number;
    this.month = 1 + (number % 12);
    this.customer = `customer-${(number * 31) % 15_000}`;
    this.lines = [{ sku: product.sku, pieces: 1 + (number % 3), price: product.price }];
    this.paid = number % 9 !== 0;
  }
}

const readOrders = (count) => Array.from({ length: count }, (_, number) => new Order(number));

module.exports = { Order, readOrders };
