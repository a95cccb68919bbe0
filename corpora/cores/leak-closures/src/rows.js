'use strict';

class Row {
  constructor(report, day, product) {
    this.report = report;
    this.day = day;
    this.sku = product.sku;
    this.pieces = (day * 7) % 31;
    this.turnover = product.price * this.pieces;
  }
}

module.exports = { Row };
