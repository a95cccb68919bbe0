'use strict';

const { setTimeout: sleep } = require('timers/promises');
const { catalog, metrics, recent } = require('./platform');
const { TaskQueue } = require('./task-queue');

const printQueue = new TaskQueue({ concurrency: 2 });

class DeliveryNote {
  constructor(number, products) {
    this.number = number;
    this.lines = products.map((product, i) => ({ sku: product.sku, title: product.title, pieces: i + 1 }));
    this.header = `Delivery note ${number}`;
  }

  async print() {
    await sleep(20);
    return this.lines.length;
  }
}

class PrintService {
  accepted = 0;

  accept(number) {
    this.accepted++;
    const note = new DeliveryNote(number, catalog.page(number, 5));
    recent.push(note.header);
    return printQueue.add(() => note.print()).then((lines) => metrics.observe('printed', lines));
  }
}

module.exports = { DeliveryNote, PrintService };
