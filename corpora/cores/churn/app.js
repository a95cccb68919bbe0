'use strict';

// Allocates as fast as it can and keeps a part of it, so that the kill falls into garbage collections often.
class Order {
  constructor(id) {
    this.id = id;
    this.lines = [new OrderLine(id, 1), new OrderLine(id, 2)];
    this.note = `order ${id}`;
  }
}

class OrderLine {
  constructor(order, position) {
    this.order = order;
    this.position = position;
    this.price = position * 1.25;
  }
}

class Customer {
  constructor(id) {
    this.name = `customer ${id}`;
    this.orders = new Map();
  }
}

const customers = Array.from({ length: 500 }, (_, id) => new Customer(id));
const recent = new Array(150_000);

function takeOrder(id) {
  const order = new Order(id);
  recent[id % recent.length] = order;
  if (id % 10 === 0) customers[(id * 7919) % customers.length].orders.set(id % 5000, order);
}

console.log('ready');
for (let id = 0; ; id++) takeOrder(id);
