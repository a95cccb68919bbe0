'use strict';

// Prices of a shop. The small functions are hot enough to be inlined into checkout() when it is optimised.
// Handlers are called through a Map with several targets, so that a handler itself is never inlined, and replacing
// one does not throw the optimised code away.
const handlers = new Map();

class Item {
  constructor(price, quantity) {
    this.price = price;
    this.quantity = quantity;
  }

  total() {
    return discounted(validated(this.price), this.quantity);
  }
}

function validated(price) {
  if (price < 0) {
    handlers.get('negative')(price);
  }
  return price;
}

function discounted(price, quantity) {
  return quantity >= 10 ? price * 0.9 : price;
}

function checkout(items) {
  let sum = 0;
  for (let i = 0; i < items.length; i++) {
    sum += items[i].quantity * items[i].total();
  }
  return sum;
}

let negatives = 0;
const warmHandlers = [
  () => negatives++,
  (price) => (negatives += price < -1 ? 1 : 2),
];

function warmUp(rounds) {
  const items = [];
  for (let i = 0; i < 50; i++) items.push(new Item(i % 5 === 0 ? -i - 0.5 : i + 0.5, i % 20));
  let sum = 0;
  for (let round = 0; round < rounds; round++) {
    handlers.set('negative', warmHandlers[round % 2]);
    sum += checkout(items);
  }
  return sum;
}

module.exports = { Item, checkout, discounted, handlers, validated, warmUp };
