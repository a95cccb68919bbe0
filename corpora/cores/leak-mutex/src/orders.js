'use strict';

const { Mutex } = require('./mutex');

const storage = new Mutex();

async function write(order) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return order.id;
}

async function saveOrder(order) {
  await storage.runExclusive(() => write(order));
}

module.exports = { saveOrder };
