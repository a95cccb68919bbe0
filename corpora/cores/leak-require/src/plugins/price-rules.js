'use strict';

class PriceRule {
  constructor(number) {
    this.from = number * 5;
    this.to = number * 5 + 5;
    this.factor = 1 - number / 1_000;
    this.name = `rule ${number}`;
  }
}

const rules = Array.from({ length: 300 }, (_, number) => new PriceRule(number));

function priceFor(product) {
  const rule = rules.find((one) => product.price >= one.from && product.price < one.to);
  return rule ? product.price * rule.factor : product.price;
}

module.exports = { priceFor, rules };
